/**
 * Activations that work along one axis.
 */
import { kindOf } from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { checkCount, layerOptions } from "../module/arguments.ts";
import { glu, logSoftmax, softmax, softmin } from "../functional.ts";
import { Module } from "../module/module.ts";

/** Options of the layers that work along one axis. */
export interface AxisOptions {
  /** The axis. */
  readonly dim?: number;
}

/** The first half of an axis times the sigmoid of the second. */
export class GLU extends Module {
  /** @internal */ static override readonly kind: string = "GLU";

  /** The axis that is halved. */
  readonly dim: number;

  /**
   * Makes the layer.
   *
   * @param options dim = −1, which may stand alone.
   * @throws {TypeError} if it is of the wrong kind.
   */
  constructor(options: number | AxisOptions = {}) {
    super();
    const { dim = -1 } = layerOptions<AxisOptions>("GLU", options, ["dim"], "dim");
    this.dim = checkCount("GLU", "dim", dim, -Infinity);
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return glu(x, { dim: this.dim });
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** @internal What the layers of the softmax family have in common. */
abstract class AlongAxis extends Module {
  /** The axis along which the exponentials sum to 1; `null` if left open. */
  readonly dim: number | null;

  /**
   * @param options dim, which may stand alone. Where left out it is 0 for inputs of 0, 1 or 3 dims
   * and 1 for others, as in PyTorch, which advises against it.
   * @throws {TypeError} if it is of the wrong kind.
   */
  constructor(options: number | AxisOptions = {}) {
    super();
    const layer = kindOf(this);
    const { dim = null } = layerOptions<AxisOptions>(layer, options, ["dim"], "dim");
    this.dim = dim === null ? null : checkCount(layer, "dim", dim, -Infinity);
  }

  protected axisFor(x: Tensor): number {
    return this.dim ?? ([0, 1, 3].includes(x.ndim) ? 0 : 1);
  }

  override extraRepr(): string {
    return `dim=${this.dim ?? "None"}`;
  }
}

/**
 * eˣ / Σ eˣ along an axis.
 *
 * `new Softmax(dim)`: the axis. Where it is left out it is 0 for inputs of 0, 1 or 3 dims and 1 for others, as in
 * PyTorch, which advises against it.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new nn.Softmax(-1).forward(tensor([1, 1])).toArray(), [0.5, 0.5]);
 * ```
 */
export class Softmax extends AlongAxis {
  /** @internal */ static override readonly kind: string = "Softmax";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return softmax(x, this.axisFor(x));
  }
}

/** x − ln Σ eˣ along an axis. Arguments as for {@linkcode Softmax}. */
export class LogSoftmax extends AlongAxis {
  /** @internal */ static override readonly kind: string = "LogSoftmax";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.axisFor(x));
  }
}

/** e⁻ˣ / Σ e⁻ˣ along an axis. Arguments as for {@linkcode Softmax}. */
export class Softmin extends AlongAxis {
  /** @internal */ static override readonly kind: string = "Softmin";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return softmin(x, this.axisFor(x));
  }
}
