/**
 * The two kinds of tensors that a module owns.
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertOptions, assertTensor, storageOf } from "../../autograd/internal.ts";

function checked(action: string, data: Tensor): Tensor {
  assertTensor(action, data, "data");
  return data;
}

/** A leaf that is trained; a public field that holds one is a parameter of its module. */
export class Parameter extends Tensor {
  /** The same values as `data`, as a leaf. */
  constructor(data: Tensor, requiresGrad = true) {
    super(storageOf(checked("make a parameter", data)), data.shape);
    this.requiresGrad_(requiresGrad);
  }
}

/** State that is no parameter; a public field that holds one is a buffer of its module. */
export class Buffer extends Tensor {
  /** Whether the buffer is part of the state dict. */
  readonly persistent: boolean;

  /** The same values as `data`, off the tape. */
  constructor(data: Tensor, options: { readonly persistent?: boolean } = {}) {
    assertOptions("make a buffer", options, ["persistent"]);
    super(storageOf(checked("make a buffer", data)), data.shape);
    this.persistent = options.persistent ?? true;
  }
}
