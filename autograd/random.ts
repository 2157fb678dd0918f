/**
 * Seeded random numbers: PyTorch's CPU generator in float64.
 *
 * The same seed gives the same stream as `torch.manual_seed` with
 * `torch.set_default_dtype(torch.float64)`. Uniform numbers, integers, permutations and Bernoulli
 * draws are equal bit for bit. Normal numbers go through the engine's `Math.log`, `sin` and `cos`,
 * which the language leaves free in the last place: they agree to 1e-15 relative.
 *
 * @module
 */
import { refuseKind } from "./check/refuse.ts";
import { fma } from "./random/fma.ts";
import { decodeState, encodeState, Mt19937 } from "./random/mt19937.ts";
import {
  normalizeSeed,
  type Seed,
  validateBounds,
  validateIntegers,
  validateMoments,
  validateOut,
  validateProbability,
} from "./random/arguments.ts";

export type { Seed };

/** What a generator starts with when no seed is given; PyTorch's own. */
const DEFAULT_SEED = 67280421310721n;

/** Below it PyTorch fills normals one pair at a time, from it on in blocks of 16. */
const NORMAL_BLOCK = 16;
/** From this range on PyTorch draws 64 bits for an integer. */
const WIDE_RANGE = 2 ** 28;
/** From this length on PyTorch shuffles with 64 bits. */
const LONG_PERMUTATION = Math.floor(0xffffffff / 20);

/**
 * A stream of random numbers with its own state.
 *
 * Everything that draws takes one as `generator`; without it the {@linkcode defaultGenerator} is
 * used. Nothing else in the library holds random state, so a seed fixes every result.
 *
 * @see M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998).
 *
 * @example
 * ```ts
 * import { Generator, rand } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const first = rand([2, 3], { generator: new Generator(7) });
 * const again = rand([2, 3], { generator: new Generator(7) });
 * assertEquals(first.toArray(), again.toArray());
 * ```
 */
export class Generator {
  #seed!: bigint;
  #engine!: Mt19937;
  // Box and Muller's transform makes normals in pairs; the second waits here for the next call.
  #spareNormal: number | null = null;

