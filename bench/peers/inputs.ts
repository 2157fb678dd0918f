/**
 * Numbers that are the same for every peer: drawn here, written to a file, read by each.
 *
 * @module
 */

/** An array that a workload starts from. */
export interface InputSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** The values are uniform in [low, high). */
  readonly low: number;
  readonly high: number;
  /** Whether the values are whole numbers. */
  readonly whole?: boolean;
}

/** An array and its shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float64Array<ArrayBuffer>;
}

/** Arrays by name. */
export type Inputs = Readonly<Record<string, Values>>;

/** A generator of uniform numbers in [0, 1): a linear congruential one, with Numerical Recipes' constants. */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The number of values in an array of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The arrays of a workload, drawn in order from one seed. */
export function draw(specs: readonly InputSpec[], seed = 1): Inputs {
  const next = uniformNumbers(seed);
  return Object.fromEntries(specs.map(({ name, shape, low, high, whole }) => {
    const values = new Float64Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) {
      const value = low + (high - low) * next();
      values[i] = whole ? Math.floor(value) : value;
    }
    return [name, { shape, values }];
  }));
}

/** The bytes of arrays, one behind the other, little-endian as every machine of today has them. */
export function pack(arrays: readonly Float64Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Float64Array(arrays.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return new Uint8Array(whole.buffer);
}

/** What {@linkcode pack} wrote, cut to the sizes in their order. */
export function unpack(
  bytes: Uint8Array<ArrayBuffer>,
  sizes: readonly number[],
): Float64Array<ArrayBuffer>[] {
  const whole = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  let at = 0;
  return sizes.map((size) => whole.slice(at, at += size));
}
