/**
 * Spaces of configs: values that list all their configs, in a fixed order, before anything runs.
 */
import { assertIterable, assertList, assertOptions, describe, show } from "../autograd/internal.ts";
import { Generator, rand } from "../mod.ts";
import { canonical } from "./identity.ts";

/** What a config can hold. */
export type Value = string | number | boolean | null;

/** One setting of an experiment, by the names of its axes. */
export type Config = Readonly<Record<string, Value>>;

/** The lists of values that a grid multiplies. */
export type Axes = Readonly<Record<string, readonly Value[]>>;

/** The configs of {@linkcode grid} and {@linkcode zip}: each axis with one of its values. */
export type Choice<A extends Axes> = { readonly [K in keyof A]: A[K][number] };

/** A list of configs, each of them once. */
export interface Space<C extends object = Config> extends Iterable<C> {
  /** How many configs there are. */
  readonly size: number;
  /** Those for which `test` holds. */
  where(test: (config: C) => boolean): Space<C>;
}

class Listed<C extends object> implements Space<C> {
  readonly #configs: readonly C[];

  constructor(configs: Iterable<C>) {
    const once = new Map<string, C>();
    for (const config of configs) {
      const key = canonical(config as Config);
      if (!once.has(key)) once.set(key, Object.freeze({ ...config }));
    }
    this.#configs = [...once.values()];
  }

  get size(): number {
    return this.#configs.length;
  }