  /**
   * A generator at the beginning of its stream.
   *
   * @param seed Where the stream begins; see {@linkcode manualSeed}.
   * @throws {TypeError} if it is neither a number nor a bigint.
   * @throws {RangeError} if it is not an integer or out of range.
   */
  constructor(seed: Seed = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /**
   * Begins the stream again. As in PyTorch a negative seed stands for seed + 2⁶⁴, and the low 32 bits
   * alone decide the stream.
   *
   * @throws {TypeError} if `seed` is neither a number nor a bigint.
   * @throws {RangeError} if it is not an integer or out of range.
   */
  manualSeed(seed: Seed): this {
    this.#seed = normalizeSeed(seed);
    this.#engine = new Mt19937(Number(this.#seed & 0xffffffffn));
    this.#spareNormal = null;
    return this;
  }

  /** The seed that the stream began with, 0 … 2⁶⁴ − 1. */
  initialSeed(): bigint {
    return this.#seed;
  }

  /** The whole state, the spare normal included, as 5056 bytes in PyTorch's layout. */
  getState(): Uint8Array {
    return encodeState({
      seed: this.#seed,
      engine: this.#engine,
      spareNormal: this.#spareNormal,
    });
  }

  /**
   * Goes on from a state of {@linkcode getState}, or of PyTorch's `Generator.get_state()`.
   *
   * @throws {TypeError} if `state` is no Uint8Array.
   * @throws {RangeError} if it is not the state of a generator; nothing is changed then.
   *
   * @example
   * ```ts
   * import { Generator } from "@tapegrad/tapegrad";
   * import { assertEquals } from "@std/assert";
   *
   * const random = new Generator(1);
   * const state = random.getState();
   * const draw = random.normal();
   * assertEquals(random.setState(state).normal(), draw);
   * ```
   */
  setState(state: Uint8Array): this {
    const { seed, engine, spareNormal } = decodeState(state);
    this.#seed = seed;
    this.#engine = engine;
    this.#spareNormal = spareNormal;
    return this;
  }

  /** Another generator at the same place of the same stream. */
  clone(): Generator {
    return new Generator().setState(this.getState());
  }

  /** The next 32 random bits, as a number in 0 … 2³² − 1. */
  random32(): number {
    return this.#engine.draw();
  }

  /**
   * One number drawn evenly from low ≤ x < high. The rounding of the last place may reach `high`, as
   * in PyTorch.
   *
   * @throws {RangeError} if a bound is not finite or `high` is below `low`.
   */
  uniform(low = 0, high = 1): number {
    validateBounds(low, high);
    return fma(this.#unit(), high - low, low);
  }

  /**
   * One number from the normal distribution.
   *
   * @throws {RangeError} if `mean` is not finite, or `std` is not finite or negative.
   */
  normal(mean = 0, std = 1): number {
    validateMoments(mean, std);
    return fma(this.#standardNormal(), std, mean);
  }

  /**
   * One integer drawn from low … high − 1.
   *
   * @throws {RangeError} if a bound is no safe integer, `high` is not above `low`, or they are more
   * than 2⁵³ apart.
   */
  integer(low: number, high: number): number {
    validateIntegers(low, high);
    return low + this.#below(high - low);
  }

  /**
   * Fills `out` as PyTorch's `uniform_(low, high)`.
   *
   * @throws {RangeError} if a bound is not finite or `high` is below `low`.
   */
  fillUniform(out: Float64Array, low = 0, high = 1): void {
    validateOut("draw uniform numbers", out);
    validateBounds(low, high);
    const range = high - low;
    if (low === 0) {
      for (let i = 0; i < out.length; i++) out[i] = this.#unit() * range;
    } else {
      for (let i = 0; i < out.length; i++) out[i] = fma(this.#unit(), range, low);
    }
  }

  /**
   * Fills `out` as PyTorch's `normal_(mean, std)`: below 16 values one pair after the other, from 16
   * on in blocks of 16, the last of which is drawn again when the length is no multiple of 16.
   *
   * @throws {RangeError} if `mean` is not finite, or `std` is not finite or negative.
   */
  fillNormal(out: Float64Array, mean = 0, std = 1): void {
    validateOut("draw normal numbers", out);
    validateMoments(mean, std);
    const n = out.length;
    if (n < NORMAL_BLOCK) {
      for (let i = 0; i < n; i++) out[i] = fma(this.#standardNormal(), std, mean);
      return;
    }
    for (let i = 0; i < n; i++) out[i] = this.#unit();
    for (let i = 0; i + NORMAL_BLOCK <= n; i += NORMAL_BLOCK) normalBlock(out, i, mean, std);
    if (n % NORMAL_BLOCK !== 0) {
      const start = n - NORMAL_BLOCK;
      for (let i = start; i < n; i++) out[i] = this.#unit();
      normalBlock(out, start, mean, std);
    }
  }

  /**
   * Fills `out` with integers of low … high − 1, as PyTorch's `random_(low, high)`.
   *
   * @throws {RangeError} if a bound is no safe integer, `high` is not above `low`, or they are more
   * than 2⁵³ apart.
   */
  fillIntegers(out: Float64Array, low: number, high: number): void {
    validateOut("draw integers", out);
    validateIntegers(low, high);
    const range = high - low;
    for (let i = 0; i < out.length; i++) out[i] = low + this.#below(range);
  }

  /** Fills `out` with 0 … out.length − 1 in random order, as PyTorch's `randperm`. */
  fillPermutation(out: Float64Array): void {
    validateOut("draw a permutation", out);
    const n = out.length;
    if (n >= LONG_PERMUTATION) {
      for (let i = 0; i < n; i++) {
        const j = this.#wideBelow(i + 1);
        out[i] = out[j];
        out[j] = i;
      }
      return;
    }
    for (let i = 0; i < n; i++) out[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const j = i + this.#engine.draw() % (n - i);
      const kept = out[i];
      out[i] = out[j];
      out[j] = kept;
    }
  }

  /**
   * Fills `out` with ones (with probability `p`) and zeros, as PyTorch's `bernoulli_(p)` in float64
   * where it draws from its own generator; with MKL on some processors it draws otherwise.
   *
   * @throws {RangeError} if `p` is not in 0 … 1.
   */
  fillBernoulli(out: Float64Array, p: number): void {
    validateOut("draw Bernoulli numbers", out);
    validateProbability(p);
    for (let i = 0; i < out.length; i++) out[i] = this.#unit() < p ? 1 : 0;
  }

  /** 53 random bits as a number in [0, 1). */
  #unit(): number {
    const high = this.#engine.draw() & 0x1fffff;
    return (high * 0x100000000 + this.#engine.draw()) * 2 ** -53;
  }

  /** One sample of Box and Muller's pair r·cos θ, r·sin θ with r = √(−2 ln(1 − u₂)), θ = 2π u₁. */
  #standardNormal(): number {
    const spare = this.#spareNormal;
    if (spare !== null) {
      this.#spareNormal = null;
      return spare;
    }
    const theta = 2 * Math.PI * this.#unit();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#unit()));
    this.#spareNormal = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  }

  /** An integer of 0 … range − 1. */
  #below(range: number): number {
    return range < WIDE_RANGE ? this.#engine.draw() % range : this.#wideBelow(range);
  }

  /** The same from 64 bits, whose remainder has no skew to speak of. */
  #wideBelow(range: number): number {
    const high = BigInt(this.#engine.draw());
    const bits = (high << 32n) | BigInt(this.#engine.draw());
    return Number(bits % BigInt(range));
  }
}

/** Turns 16 uniform numbers at `start` into normal ones: Box and Muller on u[j] and u[j + 8]. */
function normalBlock(out: Float64Array, start: number, mean: number, std: number): void {
  for (let j = start; j < start + NORMAL_BLOCK / 2; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - out[j]));
    const theta = 2 * Math.PI * out[j + 8];
    out[j] = fma(radius * Math.cos(theta), std, mean);
    out[j + 8] = fma(radius * Math.sin(theta), std, mean);
  }
}

/**
 * The generator that everything draws from when none is given. It begins with a fixed seed, so that
 * a program that never calls {@linkcode manualSeed} repeats itself too.
 */
export const defaultGenerator: Generator = new Generator();

/**
 * Begins the stream of the {@linkcode defaultGenerator} again, as `torch.manual_seed`.
 *
 * @param seed An integer in −2⁶³ … 2⁶⁴ − 1; a bigint where a number is not exact.
 * @returns The default generator.
 * @throws {TypeError} if `seed` is neither a number nor a bigint.
 * @throws {RangeError} if it is not an integer or out of range.
 *
 * @example
 * ```ts
 * import { manualSeed, rand } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(rand([2]).toArray(), [0.9700530018065531, 0.707819864399788]);
 * ```
 */
export function manualSeed(seed: Seed): Generator {
  return defaultGenerator.manualSeed(seed);
}

/**
 * The generator that an option names, or the default one.
 *
 * @throws {TypeError} if it is no Generator; `action` names the caller.
 */
export function chooseGenerator(action: string, generator?: Generator | null): Generator {
  if (generator === undefined || generator === null) return defaultGenerator;
  if (!(generator instanceof Generator)) {
    refuseKind(action, "generator", generator, "a Generator");
  }
  return generator;
}
