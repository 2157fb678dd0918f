/**
 * Layers that pad the border of an input.
 */
import type { PadMode, Tensor } from "../../autograd/mod.ts";
import { kindOf, refuse, show } from "../../autograd/internal.ts";
import { checkNumber, checkPerAxis, SpatialLayer } from "../module/arguments.ts";
import { pad } from "../functional.ts";
import { pythonArguments, pythonFloat, pythonTuple } from "../module/repr.ts";

/** @internal What all padding layers have in common; as it is, the border holds zeros. */
abstract class Padding extends SpatialLayer {
  /** @internal What the border is filled with. */
  static readonly mode: PadMode = "constant";

  /** Before and after each axis, the last axis first; negative sizes take away. */
  readonly padding: readonly number[];

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or two for each axis, the last axis first.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[]) {
    super();
    const sides = 2 * this.axes;
    if (Array.isArray(padding) && padding.length !== sides) {
      refuse(
        `make ${kindOf(this)}`,
        `padding [${padding.map(show).join(", ")}]`,
        `a number or ${sides}`,
      );
    }
    this.padding = checkPerAxis(kindOf(this), "padding", padding, sides, -Infinity);
  }

  /** Pads a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return pad(x, this.padding, { mode: (this.constructor as typeof Padding).mode });
  }

  override extraRepr(): string {
    return pythonTuple(this.padding);
  }
}

/** @internal Pads with one value. */
abstract class ConstantPad extends Padding {
  /** What the border holds. */
  readonly value: number;

  /**
   * Makes the layer.
   *
   * @param padding One size for all sides, or two for each axis, the last axis first.
   * @param value What the border holds.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it does not fit.
   */
  constructor(padding: number | readonly number[], value: number) {
    super(padding);
    this.value = checkNumber(kindOf(this), "value", value);
  }

  /** Pads a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return pad(x, this.padding, { value: this.value });
  }

  override extraRepr(): string {
    return pythonArguments({ padding: this.padding, value: pythonFloat(this.value) });
  }
}

/** @internal Pads with the mirror image, the edge itself not repeated. */
abstract class ReflectionPad extends Padding {
  static override readonly mode = "reflect";
}

/** @internal Pads with the edge. */
abstract class ReplicationPad extends Padding {
  static override readonly mode = "replicate";
}

/** @internal Pads with the other end. */
abstract class CircularPad extends Padding {
  static override readonly mode = "circular";
}

/**
 * Pads one axis with one value:
 * `padding` is one size for all sides, or [left, right], `value` what the border holds.
 */
export class ConstantPad1d extends ConstantPad {
  /** @internal */ static override readonly kind: string = "ConstantPad1d";
  /** @internal */ static override readonly axes = 1;
}

/**
 * Pads two axes with one value:
 * `padding` is one size for all sides, or [left, right, top, bottom], `value` what the border holds.
 */
export class ConstantPad2d extends ConstantPad {
  /** @internal */ static override readonly kind: string = "ConstantPad2d";
  /** @internal */ static override readonly axes = 2;
}

/**
 * Pads three axes with one value:
 * `padding` is one size for all sides, or [left, right, top, bottom, front, back], `value` what the border holds.
 */
export class ConstantPad3d extends ConstantPad {
  /** @internal */ static override readonly kind: string = "ConstantPad3d";
  /** @internal */ static override readonly axes = 3;
}

/** Pads one axis with zeros: `padding` is one size for all sides, or [left, right]. */
export class ZeroPad1d extends Padding {
  /** @internal */ static override readonly kind: string = "ZeroPad1d";
  /** @internal */ static override readonly axes = 1;
}

/**
 * Pads two axes with zeros: `padding` is one size for all sides, or [left, right, top, bottom].
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new nn.ZeroPad2d([1, 2, 0, 0]).forward(zeros([1, 3, 4, 4])).shape, [1, 3, 4, 7]);
 * ```
 */
export class ZeroPad2d extends Padding {
  /** @internal */ static override readonly kind: string = "ZeroPad2d";
  /** @internal */ static override readonly axes = 2;
}

/**
 * Pads three axes with zeros:
 * `padding` is one size for all sides, or [left, right, top, bottom, front, back].
 */
export class ZeroPad3d extends Padding {
  /** @internal */ static override readonly kind: string = "ZeroPad3d";
  /** @internal */ static override readonly axes = 3;
}

/**
 * Pads one axis with the mirror image, the edge itself not repeated:
 * `padding` is one size for all sides, or [left, right].
 */
export class ReflectionPad1d extends ReflectionPad {
  /** @internal */ static override readonly kind: string = "ReflectionPad1d";
  /** @internal */ static override readonly axes = 1;
}

/**
 * Pads two axes with the mirror image, the edge itself not repeated:
 * `padding` is one size for all sides, or [left, right, top, bottom].
 */
export class ReflectionPad2d extends ReflectionPad {
  /** @internal */ static override readonly kind: string = "ReflectionPad2d";
  /** @internal */ static override readonly axes = 2;
}

/**
 * Pads three axes with the mirror image, the edge itself not repeated:
 * `padding` is one size for all sides, or [left, right, top, bottom, front, back].
 */
export class ReflectionPad3d extends ReflectionPad {
  /** @internal */ static override readonly kind: string = "ReflectionPad3d";
  /** @internal */ static override readonly axes = 3;
}

/** Pads one axis with the edge: `padding` is one size for all sides, or [left, right]. */
export class ReplicationPad1d extends ReplicationPad {
  /** @internal */ static override readonly kind: string = "ReplicationPad1d";
  /** @internal */ static override readonly axes = 1;
}

/** Pads two axes with the edge: `padding` is one size for all sides, or [left, right, top, bottom]. */
export class ReplicationPad2d extends ReplicationPad {
  /** @internal */ static override readonly kind: string = "ReplicationPad2d";
  /** @internal */ static override readonly axes = 2;
}

/**
 * Pads three axes with the edge:
 * `padding` is one size for all sides, or [left, right, top, bottom, front, back].
 */
export class ReplicationPad3d extends ReplicationPad {
  /** @internal */ static override readonly kind: string = "ReplicationPad3d";
  /** @internal */ static override readonly axes = 3;
}

/** Pads one axis with the other end: `padding` is one size for all sides, or [left, right]. */
export class CircularPad1d extends CircularPad {
  /** @internal */ static override readonly kind: string = "CircularPad1d";
  /** @internal */ static override readonly axes = 1;
}

/** Pads two axes with the other end: `padding` is one size for all sides, or [left, right, top, bottom]. */
export class CircularPad2d extends CircularPad {
  /** @internal */ static override readonly kind: string = "CircularPad2d";
  /** @internal */ static override readonly axes = 2;
}

/**
 * Pads three axes with the other end:
 * `padding` is one size for all sides, or [left, right, top, bottom, front, back].
 */
export class CircularPad3d extends CircularPad {
  /** @internal */ static override readonly kind: string = "CircularPad3d";
  /** @internal */ static override readonly axes = 3;
}
