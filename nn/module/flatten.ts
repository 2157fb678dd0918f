/**
 * Layers that only change the shape, and the one that changes nothing.
 */
import { assertTensor, refuse, show } from "../../autograd/internal.ts";
import {
  flatten,
  type FlattenOptions,
  reshape,
  type Shape,
  type Tensor,
} from "../../autograd/mod.ts";
import { checkCount, layerOptions } from "./arguments.ts";
import { Module } from "./module.ts";
import { pythonArguments } from "./repr.ts";

/**
 * Merges axes; by default all but the first.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new nn.Flatten().forward(zeros([2, 3, 4])).shape, [2, 12]);
 * ```
 */
export class Flatten extends Module {
  /** @internal */ static override readonly kind: string = "Flatten";
  /** @internal */ static override readonly keepsNothing = true;

  /** The first axis that is merged. */
  readonly startDim: number;
  /** The last axis that is merged. */
  readonly endDim: number;

  /**
   * Makes the layer.
   *
   * @param options startDim = 1, which may stand alone, endDim = −1.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if it is not an integer.
   */
  constructor(options: number | FlattenOptions = {}) {
    super();
    const { startDim = 1, endDim = -1 } = layerOptions<FlattenOptions>(
      "Flatten",
      options,
      ["startDim", "endDim"],
      "startDim",
    );
    this.startDim = checkCount("Flatten", "startDim", startDim, -Infinity);
    this.endDim = checkCount("Flatten", "endDim", endDim, -Infinity);
  }

  /** Merges the axes. */
  override forward(x: Tensor): Tensor {
    return flatten(x, { startDim: this.startDim, endDim: this.endDim });
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return pythonArguments({ start_dim: this.startDim, end_dim: this.endDim });
  }
}

/** Splits one axis into several. */
export class Unflatten extends Module {
  /** @internal */ static override readonly kind: string = "Unflatten";

  /** The axis that is split. */
  readonly dim: number;
  /** The sizes that it is split into. */
  readonly unflattenedSize: Shape;

  /**
   * Makes the layer.
   *
   * @param dim The axis.
   * @param unflattenedSize The sizes that take its place; one may be −1.
   * @throws {TypeError} if an argument is of the wrong kind.
   */
  constructor(dim: number, unflattenedSize: Shape) {
    super();
    this.dim = dim;
    this.unflattenedSize = unflattenedSize;
    checkCount("Unflatten", "dim", dim, -Infinity);
    if (!Array.isArray(unflattenedSize)) {
      throw new TypeError(
        `Cannot make Unflatten: got unflattenedSize ${show(unflattenedSize)}, expected a list`,
      );
    }
    for (const size of unflattenedSize) checkCount("Unflatten", "unflattenedSize", size, -1);
  }

  /** Splits the axis. */
  override forward(x: Tensor): Tensor {
    assertTensor("run Unflatten", x, "x");
    const at = this.dim < 0 ? this.dim + x.ndim : this.dim;
    const known = this.unflattenedSize.reduce((a, b) => b === -1 ? a : a * b, 1);
    const sizes = this.unflattenedSize.map((n) => n === -1 ? x.shape[at] / known : n);
    if (at < 0 || at >= x.ndim || sizes.reduce((a, b) => a * b, 1) !== x.shape[at]) {
      refuse(
        "run Unflatten",
        `x of shape [${x.shape.join(", ")}], dim ${this.dim} and unflattenedSize [${
          this.unflattenedSize.join(", ")
        }]`,
        "sizes whose product is that of the axis",
      );
    }
    return reshape(x, [...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)]);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return pythonArguments({ dim: this.dim, unflattened_size: this.unflattenedSize });
  }
}

/** Returns its input; any arguments are taken and forgotten. */
export class Identity extends Module {
  /** @internal */ static override readonly kind: string = "Identity";
  /** @internal */ static override readonly keepsNothing = true;

  /** Takes whatever the layer that it stands for would take. */
  constructor(..._ignored: readonly unknown[]) {
    super();
  }

  /** Returns x. */
  override forward(x: Tensor): Tensor {
    return x;
  }
}
