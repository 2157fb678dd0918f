/**
 * Initialisers that keep the variance of activations or gradients from layer to layer.
 *
 * A weight [out, in, …kernel] has fan_in = in · kernel size and fan_out = out · kernel size.
 */
import type { Tensor } from "../../autograd/mod.ts";
import {
  assertOptions,
  assertTensor,
  formatShape,
  refuse,
  show,
  sizeOf,
} from "../../autograd/internal.ts";
import { drawInto, expectFinite, type InitOptions } from "./fill.ts";

/** Which fan an initialiser divides by. */
export type FanMode = "fan_in" | "fan_out";

/** The functions whose gain {@linkcode calculateGain} knows, by PyTorch's names. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "conv_transpose1d"
  | "conv_transpose2d"
  | "conv_transpose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "selu";

/** Options of {@linkcode kaimingUniform_} and {@linkcode kaimingNormal_}. */
export interface KaimingOptions extends InitOptions {
  /** The negative slope of a leaky ReLU after the layer; 0 if left out. */
  readonly a?: number;
  /** `"fan_in"`, the default, keeps the variance forward, `"fan_out"` backward. */
  readonly mode?: FanMode;
  /** What follows the layer; `"leaky_relu"` if left out. */
  readonly nonlinearity?: Nonlinearity;
}

/** Options of {@linkcode xavierUniform_} and {@linkcode xavierNormal_}. */
export interface XavierOptions extends InitOptions {
  /** A factor on the standard deviation; 1 if left out. */
  readonly gain?: number;
}

/**
 * How much a nonlinearity asks the weights before it to be scaled: √2 for ReLU, √(2 / (1 + a²)) for a
 * leaky ReLU of slope a, 5/3 for tanh, 3/4 for SELU, else 1.
 *
 * @param nonlinearity The function, by PyTorch's name.
 * @param param The slope of a leaky ReLU; 0.01 if left out.
 * @throws {RangeError} if the nonlinearity is unknown or the slope not finite.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.init.calculateGain("relu"), Math.SQRT2);
 * ```
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "conv1d":
    case "conv2d":
    case "conv3d":
    case "conv_transpose1d":
    case "conv_transpose2d":
    case "conv_transpose3d":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.sqrt(2);
    case "leaky_relu":
      expectFinite("calculate the gain", "param", param);
      return Math.sqrt(2 / (1 + param * param));
    case "selu":
      return 3 / 4;
    default:
      refuse(
        "calculate the gain",
        `nonlinearity ${show(nonlinearity)}`,
        "linear, conv1d … conv_transpose3d, sigmoid, tanh, relu, leaky_relu or selu",
      );
  }
}

/**
 * Fills `x` evenly from ±gain · √(3 / fan).
 *
 * @returns `x`; as it was if it is empty.
 * @throws {RangeError} if `x` has fewer than 2 dims, or if `mode` or `nonlinearity` is unknown.
 * @see K. He et al., "Delving deep into rectifiers" (2015), section 2.2.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const weight = nn.init.kaimingUniform_(zeros([4, 6]), { nonlinearity: "relu" });
 * assert(weight.data.every((v) => Math.abs(v) <= 1)); // √2 · √(3 / 6)
 * ```
 */
export function kaimingUniform_<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return drawEvenly("call kaimingUniform_", x, options, kaimingStd);
}

/**
 * Fills `x` from the normal distribution with mean 0 and standard deviation gain / √fan.
 *
 * @returns `x`; as it was if it is empty.
 * @throws {RangeError} if `x` has fewer than 2 dims, or if `mode` or `nonlinearity` is unknown.
 * @see K. He et al., "Delving deep into rectifiers" (2015), section 2.2.
 */
export function kaimingNormal_<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return drawNormally("call kaimingNormal_", x, options, kaimingStd);
}

/**
 * Fills `x` evenly from ±gain · √(6 / (fan_in + fan_out)).
 *
 * @returns `x`.
 * @throws {RangeError} if `x` has fewer than 2 dims or `gain` is not finite.
 * @see X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
 * networks" (2010), section 4.2.1.
 */
export function xavierUniform_<T extends Tensor>(x: T, options: XavierOptions = {}): T {
  return drawEvenly("call xavierUniform_", x, options, xavierStd);
}

/**
 * Fills `x` from the normal distribution with mean 0 and standard deviation
 * gain · √(2 / (fan_in + fan_out)).
 *
 * @returns `x`.
 * @throws {RangeError} if `x` has fewer than 2 dims, or `gain` is not finite or negative.
 * @see X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
 * networks" (2010), section 4.2.1.
 */
export function xavierNormal_<T extends Tensor>(x: T, options: XavierOptions = {}): T {
  return drawNormally("call xavierNormal_", x, options, xavierStd);
}

/** The standard deviation that a rule gives a weight. */
type Rule<Options> = (action: string, x: Tensor, options: Options) => number;

function drawEvenly<T extends Tensor, Options extends InitOptions>(
  action: string,
  x: T,
  options: Options,
  rule: Rule<Options>,
): T {
  const bound = Math.sqrt(3) * rule(action, x, options);
  return drawInto(action, x, options, (random, values) => {
    random.fillUniform(values, -bound, bound);
  });
}

function drawNormally<T extends Tensor, Options extends InitOptions>(
  action: string,
  x: T,
  options: Options,
  rule: Rule<Options>,
): T {
  const std = rule(action, x, options);
  return drawInto(action, x, options, (random, values) => random.fillNormal(values, 0, std));
}

function kaimingStd(action: string, x: Tensor, options: KaimingOptions): number {
  assertOptions(action, options, ["a", "mode", "nonlinearity", "generator"]);
  const { a = 0, mode = "fan_in", nonlinearity = "leaky_relu" } = options;
  assertTensor(action, x, "tensor");
  if (mode !== "fan_in" && mode !== "fan_out") {
    refuse(action, `mode ${show(mode)}`, '"fan_in" or "fan_out"');
  }
  const gain = calculateGain(nonlinearity, a);
  // There is nothing to fill then, and no fan to divide by.
  if (x.size === 0) return 0;
  return gain / Math.sqrt(fans(action, x)[mode]);
}

function xavierStd(action: string, x: Tensor, options: XavierOptions): number {
  assertOptions(action, options, ["gain", "generator"]);
  const { gain = 1 } = options;
  expectFinite(action, "gain", gain);
  const { fan_in, fan_out } = fans(action, x);
  return x.size === 0 ? 0 : gain * Math.sqrt(2 / (fan_in + fan_out));
}

/**
 * The fans of a weight.
 *
 * @throws {RangeError} if it has fewer than 2 dims.
 */
export function fans(action: string, x: Tensor): Record<FanMode, number> {
  assertTensor(action, x, "tensor");
  if (x.ndim < 2) {
    refuse(
      action,
      `a tensor of shape ${formatShape(x.shape)}`,
      "at least 2 dims for its fan_in and fan_out",
    );
  }
  const [outputs, inputs, ...kernel] = x.shape;
  const field = sizeOf(kernel);
  return { fan_in: inputs * field, fan_out: outputs * field };
}
