/**
 * A recorded training that runs anywhere: the function is sent to other engines as text, so it uses nothing
 * but its arguments.
 *
 * @module
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import * as tapegrad from "../../mod.ts";
import * as scope from "../../scope/mod.ts";

/** What the engine that ran it tells. */
export interface Recorded {
  readonly sentence: string;
  /** By whom the running mean was written, the last writer first, and at which line. */
  readonly writers: readonly (readonly [by: string, site: string])[];
  /** At the end, as the record has it. */
  readonly runningMean: readonly number[];
  /** Modules by their calls on the tape. */
  readonly tape: readonly (string | null)[];
}

/** Trains a small network under a recorder, evaluates it, and writes into it. */
export async function recordTraining(
  { kernels, manualSeed, nn, noGrad, optim, randn }: typeof tapegrad,
  { record, sentenceOf, tapeOf }: typeof scope,
): Promise<Recorded> {
  await kernels.ready;
  manualSeed(7);
  const norm = new nn.BatchNorm1d(4);
  // A forward of one's own: the line that is told is the one that called the outermost module.
  class Inner extends nn.Module {
    readonly linear = new nn.Linear(3, 4);
    readonly norm = norm;
    override forward(x: tapegrad.Tensor): tapegrad.Tensor {
      const normalised = this.norm.forward(this.linear.forward(x));
      return normalised;
    }
  }
  const net = new nn.Sequential(new Inner(), new nn.ReLU(), new nn.Linear(4, 1));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05 });
  const recorder = record(net, optimizer, { callSites: true });
  for (let step = 0; step < 6; step++) {
    const loss = net.forward(randn([16, 3]).add(2)).sub(1).square().mean();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  noGrad(() => norm.runningMean!.copy_(norm.runningMean!.mul(2)));
  const written = recorder.stop().toJSON();
  const { calls } = tapeOf(net.forward(randn([16, 3])).sum(), { model: net }).toJSON();
  return {
    sentence: sentenceOf(written),
    writers: recorder.whyDidThisChange(norm, "running_mean").map((
      { by, site },
    ) => [by, site ?? "unknown"]),
    runningMean: written.layers[0].final.runningMean!.map(Number),
    tape: calls.map(({ module }) => module),
  };
}

/** The text of a program that gets both entries by import and hands what was recorded to `report`, as JSON. */
export function recordingText(report: string): string {
  return `import * as tapegrad from "@tapegrad/tapegrad";
import * as scope from "@tapegrad/tapegrad/scope";
${recordTraining}
recordTraining(tapegrad, scope).then((recorded) => ${report}(JSON.stringify(recorded)));
`;
}

/**
 * Compares with the same recording here.
 *
 * @param file How the program's lines are told, before the line; `null` if they cannot be.
 */
export async function assertSameRecording(actual: Recorded, file: string | null): Promise<void> {
  const expected = await recordTraining(tapegrad, scope);
  assertEquals(actual.sentence, expected.sentence);
  assertEquals(actual.tape, expected.tape);
  for (const [i, mean] of expected.runningMean.entries()) {
    assertAlmostEquals(actual.runningMean[i], mean, 1e-9);
  }
  const lines = recordingText("").split("\n");
  const siteOf = (call: string) =>
    file === null ? "unknown" : `${file}:${lines.findIndex((line) => line.includes(call)) + 1}`;
  assertEquals(actual.writers, [
    ["copy_", siteOf("runningMean.copy_(")],
    ["forward", siteOf("loss = net.forward(")],
  ]);
}
