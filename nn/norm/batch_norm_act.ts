/**
 * Batch normalisation with what follows it, as one layer.
 */
import type { Tensor } from "../../autograd/mod.ts";
import { type BatchNormThen, kindOf, type Known } from "../../autograd/internal.ts";
import { checkChoice, layerOptions } from "../module/arguments.ts";
import {
  BatchNorm,
  type BatchNormForwardOptions,
  type BatchNormLayerOptions,
  LAYER_OPTIONS,
} from "./batch_norm.ts";

/** Options of {@linkcode BatchNormAct}. */
export interface BatchNormActOptions extends BatchNormLayerOptions {
  /** What follows: relu, or relu and the largest of each window of 2 along each further axis. */
  readonly then?: BatchNormThen;
}

const KNOWN: Known<BatchNormActOptions> = [...LAYER_OPTIONS, "then"];

/** Options of the `forward` of {@linkcode BatchNormAct}. */
export interface BatchNormActForwardOptions extends BatchNormForwardOptions {
  /** Added to what was normalised, before relu; of the shape of the input. */
  readonly residual?: Tensor | null;
}

/**
 * Batch normalisation, the sum with a residual, relu and pooling in one pass, with the state of a BatchNorm: for
 * blocks like relu(bn(conv(x)) + x). Nothing in between is kept for the backward, which halves the memory of
 * activations; results are those of the layers one by one.
 *
 * Shapes: [N, C, …] → the same; halved behind C with `then: "relu-maxpool"`.
 *
 * @example
 * ```ts
 * import { nn, randn } from "@tapegrad/tapegrad";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const layer = new nn.BatchNormAct(3);
 * const x = randn([8, 3, 4, 4]);
 * assert(layer.forward(x, { residual: x }).data.every((value) => value >= 0));
 * assertEquals([...layer.stateDict().keys()], [...new nn.BatchNorm2d(3).stateDict().keys()]);
 * ```
 */
export class BatchNormAct extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNormAct";
  /** @internal */ static override readonly keepsNothing = true;

  /** @internal */
  protected override readonly ranks = [2, 3, 4, 5];
  /** What follows the normalisation. */
  override readonly then: BatchNormThen;

  /**
   * Makes the layer.
   *
   * @param numFeatures C, the size of axis 1.
   * @param options Those of a BatchNorm, and then = "relu".
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(numFeatures: number, options: BatchNormActOptions = {}) {
    const layer = kindOf(new.target.prototype);
    const { then = "relu", ...others } = layerOptions(layer, options, KNOWN);
    super(numFeatures, others);
    this.then = checkChoice(layer, "then", then, ["none", "relu", "relu-maxpool"]);
  }

  /**
   * Normalises a batch, adds the residual, and does what follows; in training also updates the running
   * statistics.
   *
   * @param x The batch.
   * @param options `residual`, and `mask` as in a BatchNorm.
   * @throws {RangeError} if a shape does not fit, or one value is in a channel while the batch's statistics
   * are used.
   */
  override forward(x: Tensor, options: BatchNormActForwardOptions = {}): Tensor {
    return this.normalize(x, options, ["mask", "residual"], this.then);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return `${super.extraRepr()}, then=${this.then}`;
  }
}
