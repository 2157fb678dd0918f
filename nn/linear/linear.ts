/**
 * Layers that are affine in their input.
 */
import { type Generator, type Tensor, zeros } from "../../autograd/mod.ts";
import type { Known } from "../../autograd/internal.ts";
import { checkCount, checkFlag, layerOptions } from "../module/arguments.ts";
import { bilinear, linear } from "../functional.ts";
import { initAffine_ } from "../init/defaults.ts";
import { uniform_ } from "../init/fill.ts";
import { Module } from "../module/module.ts";
import { pythonArguments } from "../module/repr.ts";

/** Options of {@linkcode Linear} and {@linkcode Bilinear}. */
export interface LinearOptions {
  /** Whether a bias is learned. */
  readonly bias?: boolean;
  /** Where the first weights are drawn from; the default generator where left out. */
  readonly generator?: Generator | null;
}

const KNOWN: Known<LinearOptions> = ["bias", "generator"];

/**
 * x · weightᵀ + bias.
 *
 * Shapes: [*, inFeatures] → [*, outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures].
 * Both begin evenly in ±1/√inFeatures.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new nn.Linear(4, 3);
 * assertEquals(layer.forward(zeros([2, 4])).shape, [2, 3]);
 * assertEquals(String(layer), "Linear(in_features=4, out_features=3, bias=True)");
 * ```
 */
export class Linear extends Module {
  /** @internal */ static override readonly kind: string = "Linear";
  /** @internal */ static override readonly keepsNothing = true;

  /** One row for each output, [outFeatures, inFeatures]. */
  weight: Tensor;
  /** [outFeatures]; `null` without bias. */
  bias: Tensor | null;

  /** The length of the input vectors. */
  readonly inFeatures: number;
  /** The length of the output vectors. */
  readonly outFeatures: number;

  /**
   * Makes the layer.
   *
   * @param inFeatures The length of an input row.
   * @param outFeatures The length of an output row.
   * @param options bias = true, generator.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is not an integer of at least 0.
   */
  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const { bias = true, generator = null } = layerOptions("Linear", options, KNOWN);
    checkCount("Linear", "inFeatures", inFeatures, 0);
    checkCount("Linear", "outFeatures", outFeatures, 0);
    checkFlag("Linear", "bias", bias);
    this.weight = this.registerParameter("weight", zeros([outFeatures, inFeatures]));
    this.bias = this.registerParameter("bias", bias ? zeros([outFeatures]) : null);
    this.resetParameters(generator);
  }

  /** Draws weight and bias again. */
  resetParameters(generator: Generator | null = null): void {
    initAffine_(this.weight, this.bias, generator);
  }

  /** Maps each row. */
  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return pythonArguments({
      in_features: this.inFeatures,
      out_features: this.outFeatures,
      bias: this.bias !== null,
    });
  }
}

/**
 * x1ᵀ · weight · x2 + bias for each output.
 *
 * Shapes: [*, in1Features] and [*, in2Features] → [*, outFeatures];
 * weight [outFeatures, in1Features, in2Features], bias [outFeatures]. Both begin evenly in
 * ±1/√in1Features.
 */
export class Bilinear extends Module {
  /** @internal */ static override readonly kind: string = "Bilinear";

  /** [outFeatures, in1Features, in2Features]. */
  weight: Tensor;
  /** [outFeatures]; `null` without bias. */
  bias: Tensor | null;

  /** The length of the first input vectors. */
  readonly in1Features: number;
  /** The length of the second input vectors. */
  readonly in2Features: number;
  /** The length of the output vectors. */
  readonly outFeatures: number;

  /**
   * Makes the layer.
   *
   * @param in1Features The length of a row of the first input.
   * @param in2Features The length of a row of the second input.
   * @param outFeatures The length of an output row.
   * @param options bias = true, generator.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is not an integer, or `in1Features` is not at least 1.
   */
  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    const { bias = true, generator = null } = layerOptions("Bilinear", options, KNOWN);
    checkCount("Bilinear", "in1Features", in1Features, 1);
    checkCount("Bilinear", "in2Features", in2Features, 0);
    checkCount("Bilinear", "outFeatures", outFeatures, 0);
    checkFlag("Bilinear", "bias", bias);
    this.weight = this.registerParameter("weight", zeros([outFeatures, in1Features, in2Features]));
    this.bias = this.registerParameter("bias", bias ? zeros([outFeatures]) : null);
    this.resetParameters(generator);
  }

  /** Draws weight and bias again. */
  resetParameters(generator: Generator | null = null): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, { a: -bound, b: bound, generator });
    if (this.bias !== null) uniform_(this.bias, { a: -bound, b: bound, generator });
  }

  /** Maps each pair of rows. */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight, this.bias);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return pythonArguments({
      in1_features: this.in1Features,
      in2_features: this.in2Features,
      out_features: this.outFeatures,
      bias: this.bias !== null,
    });
  }
}
