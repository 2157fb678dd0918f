/**
 * Activations that are rarely met.
 */
import type { ShrinkOptions, Tensor } from "../../autograd/mod.ts";
import { checkNumber } from "../module/arguments.ts";
import { DeclaredLayer } from "../module/declared.ts";
import {
  celu,
  hardshrink,
  hardsigmoid,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonFloat } from "../module/repr.ts";

/** min(max(x + 3, 0), 6) / 6, element by element. */
export class Hardsigmoid extends Module {
  /** @internal */ static override readonly kind: string = "Hardsigmoid";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/** x / (1 + |x|), element by element. */
export class Softsign extends Module {
  /** @internal */ static override readonly kind: string = "Softsign";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/** x − tanh x, element by element. */
export class Tanhshrink extends Module {
  /** @internal */ static override readonly kind: string = "Tanhshrink";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return tanhshrink(x);
  }
}

/** max(x, 0) + min(alpha · (e^(x/alpha) − 1), 0). */
export class CELU extends DeclaredLayer<{ readonly alpha?: number }> {
  /** @internal */ static override readonly kind: string = "CELU";

  /** The limit below 0 is −alpha. */
  declare readonly alpha: number;

  /**
   * Makes the layer.
   *
   * @param options alpha = 1, which may stand alone.
   * @throws {TypeError} if it is of the wrong kind.
   */
  constructor(options: number | { readonly alpha?: number } = {}) {
    super(options, { alpha: 1 });
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return celu(x, { alpha: this.alpha });
  }
}

/** @internal What Hardshrink and Softshrink have in common. */
abstract class Shrink extends DeclaredLayer<ShrinkOptions> {
  /** Everything in −lambd … lambd becomes 0. */
  declare readonly lambd: number;

  /**
   * @param options lambd = 0.5, which may stand alone.
   * @throws {TypeError} if it is of the wrong kind.
   */
  constructor(options: number | ShrinkOptions = {}) {
    super(options, { lambd: 0.5 });
  }

  override extraRepr(): string {
    return pythonFloat(this.lambd);
  }
}

/** x where |x| > lambd, else 0. `new Hardshrink(lambd)`: 0.5 where left out. */
export class Hardshrink extends Shrink {
  /** @internal */ static override readonly kind: string = "Hardshrink";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return hardshrink(x, { lambd: this.lambd });
  }
}

/** x moved by lambd towards 0, and 0 where it is no further away. `new Softshrink(lambd)`: 0.5 where left out. */
export class Softshrink extends Shrink {
  /** @internal */ static override readonly kind: string = "Softshrink";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return softshrink(x, { lambd: this.lambd });
  }
}

/** x where it is above the threshold, else the value. */
export class Threshold extends Module {
  /** @internal */ static override readonly kind: string = "Threshold";

  /** The bound. */
  readonly threshold: number;
  /** What replaces elements that are not above the bound. */
  readonly value: number;

  /**
   * Makes the layer.
   *
   * @param threshold What x must exceed.
   * @param value What takes its place.
   * @throws {TypeError} if one is of the wrong kind.
   */
  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
    checkNumber("Threshold", "threshold", threshold);
    checkNumber("Threshold", "value", value);
  }

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return threshold(x, this.threshold, this.value);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return `threshold=${pythonFloat(this.threshold)}, value=${pythonFloat(this.value)}`;
  }
}