  where(test: (config: C) => boolean): Space<C> {
    if (typeof test !== "function") {
      throw new TypeError(`Cannot narrow a space: got ${describe(test)}, expected a function`);
    }
    return new Listed(this.#configs.filter((config) => test(config)));
  }

  [Symbol.iterator](): Iterator<C> {
    return this.#configs[Symbol.iterator]();
  }
}

function checkAxes(action: string, axes: unknown): asserts axes is Axes {
  if (typeof axes !== "object" || axes === null || Array.isArray(axes)) {
    throw new TypeError(`Cannot ${action}: got ${describe(axes)}, expected lists by name`);
  }
  for (const [name, values] of Object.entries(axes)) {
    if (!Array.isArray(values) || values.length === 0) {
      throw new TypeError(
        `Cannot ${action}: got ${describe(values)} for ${name}, expected a list of values`,
      );
    }
    for (const value of values) checkValue(action, name, value);
  }
}

function checkValue(action: string, name: string, value: unknown): void {
  const kind = typeof value;
  if (value === null || kind === "string" || kind === "boolean") return;
  if (kind === "number" && Number.isFinite(value)) return;
  throw new TypeError(
    `Cannot ${action}: got ${describe(value)} for ${name}, expected a string, a finite number, ` +
      `true, false or null`,
  );
}

function checkConfigs(action: string, configs: Iterable<unknown>, name: string): void {
  assertIterable(action, configs, name, "configs");
  for (const config of configs) {
    if (typeof config !== "object" || config === null) {
      throw new TypeError(`Cannot ${action}: got ${describe(config)}, expected values by name`);
    }
    for (const [key, value] of Object.entries(config)) checkValue(action, key, value);
  }
}

/**
 * Every combination of the values; the last axis changes fastest.
 *
 * @param axes A list of values for each name.
 * @throws {TypeError} if a list is empty or holds anything but texts, finite numbers, booleans and null.
 *
 * @example
 * ```ts
 * import { grid } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const space = grid({ depth: [3, 8], norm: ["batch", "none"] });
 * assertEquals(space.size, 4);
 * assertEquals([...space][1], { depth: 3, norm: "none" });
 * assertEquals(space.where(({ depth }) => depth === 8).size, 2);
 * ```
 */
export function grid<const A extends Axes>(axes: A): Space<Choice<A>> {
  checkAxes("make a grid", axes);
  let configs: Config[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    configs = configs.flatMap((config) => values.map((value) => ({ ...config, [name]: value })));
  }
  return new Listed(configs) as unknown as Space<Choice<A>>;
}

/**
 * The first values together, then the second ones, and so on.
 *
 * @param axes Lists of one length.
 * @throws {RangeError} if the lists differ in length.
 *
 * @example
 * ```ts
 * import { zip } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const space = zip({ batch: [32, 512], lr: [0.1, 0.5] });
 * assertEquals([...space], [{ batch: 32, lr: 0.1 }, { batch: 512, lr: 0.5 }]);
 * ```
 */
export function zip<const A extends Axes>(axes: A): Space<Choice<A>> {
  checkAxes("zip lists", axes);
  const names = Object.keys(axes);
  const lengths = names.map((name) => axes[name].length);
  if (new Set(lengths).size > 1) {
    throw new RangeError(
      `Cannot zip lists: got ${names.map((name, i) => `${lengths[i]} of ${name}`).join(", ")}, ` +
        `expected lists of one length (grid takes every combination)`,
    );
  }
  const configs = Array.from({ length: lengths[0] ?? 0 }, (_, i) => {
    return Object.fromEntries(names.map((name) => [name, axes[name][i]]));
  });
  return new Listed(configs) as unknown as Space<Choice<A>>;
}

/**
 * The configs of a list; equal ones count once.
 *
 * @throws {TypeError} if a config holds anything but texts, finite numbers, booleans and null.
 */
export function list<const C extends Config>(configs: readonly C[]): Space<C> {
  checkConfigs("list configs", configs, "configs");
  return new Listed(configs);
}

/** The configs of all the spaces, in their order; equal ones count once. */
export function union<S extends readonly Space<object>[]>(
  ...spaces: S
): Space<ConfigOf<S[number]>> {
  for (const space of spaces) checkConfigs("join spaces", space, "a space");
  return new Listed(spaces.flatMap((space) => [...space] as ConfigOf<S[number]>[]));
}

/** The configs of a space. */
export type ConfigOf<S> = S extends Space<infer C> ? C & object : never;

/** Where the values of an axis come from: a map from [0, 1) to values. */
export interface Distribution<V extends Value = Value> {
  /** The value at a place of 0 to 1. */
  at(place: number): V;
}

function checkBounds(action: string, low: number, high: number, above: number): void {
  if (Number.isFinite(low) && Number.isFinite(high) && low < high && low > above) return;
  const bound = above === 0 ? "0 < low < high" : "low < high";
  throw new RangeError(
    `Cannot ${action}: got ${show(low)} and ${show(high)}, expected ${bound}, both finite`,
  );
}

/** Numbers between two bounds, all equally likely. */
export function uniform(low: number, high: number): Distribution<number> {
  checkBounds("draw uniformly", low, high, -Infinity);
  return { at: (place) => low + place * (high - low) };
}

/**
 * Numbers between two bounds, all orders of magnitude equally likely: low · (high / low)^u.
 *
 * @throws {RangeError} unless 0 < low < high.
 */
export function logUniform(low: number, high: number): Distribution<number> {
  checkBounds("draw on a logarithmic scale", low, high, 0);
  return { at: (place) => Math.exp(Math.log(low) + place * Math.log(high / low)) };
}

/** Whole numbers from `low` to `high`, both included. */
export function integers(low: number, high: number): Distribution<number> {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low > high) {
    throw new RangeError(
      `Cannot draw integers: got ${show(low)} and ${show(high)}, expected low ≤ high`,
    );
  }
  return { at: (place) => low + Math.floor(place * (high - low + 1)) };
}

/** One of the values. */
export function choice<const V extends Value>(values: readonly V[]): Distribution<V> {
  assertList("draw a value", values, "values", "values");
  if (values.length === 0) throw new RangeError("Cannot draw a value: got none to choose from");
  return { at: (place) => values[Math.floor(place * values.length)] };
}

/** The distributions of the axes. */
export type Distributions = Readonly<Record<string, Distribution>>;

