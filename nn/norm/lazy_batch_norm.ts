/**
 * BatchNorm layers that learn their number of channels from their first input.
 */
import { assertTensor, replaceValues, storageOf } from "../../autograd/internal.ts";
import { ones, type Tensor, zeros } from "../../autograd/mod.ts";
import {
  type BatchNorm,
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormForwardOptions,
  type BatchNormLayerOptions,
} from "./batch_norm.ts";

/**
 * Gives a layer its channels and turns it into an ordinary one. Tensors keep their identity, so that an
 * optimizer that holds them still moves them.
 *
 * @returns A function that undoes it.
 */
function settle(layer: BatchNorm, channels: number, prototype: BatchNorm): () => void {
  const { numFeatures } = layer;
  const lazy = Object.getPrototypeOf(layer);
  const undo = [
    resize(layer.weight, ones([channels])),
    resize(layer.bias, zeros([channels])),
    resize(layer.runningMean, zeros([channels])),
    resize(layer.runningVar, ones([channels])),
  ];
  layer.numFeatures = channels;
  Object.setPrototypeOf(layer, prototype);
  return () => {
    for (const resizeBack of undo) resizeBack();
    layer.numFeatures = numFeatures;
    Object.setPrototypeOf(layer, lazy);
  };
}

function resize(target: Tensor | null, like: Tensor): () => void {
  if (target === null) return () => {};
  assertTensor("settle a lazy layer", target, "a parameter or buffer");
  const [storage, shape] = [storageOf(target), target.shape];
  replaceValues(target, storageOf(like), like.shape);
  return () => replaceValues(target, storage, shape);
}

/** Settles a layer with the channels of x and runs it; a forward that throws leaves it lazy. */
function settleAndRun(
  layer: BatchNorm,
  prototype: BatchNorm,
  x: Tensor,
  options: BatchNormForwardOptions | undefined,
): Tensor {
  const undo = settle(layer, x.shape[1], prototype);
  try {
    return prototype.forward.call(layer, x, options);
  } catch (error) {
    undo();
    throw error;
  }
}

/** Settles a layer with the channels of a state, if its own entries tell them. */
function settleFrom(
  layer: BatchNorm,
  prototype: BatchNorm,
  own: ReadonlyMap<string, Tensor>,
): (() => void) | null {
  const known = own.get("weight") ?? own.get("running_mean");
  return known === undefined || known.ndim !== 1 ? null : settle(layer, known.shape[0], prototype);
}

/**
 * BatchNorm1d whose `numFeatures` is axis 1 of its first input, or comes from a loaded state. From then
 * on it is a BatchNorm1d.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.LazyBatchNorm1d();
 * bn.forward(ones([8, 3]));
 * assertEquals([bn.numFeatures, bn.constructor.name], [3, "BatchNorm1d"]);
 * ```
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  /** @internal */ static override readonly kind: string = "LazyBatchNorm1d";

  /** No channels yet. */
  constructor(options: BatchNormLayerOptions = {}) {
    super(0, options);
  }

  /** Takes the number of channels from the first input, then normalises as BatchNorm does. */
  override forward(x: Tensor, options?: BatchNormForwardOptions): Tensor {
    this.checkRank(x, this.ranks);
    return settleAndRun(this, BatchNorm1d.prototype, x, options);
  }

  /** @internal */
  protected override beforeLoad(own: ReadonlyMap<string, Tensor>): (() => void) | null {
    return settleFrom(this, BatchNorm1d.prototype, own);
  }
}

/** BatchNorm2d whose `numFeatures` is axis 1 of its first input, or comes from a loaded state. */
export class LazyBatchNorm2d extends BatchNorm2d {
  /** @internal */ static override readonly kind: string = "LazyBatchNorm2d";

  /** No channels yet. */
  constructor(options: BatchNormLayerOptions = {}) {
    super(0, options);
  }

  /** Takes the number of channels from the first input, then normalises as BatchNorm does. */
  override forward(x: Tensor, options?: BatchNormForwardOptions): Tensor {
    this.checkRank(x, this.ranks);
    return settleAndRun(this, BatchNorm2d.prototype, x, options);
  }

  /** @internal */
  protected override beforeLoad(own: ReadonlyMap<string, Tensor>): (() => void) | null {
    return settleFrom(this, BatchNorm2d.prototype, own);
  }
}

/** BatchNorm3d whose `numFeatures` is axis 1 of its first input, or comes from a loaded state. */
export class LazyBatchNorm3d extends BatchNorm3d {
  /** @internal */ static override readonly kind: string = "LazyBatchNorm3d";

  /** No channels yet. */
  constructor(options: BatchNormLayerOptions = {}) {
    super(0, options);
  }

  /** Takes the number of channels from the first input, then normalises as BatchNorm does. */
  override forward(x: Tensor, options?: BatchNormForwardOptions): Tensor {
    this.checkRank(x, this.ranks);
    return settleAndRun(this, BatchNorm3d.prototype, x, options);
  }

  /** @internal */
  protected override beforeLoad(own: ReadonlyMap<string, Tensor>): (() => void) | null {
    return settleFrom(this, BatchNorm3d.prototype, own);
  }
}
