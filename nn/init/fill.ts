/** Initialisers whose elements are alike: constants and plain distributions. */
import {
  assertOptions,
  assertTensor,
  chooseGenerator,
  type Known,
  refuse,
  show,
  write,
} from "../../autograd/internal.ts";
import type { Generator, Tensor } from "../../autograd/mod.ts";

/** Options of {@linkcode uniform_}. */
export interface UniformOptions extends InitOptions {
  /** The lower bound; 0 if left out. */
  readonly a?: number;
  /** The upper bound; 1 if left out. */
  readonly b?: number;
}

/** Options of {@linkcode normal_}. */
export interface NormalOptions extends InitOptions {
  /** The mean; 0 if left out. */
  readonly mean?: number;
  /** The standard deviation; 1 if left out. */
  readonly std?: number;
}

const NORMAL: Known<NormalOptions> = ["mean", "std", "generator"];

/** Options of {@linkcode truncNormal_}. */
export interface TruncNormalOptions extends NormalOptions {
  /** The lower bound; −2 if left out. It is a value, not a multiple of `std`. */
  readonly a?: number;
  /** The upper bound; 2 if left out. */
  readonly b?: number;
}

/**
 * Fills `x` evenly from a ≤ value < b; the bounds stand in the options or behind the tensor.
 *
 * @returns `x`.
 * @throws {TypeError} if `x` is not a tensor or a bound no number.
 * @throws {RangeError} if a bound is not finite or `b` is below `a`.
 *
 * @example
 * ```ts
 * import { Generator, nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = nn.init.uniform_(zeros([2]), { a: -1, b: 1, generator: new Generator(0) });
 * assertEquals(x.toArray(), [0.9401060036131062, 0.4156397287995759]);
 * ```
 */
export function uniform_<T extends Tensor>(x: T, options?: UniformOptions): T;
/** The same with PyTorch's positional bounds. */
export function uniform_<T extends Tensor>(x: T, a: number, b: number, options?: InitOptions): T;
export function uniform_<T extends Tensor>(
  x: T,
  first: number | UniformOptions = {},
  second?: number,
  last?: InitOptions,
): T {
  const given: UniformOptions = typeof first === "object"
    ? first
    : { a: first, b: second, ...last };
  assertOptions("call uniform_", given, ["a", "b", "generator"]);
  const { a = 0, b = 1, generator } = given;
  return drawInto("call uniform_", x, { generator }, (random, values) => {
    random.fillUniform(values, a, b);
  });
}

/**
 * Fills `x` from the normal distribution; the moments stand in the options or behind the tensor.
 *
 * @returns `x`.
 * @throws {TypeError} if `x` is not a tensor or a moment no number.
 * @throws {RangeError} if a moment is not finite or `std` is negative.
 *
 * @example
 * ```ts
 * import { Generator, nn, zeros } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const x = nn.init.normal_(zeros([100]), { mean: 5, std: 0.1, generator: new Generator(0) });
 * assert(x.data.every((v) => Math.abs(v - 5) < 0.5));
 * ```
 */
export function normal_<T extends Tensor>(x: T, options?: NormalOptions): T;
/** The same with PyTorch's positional moments. */
export function normal_<T extends Tensor>(
  x: T,
  mean: number,
  std: number,
  options?: InitOptions,
): T;
export function normal_<T extends Tensor>(
  x: T,
  first: number | NormalOptions = {},
  second?: number,
  last?: InitOptions,
): T {
  const given: NormalOptions = typeof first === "object"
    ? first
    : { mean: first, std: second, ...last };
  assertOptions("call normal_", given, NORMAL);
  const { mean = 0, std = 1, generator } = given;
  return drawInto("call normal_", x, { generator }, (random, values) => {
    random.fillNormal(values, mean, std);
  });
}

/**
 * Fills `x` from the normal distribution, with values outside a … b drawn again.
 *
 * The draws are those of PyTorch 2.13; earlier ones invert the distribution function instead, which
 * gives other values from the same seed.
 *
 * @returns `x`.
 * @throws {TypeError} if `x` is not a tensor or a number no number.
 * @throws {RangeError} if `std` is not positive, or if the bounds are NaN or `b` is below `a`.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const x = nn.init.truncNormal_(zeros([1000]), { std: 0.02, a: -0.04, b: 0.04 });
 * assert(x.data.every((v) => Math.abs(v) <= 0.04));
 * ```
 */
