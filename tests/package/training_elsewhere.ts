/**
 * A few steps of training with BatchNorm that run anywhere: the function is sent to other engines as
 * text, so it uses nothing but its argument.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tapegrad from "../../mod.ts";

/** What the engine that ran it tells. */
export interface Outcome {
  readonly losses: readonly number[];
  readonly runningMean: readonly number[];
  /** Which kernels ran. */
  readonly kernels: string;
  /** The network as it prints itself. */
  readonly net: string;
}

/** Trains a small network of every kind of layer that a page would use. */
export async function train(
  { kernels, manualSeed, nn, optim, randn }: typeof tapegrad,
): Promise<Outcome> {
  await kernels.ready;
  manualSeed(7);
  const norm = new nn.BatchNorm2d(8);
  const net = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }),
    norm,
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(8 * 6 * 6, 4),
  );
  const x = randn([32, 1, 12, 12]);
  const target = Array.from({ length: 32 }, (_, i) => i % 4);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.02, momentum: 0.5 });
  const losses: number[] = [];
  for (let step = 0; step < 8; step++) {
    const loss = nn.functional.crossEntropy(net.forward(x), target);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  return {
    losses,
    runningMean: Array.from(norm.runningMean!.data),
    kernels: kernels.info().kernels,
    net: String(net),
  };
}

/** The text of a program that gets the library by `load` and hands the outcome to `report`, as JSON. */
export function programText(load: string, report: string): string {
  return `${load}
${train}
train(tapegrad).then((outcome) => ${report}(JSON.stringify(outcome)));
`;
}

/** A statement that imports the library. */
export function importing(library: string): string {
  return `import * as tapegrad from ${JSON.stringify(library)};`;
}

/** Compares with the same training here, and with the kernels that were to be expected. */
export async function assertSameTraining(
  actual: Outcome,
  { plain = false }: { readonly plain?: boolean } = {},
): Promise<void> {
  const expected = await train(tapegrad);
  assertEquals(actual.losses.length, expected.losses.length);
  for (const [i, loss] of expected.losses.entries()) {
    assertAlmostEquals(actual.losses[i], loss, 1e-9 * loss, `loss of step ${i}`);
  }
  for (const [i, mean] of expected.runningMean.entries()) {
    assertAlmostEquals(actual.runningMean[i], mean, 1e-9, `running mean ${i}`);
  }
  assertEquals(actual.kernels === "plain", plain, actual.kernels);
  assert(
    actual.net.includes("BatchNorm2d(8"),
    `real names, not those of a minifier: ${actual.net}`,
  );
  assertEquals(actual.net, expected.net);
}
