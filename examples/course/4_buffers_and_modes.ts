/** Step 4: what is tracked, and when. */
import { type Tensor, tensor } from "@tapegrad/tapegrad";
import { blank } from "./blank.ts";

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
    return blank(
      `in ${this.training ? "training track the moments of" : "evaluation use the buffers for"} ` +
        `[${x.shape}]; momentsOf() and normalise() are those of step 3`,
    );
  }

  /**
   * running ← (1 − momentum)·running + momentum·batch, with the variance divided by N − 1, and beside
   * the tape: no gradient may ever reach a buffer.
   */
  track(_mean: Tensor, _variance: Tensor, count: number): void {
    blank(`blend the moments of ${count} samples in, under noGrad(), with copy_()`);
  }
}
