/**
 * Gradient accumulation makes one step of several micro-batches. Gradients add up by themselves, running
 * statistics do not: each micro-batch updates them as if it were a batch, with its own noise, and they
 * forget as many times faster. accumulateStats(k) makes one update with the exact moments of all k.
 *
 *     deno run examples/gradient_accumulation.ts
 */
import { Generator, manualSeed, nn, optim, randn, type Tensor } from "@tapegrad/tapegrad";

const STEPS = 60;
const BATCH = 64;

/** What one way of training left in the BatchNorm of the input. */
export interface Outcome {
  way: string;
  /** How often the running statistics were updated. */
  updates: number;
  /** The largest distance to the statistics of full batches. */
  meanError: number;
  varianceError: number;
  /** How far the running mean wanders from one step to the next, on average. */
  wandering: number;
}

/** A batch of regression data whose features lie on different scales. */
function batch(step: number): { x: Tensor; y: Tensor } {
  const x = randn([BATCH, 4], { generator: new Generator(step) });
  const y = x.sum({ dim: 1, keepdim: true }).tanh();
  return { x: x.mul(3).add(5), y };
}

/** Trains with micro-batches of a size; returns the network's first BatchNorm and its wandering. */
function train(microBatch: number, pool: boolean): { bn: nn.BatchNorm1d; wandering: number } {
  manualSeed(0);
  const parts = BATCH / microBatch;
  const bn = new nn.BatchNorm1d(4);
  const net = new nn.Sequential(
    bn,
    new nn.Linear(4, 16),
    new nn.BatchNorm1d(16),
    new nn.ReLU(),
    new nn.Linear(16, 1),
  );
  if (pool) {
    for (const module of net.modules()) {
      if (module instanceof nn.BatchNorm) module.accumulateStats(parts);
    }
  }
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  let wandering = 0;
  for (let step = 0; step < STEPS; step++) {
    const before = bn.runningMean!.clone();
    const { x, y } = batch(step);
    const targets = y.split(microBatch);
    optimizer.zeroGrad();
    for (const [i, part] of x.split(microBatch).entries()) {
      // Each part's share of the mean over the whole batch.
      nn.functional.mseLoss(net.forward(part), targets[i]).div(parts).backward();
    }
    optimizer.step();
    if (step >= STEPS / 2) {
      wandering += bn.runningMean!.sub(before).abs().mean().item() / (STEPS / 2);
    }
  }
  return { bn, wandering };
}

/** Trains in three ways; throws unless pooled statistics are those of full batches. */
export function accumulate(): Outcome[] {
  const full = train(BATCH, false);
  const outcome = (way: string, { bn, wandering }: typeof full): Outcome => {
    const error = (name: "runningMean" | "runningVar") =>
      bn[name]!.sub(full.bn[name]!).abs().amax().item();
    return {
      way,
      updates: bn.numBatchesTracked!.item(),
      meanError: error("runningMean"),
      varianceError: error("runningVar"),
      wandering,
    };
  };
  const rows = [
    outcome(`batches of ${BATCH}`, full),
    outcome("8 micro-batches of 8", train(8, false)),
    outcome("the same, accumulateStats(8)", train(8, true)),
  ];
  const [, separate, pooled] = rows;
  const holds = pooled.updates === STEPS && pooled.meanError < 1e-12 &&
    pooled.varianceError < 1e-12 && separate.updates === 8 * STEPS &&
    separate.varianceError > 0.1 && separate.wandering > 1.5 * pooled.wandering;
  if (!holds) throw new Error(`Unexpected result: ${JSON.stringify(rows)}`);
  return rows;
}

if (import.meta.main) {
  const short = (value: number) => Number(value.toPrecision(2));
  console.log(`Running statistics of the input after ${STEPS} steps:`);
  console.table(
    accumulate().map((row) => ({
      way: row.way,
      updates: row.updates,
      "error of the mean": short(row.meanError),
      "error of the variance": short(row.varianceError),
      "mean moves in a step by": short(row.wandering),
    })),
  );
}
