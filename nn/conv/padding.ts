/**
 * Padding layers.
 */
import type { PadMode, Tensor } from "../../autograd/mod.ts";
import { describe, kindOf, show } from "../../autograd/internal.ts";
import { checkCount, checkNumber } from "../module/arguments.ts";
import { pad } from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonFloat, pythonTuple } from "../module/repr.ts";

/** What all padding layers have in common. */
abstract class Padding extends Module {
  /** Before and after each axis, the last axis first; negative sizes take away. */
  readonly padding: readonly number[];

  /** One size for all sides, or two for each axis, the last axis first. */
  constructor(axes: number, padding: number | readonly number[]) {
    super();
    const layer = kindOf(this);
    const sizes = typeof padding === "number" ? new Array<number>(2 * axes).fill(padding) : padding;
    if (!Array.isArray(sizes)) {
      throw new TypeError(
        `Cannot make ${layer}: got padding ${describe(padding)}, expected a number or ${2 * axes}`,
      );
    }
    if (sizes.length !== 2 * axes) {
      throw new RangeError(
        `Cannot make ${layer}: got padding [${sizes.map(show).join(", ")}], expected a number or ${
          2 * axes
        }`,
      );
    }
    this.padding = sizes.map((size) => checkCount(layer, "padding", size, -Infinity));
  }

  /** How the border is filled. */
  protected abstract fill(): { readonly mode: PadMode; readonly value?: number };

  /** Pads a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return pad(x, this.padding, this.fill());
  }

  override extraRepr(): string {
    return pythonTuple(this.padding);
  }
}

/** @internal Pads with one value. */
abstract class ConstantPad extends Padding {
  /** What the border holds. */
  readonly value: number;

  constructor(axes: number, padding: number | readonly number[], value: number) {
    super(axes, padding);
    this.value = checkNumber(kindOf(this), "value", value);
  }

  protected override fill(): { readonly mode: PadMode; readonly value: number } {
    return { mode: "constant", value: this.value };
  }

  override extraRepr(): string {
    return `padding=${pythonTuple(this.padding)}, value=${pythonFloat(this.value)}`;
  }
}

/** @internal Pads with zeros. */
abstract class ZeroPad extends Padding {
  protected override fill(): { readonly mode: PadMode } {
    return { mode: "constant" };
  }
}

/** @internal Pads with the mirror image, the edge itself not repeated. */
abstract class ReflectionPad extends Padding {
  protected override fill(): { readonly mode: PadMode } {
    return { mode: "reflect" };
  }
}

/** @internal Pads with the edge. */
abstract class ReplicationPad extends Padding {
  protected override fill(): { readonly mode: PadMode } {
    return { mode: "replicate" };
  }
}

/** @internal Pads with the other end. */
abstract class CircularPad extends Padding {
  protected override fill(): { readonly mode: PadMode } {
    return { mode: "circular" };
  }
}

/** Pads one axis with one value. */
export class ConstantPad1d extends ConstantPad {
  /** @internal */ static override readonly kind: string = "ConstantPad1d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right].
   * @param value What the border holds.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[], value: number) {
    super(1, padding, value);
  }
}

/** Pads two axes with one value. */
export class ConstantPad2d extends ConstantPad {
  /** @internal */ static override readonly kind: string = "ConstantPad2d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom].
   * @param value What the border holds.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[], value: number) {
    super(2, padding, value);
  }
}

/** Pads three axes with one value. */
export class ConstantPad3d extends ConstantPad {
  /** @internal */ static override readonly kind: string = "ConstantPad3d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom, front, back].
   * @param value What the border holds.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[], value: number) {
    super(3, padding, value);
  }
}

/** Pads one axis with zeros. */
export class ZeroPad1d extends ZeroPad {
  /** @internal */ static override readonly kind: string = "ZeroPad1d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(1, padding);
  }
}

/**
 * Pads two axes with zeros.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new nn.ZeroPad2d([1, 2, 0, 0]).forward(zeros([1, 3, 4, 4])).shape, [1, 3, 4, 7]);
 * ```
 */
export class ZeroPad2d extends ZeroPad {
  /** @internal */ static override readonly kind: string = "ZeroPad2d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(2, padding);
  }
}

/** Pads three axes with zeros. */
export class ZeroPad3d extends ZeroPad {
  /** @internal */ static override readonly kind: string = "ZeroPad3d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom, front, back].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(3, padding);
  }
}

/** Pads one axis with the mirror image, the edge itself not repeated. */
export class ReflectionPad1d extends ReflectionPad {
  /** @internal */ static override readonly kind: string = "ReflectionPad1d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(1, padding);
  }
}

/** Pads two axes with the mirror image, the edge itself not repeated. */
export class ReflectionPad2d extends ReflectionPad {
  /** @internal */ static override readonly kind: string = "ReflectionPad2d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(2, padding);
  }
}

/** Pads three axes with the mirror image, the edge itself not repeated. */
export class ReflectionPad3d extends ReflectionPad {
  /** @internal */ static override readonly kind: string = "ReflectionPad3d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom, front, back].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(3, padding);
  }
}

/** Pads one axis with the edge. */
export class ReplicationPad1d extends ReplicationPad {
  /** @internal */ static override readonly kind: string = "ReplicationPad1d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(1, padding);
  }
}

/** Pads two axes with the edge. */
export class ReplicationPad2d extends ReplicationPad {
  /** @internal */ static override readonly kind: string = "ReplicationPad2d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(2, padding);
  }
}

/** Pads three axes with the edge. */
export class ReplicationPad3d extends ReplicationPad {
  /** @internal */ static override readonly kind: string = "ReplicationPad3d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom, front, back].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(3, padding);
  }
}

/** Pads one axis with the other end. */
export class CircularPad1d extends CircularPad {
  /** @internal */ static override readonly kind: string = "CircularPad1d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(1, padding);
  }
}

/** Pads two axes with the other end. */
export class CircularPad2d extends CircularPad {
  /** @internal */ static override readonly kind: string = "CircularPad2d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(2, padding);
  }
}

/** Pads three axes with the other end. */
export class CircularPad3d extends CircularPad {
  /** @internal */ static override readonly kind: string = "CircularPad3d";

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or [left, right, top, bottom, front, back].
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super(3, padding);
  }
}
