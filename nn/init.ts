/**
 * Initialisers: they fill a tensor in place, without the tape, with PyTorch's values from the same
 * seed.
 *
 * Each returns the tensor that it was given, draws from `generator` or else from the default
 * generator, and counts as an edit: a backward that still needs the old values throws.
 *
 * @example
 * ```ts
 * import { Generator, nn, zeros } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const weight = zeros([8, 4], { requiresGrad: true });
 * nn.init.kaimingUniform_(weight, { nonlinearity: "relu", generator: new Generator(0) });
 * // gain √2, fan 4: within ±√2 · √(3 / 4)
 * assert(weight.data.every((v) => Math.abs(v) <= Math.sqrt(2) * Math.sqrt(3 / 4)));
 * ```
 *
 * @module
 */
export {
  constant_,
  normal_,
  type NormalOptions,
  ones_,
  truncNormal_,
  type TruncNormalOptions,
  uniform_,
  type UniformOptions,
  zeros_,
} from "./init/fill.ts";
export {
  calculateGain,
  type FanMode,
  kaimingNormal_,
  type KaimingOptions,
  kaimingUniform_,
  type Nonlinearity,
  xavierNormal_,
  type XavierOptions,
  xavierUniform_,
} from "./init/fan.ts";
export {
  dirac_,
  type DiracOptions,
  eye_,
  orthogonal_,
  type OrthogonalOptions,
  sparse_,
  type SparseOptions,
} from "./init/structured.ts";
export type { InitOptions } from "./init/fill.ts";
