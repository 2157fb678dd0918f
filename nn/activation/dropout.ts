/**
 * Dropout layers: active in training, transparent in evaluation.
 */
import { kindOf, refuse } from "../../autograd/internal.ts";
import type { Generator, Tensor } from "../../autograd/mod.ts";
import { checkNumber, layerOptions } from "../module/arguments.ts";
import { alphaDropout, dropout, dropout1d, dropout2d, dropout3d } from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonFloat } from "../module/repr.ts";

/** Options of the dropout layers. */
export interface DropoutLayerOptions {
  /** The probability that an element is left out. */
  readonly p?: number;
  /** Where the choices are drawn from; the default generator where left out. */
  readonly generator?: Generator | null;
}

/** @internal What all dropout layers have in common. */
abstract class DropoutBase extends Module {
  /** The probability that an element is left out. */
  p: number;
  /** Where the choices are drawn from; `null` for the default generator. */
  generator: Generator | null;

  /**
   * @param options p = 0.5, which may stand alone, generator.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if p is not in 0 … 1.
   */
  constructor(options: number | DropoutLayerOptions = {}) {
    super();
    const layer = kindOf(this);
    const { p = 0.5, generator = null } = layerOptions<DropoutLayerOptions>(
      layer,
      options,
      ["p", "generator"],
      "p",
    );
    checkNumber(layer, "p", p);
    if (p < 0 || p > 1) {
      refuse(`make ${layer}`, `p ${p}`, "a probability in 0 … 1");
    }
    this.p = p;
    this.generator = generator;
  }

  protected run(fn: typeof dropout, x: Tensor): Tensor {
    return fn(x, { p: this.p, training: this.training, generator: this.generator });
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }
}

/**
 * Leaves out elements; see {@linkcode dropout}.
 *
 * `new Dropout(p)` or `new Dropout({ p, generator })`: the probability, 0.5 where left out, and where the choices are
 * drawn from.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new nn.Dropout(0.5);
 * assertEquals(layer.eval().forward(ones([3])).toArray(), [1, 1, 1]);
 * ```
 */
export class Dropout extends DropoutBase {
  /** @internal */ static override readonly kind: string = "Dropout";
  /** @internal */ static override readonly keepsNothing = true;

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return this.run(dropout, x);
  }
}

/** Leaves out whole channels of [N, C, L]; see {@linkcode dropout1d}. Arguments as for {@linkcode Dropout}. */
export class Dropout1d extends DropoutBase {
  /** @internal */ static override readonly kind: string = "Dropout1d";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return this.run(dropout1d, x);
  }
}

/** Leaves out whole channels of [N, C, H, W]; see {@linkcode dropout2d}. Arguments as for {@linkcode Dropout}. */
export class Dropout2d extends DropoutBase {
  /** @internal */ static override readonly kind: string = "Dropout2d";
  /** @internal */ static override readonly keepsNothing = true;

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return this.run(dropout2d, x);
  }
}

/** Leaves out whole channels of [N, C, D, H, W]; see {@linkcode dropout3d}. Arguments as for {@linkcode Dropout}. */
export class Dropout3d extends DropoutBase {
  /** @internal */ static override readonly kind: string = "Dropout3d";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return this.run(dropout3d, x);
  }
}

/** Dropout for networks of SELUs; see {@linkcode alphaDropout}. Arguments as for {@linkcode Dropout}. */
export class AlphaDropout extends DropoutBase {
  /** @internal */ static override readonly kind: string = "AlphaDropout";

  /** Applies it. */
  override forward(x: Tensor): Tensor {
    return this.run(alphaDropout, x);
  }
}
