/**
 * A few steps of training with BatchNorm that run anywhere: the function is sent to other engines as
 * text, so it uses nothing but its argument.
 *
 * @module
 */
import type * as tapegrad from "../../mod.ts";

/** What the engine that ran it tells. */
export interface Outcome {
  readonly losses: readonly number[];
  readonly runningMean: readonly number[];
  /** Which kernels ran. */
  readonly kernels: string;
}

/** Trains a small network of every kind of layer that a page would use. */
export function train({ kernels, manualSeed, nn, optim, randn }: typeof tapegrad): Outcome {
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
  };
}

/** The text of a program that imports the library and hands the outcome to `report`, as JSON. */
export function programText(library: string, report: string): string {
  return `import * as tapegrad from ${JSON.stringify(library)};
${train}
${report}(JSON.stringify(train(tapegrad)));
`;
}
