/**
 * The four combinations of `training` and `trackRunningStats`: what a BatchNorm normalises with, what
 * moves its running statistics, and what moves γ and β.
 *
 *     deno run examples/four_combinations.ts
 */
import {
  cat,
  Generator,
  nn,
  noGrad,
  optim,
  randn,
  silenceWarnings,
  type Tensor,
} from "@tapegrad/tapegrad";

const STEPS = 20;
const FEATURES = 3;

/** What was seen in one combination. */
export interface Combination {
  training: boolean;
  trackRunningStats: boolean;
  /** Which statistics reproduce the output. */
  normalisesWith: "batch" | "running";
  /** After how many of the forwards the running statistics were others; none if there are none. */
  forwardsThatMovedStatistics: number | "–";
  /** After how many of the optimizer steps γ or β were others. */
  stepsThatMovedParameters: number;
  /** How far the output of a sample shifts when the others in its batch are exchanged. */
  shiftByOthers: number;
}

/** A batch from N(5, 2²), another one for each seed. */
function batch(seed: number): Tensor {
  return randn([32, FEATURES], { generator: new Generator(seed) }).mul(2).add(5);
}

function distance(a: Tensor, b: Tensor): number {
  return a.sub(b).abs().amax().item();
}

function observe(training: boolean, trackRunningStats: boolean): Combination {
  const bn = new nn.BatchNorm1d(FEATURES, { trackRunningStats });
  const { runningMean, runningVar, weight, bias } = bn;
  // Some training comes first, so that there is something to evaluate with.
  for (let i = 0; i < STEPS; i++) bn.forward(batch(i));
  bn.train(training);

  const optimizer = new optim.SGD(bn.parameters(), { lr: 0.1 });
  const statistics = () => String([runningMean?.data, runningVar?.data]);
  const parameters = () => String([weight!.data, bias!.data]);
  let [forwards, steps] = [0, 0];
  for (let i = 0; i < STEPS; i++) {
    const [statisticsBefore, parametersBefore] = [statistics(), parameters()];
    optimizer.zeroGrad();
    const loss = bn.forward(batch(100 + i)).sub(1).square().mean();
    if (statistics() !== statisticsBefore) forwards++;
    loss.backward();
    optimizer.step();
    if (parameters() !== parametersBefore) steps++;
  }

  // Looking on must not move anything: no gradients, no updates.
  return noGrad(() =>
    nn.noStatsUpdate(() => {
      const x = batch(200);
      const y = bn.forward(x);
      const byBatch = nn.functional.batchNorm(x, null, null, weight, bias, { training: true });
      const company = cat([x.narrow(0, 0, 1), batch(201).narrow(0, 1, 31)]);
      return {
        training,
        trackRunningStats,
        normalisesWith: distance(y, byBatch) < 1e-12 ? "batch" : "running",
        forwardsThatMovedStatistics: runningMean === null ? "–" : forwards,
        stepsThatMovedParameters: steps,
        shiftByOthers: distance(y.narrow(0, 0, 1), bn.forward(company).narrow(0, 0, 1)),
      };
    })
  );
}

/** All four; throws unless each does what it must. */
export function fourCombinations(): Combination[] {
  // Evaluation with the batch of the moment is warned of; here it is on show.
  const restore = silenceWarnings("bn-batch-statistics-in-eval");
  const rows = [true, false].flatMap((training) =>
    [true, false].map((trackRunningStats) => observe(training, trackRunningStats))
  );
  restore();
  for (const row of rows) {
    const usesRunning = !row.training && row.trackRunningStats;
    const moved = row.training && row.trackRunningStats ? STEPS : row.trackRunningStats ? 0 : "–";
    const holds = row.normalisesWith === (usesRunning ? "running" : "batch") &&
      row.forwardsThatMovedStatistics === moved && row.stepsThatMovedParameters === STEPS &&
      (row.shiftByOthers === 0) === usesRunning;
    if (!holds) throw new Error(`Unexpected result: ${JSON.stringify(row)}`);
  }
  return rows;
}

if (import.meta.main) {
  console.log(`${STEPS} forwards and ${STEPS} optimizer steps in each combination:`);
  console.table(
    fourCombinations().map((row) => ({
      training: row.training,
      trackRunningStats: row.trackRunningStats,
      "normalises with": row.normalisesWith,
      "forwards that moved mean, var": row.forwardsThatMovedStatistics,
      "steps that moved γ, β": row.stepsThatMovedParameters,
      "shift by others in the batch": Number(row.shiftByOthers.toPrecision(2)),
    })),
  );
}
