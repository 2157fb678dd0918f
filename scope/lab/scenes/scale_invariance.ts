/**
 * Two runs: weights w with learning rate lr, and weights k·w with learning rate k²·lr. Behind the weights
 * stands a batch norm, which takes their size away.
 */
import { Generator, manualSeed, optim } from "../library.ts";
import { digitNet, drawDigits, loss } from "./tiny_digits.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  /** k */
  readonly factor: number;
  /** What the layer adds to the variance. */
  readonly eps: number;
  readonly steps: number;
}

/** What the scene shows. */
export interface Numbers {
  readonly plain: number[];
  readonly scaled: number[];
  /** |difference| of the losses, step by step. */
  readonly differences: number[];
  readonly largest: number;
  /** The length of the weights at the end: ‖w‖ and ‖k·w‖. */
  readonly plainLength: number;
  readonly scaledLength: number;
}

/** Trains both on the same images. */
export function run({ seed, factor, eps, steps }: State): Numbers {
  const train = (k: number) => {
    manualSeed(seed);
    const net = digitNet(eps);
    const [weight, ...others] = [...net.parameters()];
    weight.detach().copy_(weight.detach().mul(k));
    const sgd = new optim.SGD([
      { params: [weight], lr: 0.05 * k * k },
      { params: others, lr: 0.05 },
    ], { momentum: 0.9 });
    const generator = new Generator(seed);
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const { images, labels } = drawDigits(32, generator);
      sgd.zeroGrad();
      const error = loss(net.forward(images), labels);
      error.backward();
      sgd.step();
      losses.push(error.item());
    }
    return { losses, length: weight.detach().square().sum().sqrt().item() };
  };
  const [plain, scaled] = [train(1), train(factor)];
  const differences = plain.losses.map((loss, i) => Math.abs(loss - scaled.losses[i]));
  return {
    plain: plain.losses,
    scaled: scaled.losses,
    differences,
    largest: Math.max(...differences),
    plainLength: plain.length,
    scaledLength: scaled.length,
  };
}