/** The configs that are drawn from distributions. */
export type Drawn<D extends Distributions> = {
  readonly [K in keyof D]: D[K] extends Distribution<infer V> ? V : never;
};

function drawn<D extends Distributions>(axes: D, places: readonly number[][]): Space<Drawn<D>> {
  const names = Object.keys(axes);
  const configs = places.map((row) =>
    Object.fromEntries(names.map((name, i) => [name, axes[name].at(row[i])]))
  );
  return new Listed(configs) as unknown as Space<Drawn<D>>;
}

function checkDistributions(action: string, axes: unknown): void {
  if (typeof axes !== "object" || axes === null) {
    throw new TypeError(`Cannot ${action}: got ${describe(axes)}, expected distributions by name`);
  }
  for (const [name, axis] of Object.entries(axes)) {
    if (typeof (axis as Partial<Distribution> | null)?.at === "function") continue;
    throw new TypeError(
      `Cannot ${action}: got ${
        describe(axis)
      } for ${name}, expected a distribution, as uniform gives`,
    );
  }
}

function checkSamples(action: string, samples: number): void {
  if (Number.isInteger(samples) && samples > 0) return;
  throw new RangeError(
    `Cannot ${action}: got ${show(samples)} samples, expected a count from 1 on`,
  );
}

/**
 * Configs drawn independently. The first n of a longer list are the list of n: more samples add to what
 * was there.
 *
 * @param axes A distribution for each name.
 * @param options How many samples, and the seed that fixes them.
 */
export function random<D extends Distributions>(
  axes: D,
  options: { readonly samples: number; readonly seed?: number },
): Space<Drawn<D>> {
  checkDistributions("draw configs", axes);
  assertOptions("draw configs", options, ["samples", "seed"]);
  const { samples, seed = 0 } = options;
  checkSamples("draw configs", samples);
  const generator = new Generator(seed);
  const width = Object.keys(axes).length;
  return drawn(
    axes,
    Array.from({ length: samples }, () => [...rand([width], { generator }).data]),
  );
}

const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];

/** The digits of `index` in a base, mirrored at the point. */
function radicalInverse(index: number, base: number): number {
  let [value, scale] = [0, 1 / base];
  for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
    value += (rest % base) * scale;
    scale /= base;
  }
  return value;
}

/**
 * Configs of a Halton sequence: spread more evenly than independent draws, which is what a search over few
 * samples wants. At most ten axes.
 *
 * @param axes A distribution for each name.
 * @param options How many samples; `skip` leaves out the first points, which lie on a line (default 20).
 * @see J. H. Halton, "On the efficiency of certain quasi-random sequences of points" (1960).
 *
 * @example
 * ```ts
 * import { halton, logUniform } from "@tapegrad/tapegrad/experiment";
 * import { assert } from "@std/assert";
 *
 * const space = halton({ lr: logUniform(1e-4, 1) }, { samples: 8 });
 * assert([...space].filter(({ lr }) => lr < 0.01).length === 4);
 * ```
 */
export function halton<D extends Distributions>(
  axes: D,
  options: { readonly samples: number; readonly skip?: number },
): Space<Drawn<D>> {
  checkDistributions("make a Halton sequence", axes);
  assertOptions("make a Halton sequence", options, ["samples", "skip"]);
  const { samples, skip = 20 } = options;
  checkSamples("make a Halton sequence", samples);
  if (!Number.isSafeInteger(skip) || skip < 0) {
    throw new RangeError(
      `Cannot make a Halton sequence: got skip ${show(skip)}, expected an integer of at least 0`,
    );
  }
  const width = Object.keys(axes).length;
  if (width > PRIMES.length) {
    throw new RangeError(
      `Cannot make a Halton sequence: got ${width} axes, expected at most ${PRIMES.length}`,
    );
  }
  const places = Array.from({ length: samples }, (_, i) => {
    return Array.from({ length: width }, (_, axis) => radicalInverse(skip + i + 1, PRIMES[axis]));
  });
  return drawn(axes, places);
}
