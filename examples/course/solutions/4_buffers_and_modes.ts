/** Step 4: what is tracked, and when. */
import { noGrad, type Tensor, tensor } from "@tapegrad/tapegrad";
import { momentsOf, normalise } from "./3_forward.ts";

/** Batch norm of [N, C] with its four vectors: two that learn, two that are tracked. */
export class BatchNorm {
  training = true;
  readonly momentum: number;
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;

  constructor(channels: number, momentum = 0.1) {
    this.momentum = momentum;
    const filled = (value: number) => new Array<number>(channels).fill(value);
    this.gamma = tensor(filled(1), { requiresGrad: true });
    this.beta = tensor(filled(0), { requiresGrad: true });
    this.runningMean = tensor(filled(0));
    this.runningVariance = tensor(filled(1));
  }

  forward(x: Tensor): Tensor {
    const tracked = { mean: this.runningMean, variance: this.runningVariance };
    if (!this.training) return normalise(x, tracked, this.gamma, this.beta);
    const moments = momentsOf(x);
    this.track(moments.mean, moments.variance, x.shape[0]);
    return normalise(x, moments, this.gamma, this.beta);
  }

  /**
   * running ← (1 − momentum)·running + momentum·batch, with the variance divided by N − 1, and beside
   * the tape: no gradient may ever reach a buffer.
   */
  track(mean: Tensor, variance: Tensor, count: number): void {
    const { momentum, runningMean, runningVariance } = this;
    noGrad(() => {
      const unbiased = variance.mul(count / (count - 1));
      runningMean.copy_(runningMean.mul(1 - momentum).add(mean.mul(momentum)));
      runningVariance.copy_(runningVariance.mul(1 - momentum).add(unbiased.mul(momentum)));
    });
  }
}