export function truncNormal_<T extends Tensor>(x: T, options: TruncNormalOptions = {}): T {
  assertOptions("call truncNormal_", options, [...NORMAL, "a", "b"]);
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  expectFinite("call truncNormal_", "mean", mean);
  expectFinite("call truncNormal_", "std", std);
  if (std <= 0) {
    refuse("call truncNormal_", `std ${std}`, "a positive number");
  }
  if (!(a <= b)) {
    refuse("call truncNormal_", `a ${a} and b ${b}`, "bounds with a ≤ b");
  }
  return drawInto("call truncNormal_", x, options, (random, values) => {
    // Drawing normals until they fit is fast while enough of them do; in the tails, even draws that
    // are kept in proportion to the density are.
    if (normalMass((a - mean) / std, (b - mean) / std) > 0.3) {
      random.fillNormal(values, mean, std);
      const fresh = new Float64Array(values.length);
      while (values.some((v) => v < a || v > b)) {
        random.fillNormal(fresh, mean, std);
        for (let i = 0; i < values.length; i++) {
          if (values[i] < a || values[i] > b) values[i] = fresh[i];
        }
      }
      return;
    }
    const logDensity = (v: number): number => -0.5 * ((v - mean) / std) ** 2;
    const peak = logDensity(Math.max(a, Math.min(mean, b)));
    const pending = new Uint8Array(values.length).fill(1);
    const candidates = new Float64Array(values.length);
    const level = new Float64Array(values.length);
    do {
      random.fillUniform(candidates, a, b);
      random.fillUniform(level);
      for (let i = 0; i < values.length; i++) {
        if (pending[i] === 0) continue;
        values[i] = candidates[i];
        pending[i] = Math.log(level[i]) > logDensity(candidates[i]) - peak ? 1 : 0;
      }
    } while (pending.includes(1));
  });
}

/** How much of the standard normal distribution lies between two bounds, to 1e-9 (Simpson's rule). */
function normalMass(from: number, to: number): number {
  const low = Math.max(from, -8), high = Math.min(to, 8);
  if (high <= low) return 0;
  const steps = 400;
  const width = (high - low) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-0.5 * (low + i * width) ** 2);
  }
  return sum * width / 3 / Math.sqrt(2 * Math.PI);
}

/**
 * Fills `x` with one value.
 *
 * @returns `x`.
 * @throws {TypeError} if `x` is not a tensor or `value` no number.
 */
export function constant_<T extends Tensor>(x: T, value: number): T {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot call constant_: got value ${show(value)} (${typeof value}), expected a number`,
    );
  }
  return fillValues("call constant_", x, (values) => void values.fill(value));
}

/**
 * Fills `x` with ones.
 *
 * @returns `x`.
 * @throws {TypeError} if `x` is not a tensor.
 */
export function ones_<T extends Tensor>(x: T): T {
  return fillValues("call ones_", x, (values) => void values.fill(1));
}

/**
 * Fills `x` with zeros.
 *
 * @returns `x`.
 * @throws {TypeError} if `x` is not a tensor.
 */
export function zeros_<T extends Tensor>(x: T): T {
  return fillValues("call zeros_", x, (values) => void values.fill(0));
}

/** What every initialiser that draws accepts. */
export interface InitOptions {
  /** Where the numbers come from; the default generator if left out. */
  readonly generator?: Generator | null;
}

/** Checks that `x` is a tensor and writes its values. */
export function fillValues<T extends Tensor>(
  action: string,
  x: T,
  fill: (values: Float64Array) => void,
): T {
  assertTensor(action, x, "tensor");
  write(x, fill);
  return x;
}

/** As {@linkcode write}, with the generator that the options name. */
export function drawInto<T extends Tensor>(
  action: string,
  x: T,
  options: InitOptions,
  fill: (random: Generator, values: Float64Array) => void,
): T {
  const random = chooseGenerator(action, options.generator);
  return fillValues(action, x, (values) => fill(random, values));
}

/**
 * Checks that an argument is a finite number.
 *
 * @throws {TypeError} if it is not a number. @throws {RangeError} if it is not finite.
 */
export function expectFinite(action: string, name: string, value: number): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action}: got ${name} ${show(value)} (${typeof value}), expected a number`,
    );
  }
  if (!Number.isFinite(value)) {
    refuse(action, `${name} ${value}`, "a finite number");
  }
}
