/**
 * Tensors from numbers.
 */
import { allocateStorage, allocateUninitialised, type Storage } from "../../runtime/memory.ts";
import type { NestedArray } from "../../print.ts";
import { assertCount, formatShape, type Shape, sizeOf, validateShape } from "../../shape.ts";
import { Tensor, type TensorJson, valuesOf } from "../../tensor.ts";
import { describe } from "../../check/describe.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import { assertNoOptions, assertOptions, type Known } from "../../check/options.ts";

export { describe };

/** The arrays of numbers that JavaScript has. */
export type TypedArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/** What every function that makes a tensor accepts. */
export interface CreationOptions {
  /** Whether the new leaf collects gradients. */
  readonly requiresGrad?: boolean;
}

const KNOWN: Known<CreationOptions> = ["requiresGrad"];
const KNOWN_WITH_SHAPE: Known<CreationOptions & { readonly shape?: Shape }> = ["shape", ...KNOWN];

/**
 * Checks that an argument is a tensor.
 *
 * @throws {TypeError} if not, naming the function and the argument.
 */
export function assertTensor(action: string, x: unknown, name: string): asserts x is Tensor {
  if (isTensor(x)) return;
  refuseKind(action, name, x, "a Tensor");
}

/**
 * Checks the arguments of a function of one tensor and options.
 *
 * @throws {TypeError} if `x` is no tensor, or the options are not those that are known.
 */
export function assertArguments<Options extends object>(
  action: string,
  x: unknown,
  options: Options,
  known: Known<NoInfer<Options>>,
): asserts x is Tensor {
  assertTensor(action, x, "x");
  assertOptions(action, options, known);
}

/**
 * Checks that a list holds tensors only; a gap in it is none.
 *
 * @throws {TypeError} if not, naming the place.
 */
export function assertEach(
  action: string,
  list: readonly unknown[],
  name: string,
): asserts list is readonly Tensor[] {
  for (let i = 0; i < list.length; i++) {
    if (!isTensor(list[i])) assertTensor(action, list[i], `${name}[${i}]`);
  }
}

function isTensor(x: unknown): x is Tensor {
  try {
    return x instanceof Tensor;
  } catch {
    // A revoked proxy cannot even be asked.
    return false;
  }
}

/** A tensor operand: the tensor itself, or a scalar from a number. */
export function asTensor(action: string, x: Tensor | number, name: string): Tensor {
  if (typeof x === "number") return scalar(x);
  assertTensor(action, x, name);
  return x;
}

/** A 0-d tensor. */
export function scalar(value: number): Tensor {
  const storage = allocateUninitialised(1);
  storage.values[0] = value;
  return new Tensor(storage, SCALAR);
}

const SCALAR: Shape = [];

/** A tensor over values that nobody else holds. */
export function fromValues(values: ArrayLike<number>, shape: Shape): Tensor {
  const storage = allocateUninitialised(sizeOf(shape));
  storage.values.set(values);
  return new Tensor(storage, shape);
}

/**
 * A leaf from numbers: a number, nested arrays of a regular shape, a typed array, or what
 * {@linkcode Tensor.toJSON} made.
 *
 * @param values The numbers, copied.
 * @param options `shape` for a flat list of values; `requiresGrad` to collect gradients.
 * @returns The tensor.
 * @throws {TypeError} if something in `values` is not a number.
 * @throws {RangeError} if nested arrays are ragged, or if `shape` holds another number of elements.
 *
 * @example
 * ```ts
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tensor([[1, 2, 3], [4, 5, 6]]).shape, [2, 3]);
 * assertEquals(tensor(new Float32Array(4), { shape: [2, 2] }).shape, [2, 2]);
 * ```
 */
export function tensor(
  values: number | NestedArray | TypedArray | TensorJson,
  options: CreationOptions & { readonly shape?: Shape } = {},
): Tensor {
  // A tensor in their place has a shape to make this one like it.
  if (!(options instanceof Tensor)) assertOptions("make a tensor", options, KNOWN_WITH_SHAPE);
  if (isJson(values)) {
    const numbers = values.data.map(readNumber);
    return tensor(numbers, { shape: values.shape, requiresGrad: values.requiresGrad, ...options });
  }
  const [flat, found] = flatten(values);
  const shape = options.shape === undefined
    ? found
    : [...validateShape("make a tensor", options.shape)];
  if (sizeOf(shape) !== flat.length) {
    refuse(
      "make a tensor",
      `${flat.length} values`,
      `${sizeOf(shape)} for shape ${formatShape(shape)}`,
    );
  }
  return fromValues(flat, shape).requiresGrad_(options.requiresGrad ?? false);
}

function isJson(values: unknown): values is TensorJson {
  return typeof values === "object" && values !== null && !(values instanceof Tensor) &&
    Array.isArray((values as TensorJson).shape) && Array.isArray((values as TensorJson).data);
}

/** A number as `Tensor.toJSON` writes it. */
function readNumber(value: unknown): number {
  const named = value === "NaN" || value === "Infinity" || value === "-Infinity" || value === "-0";
  if (typeof value === "number" || named) return Number(value);
  throw new TypeError(`Cannot make a tensor: got ${describe(value)} in data, expected a number`);
}

/** More axes than anybody needs, and fewer than a recursion may be deep. */
const MOST_AXES = 64;

function flatten(values: unknown): [flat: ArrayLike<number>, shape: Shape] {
  if (typeof values === "number") return [[values], []];
  const isTyped = ArrayBuffer.isView(values) && !(values instanceof DataView);
  if (isTyped && typeof (values as TypedArray)[0] !== "bigint") {
    return [values as TypedArray, [(values as TypedArray).length]];
  }
  if (!Array.isArray(values)) {
    throw new TypeError(
      `Cannot make a tensor: got ${describe(values)}, expected ${
        isTyped ? "an array of numbers" : "a number, nested arrays or a typed array"
      }`,
    );
  }
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MOST_AXES) {
      refuse("make a tensor", `arrays nested more than ${MOST_AXES} deep`, "at most that");
    }
  }
  const flat = new Float64Array(sizeOf(shape));
  let next = 0;
  // Where the walk stands, an index for each axis.
  const at: number[] = [];
  const visit = (level: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof level !== "number") misfit(level, axis);
      flat[next++] = level;
      return;
    }
    if (!Array.isArray(level) || level.length !== shape[axis]) misfit(level, axis);
    for (let i = 0; i < level.length; i++) {
      at[axis] = i;
      visit(level[i], axis + 1);
    }
  };
  function misfit(level: unknown, axis: number): never {
    const place = `at values${at.slice(0, axis).map((i) => `[${i}]`).join("")}`;
    const isLeaf = axis === shape.length;
    if (!Array.isArray(level) && typeof level !== "number") {
      throw new TypeError(
        `Cannot make a tensor: got ${describe(level)} ${place}, expected ${
          isLeaf ? "a number" : "an array"
        }`,
      );
    }
    const [got, expected] = typeof level === "number"
      ? ["a number", `${shape[axis]} elements`]
      : isLeaf
      ? ["an array", "a number"]
      : [`${level.length} elements`, `${shape[axis]} as in its neighbours`];
    refuse("make a tensor", `ragged arrays, ${got} ${place}`, expected);
  }
  visit(values, 0);
  return [flat, shape];
}

/** A new leaf, its arguments checked, over the memory that `allocate` gives for so many values. */
export function leaf<Options extends CreationOptions>(
  action: string,
  shape: Shape,
  options: Options,
  known: Known<NoInfer<Options>>,
  allocate: (size: number) => Storage,
): Tensor {
  assertOptions(action, options, known);
  const sizes = [...validateShape(action, shape)];
  return new Tensor(allocate(sizeOf(sizes)), sizes).requiresGrad_(options.requiresGrad ?? false);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: CreationOptions = {}): Tensor {
  return leaf("make zeros", shape, options, KNOWN, allocateStorage);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: CreationOptions = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * A tensor whose elements all have one value.
 *
 * @throws {TypeError} if `value` is not a number.
 */
export function full(shape: Shape, value: number, options: CreationOptions = {}): Tensor {
  if (typeof value !== "number") refuseKind("make full", "value", value, "a number");
  return leaf("make full", shape, options, KNOWN, (size) => {
    const storage = allocateUninitialised(size);
    storage.values.fill(value);
    return storage;
  });
}

/** Zeros of the shape of `x`. */
export function zerosLike(x: Tensor, options: CreationOptions = {}): Tensor {
  assertTensor("make zerosLike", x, "x");
  return zeros(x.shape, options);
}

/** Ones of the shape of `x`. */
export function onesLike(x: Tensor, options: CreationOptions = {}): Tensor {
  assertTensor("make onesLike", x, "x");
  return ones(x.shape, options);
}

/**
 * The numbers `start, start + step, …` below `end`; `arange(n)` counts from 0.
 *
 * @throws {RangeError} if the bounds are not finite, the step is 0, or it leads away from the end.
 *
 * @example
 * ```ts
 * import { arange } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(arange(3).toArray(), [0, 1, 2]);
 * assertEquals(arange(1, 2, 0.5).toArray(), [1, 1.5]);
 * ```
 */
export function arange(start: number, end?: number, step = 1): Tensor {
  assertNoOptions("arange", arguments, 3);
  const [first, bound] = end === undefined ? [0, start] : [start, end];
  for (const [name, value] of Object.entries({ start, end, step })) {
    const isNumber = value === undefined || value === null || typeof value === "number";
    if (!isNumber) refuseKind("make arange", name, value, "a number");
  }
  const isFinite = [first, bound, step].every(Number.isFinite) && step !== 0;
  const steps = (bound - first) / step;
  if (!isFinite || steps < 0) {
    refuse(
      "make arange",
      `start ${first}, end ${bound}, step ${step}`,
      isFinite ? "a step that leads from start to end" : "finite numbers and a step other than 0",
    );
  }
  const size = Math.ceil(steps);
  assertCount("make arange", size);
  const storage = allocateUninitialised(size);
  for (let i = 0, { values } = storage; i < size; i++) values[i] = first + i * step;
  return new Tensor(storage, [size]);
}

/**
 * `count` evenly spaced numbers from `start` to `end`, both included.
 *
 * An end that is a scalar tensor stands for its number; no gradient reaches it.
 *
 * @throws {TypeError} if an end is not a number. @throws {RangeError} if `count` is not an integer of
 * at least 0.
 */
export function linspace(
  start: number | Tensor,
  end: number | Tensor,
  count: number,
): Tensor {
  assertNoOptions("linspace", arguments, 3);
  const [first, last] = [endOf("start", start), endOf("end", end)];
  validateShape("make linspace", [count]);
  assertCount("make linspace", count);
  const step = count > 1 ? (last - first) / (count - 1) : 0;
  // Counted from the nearer end, so that both ends are exact and the row is symmetric.
  const half = Math.floor(count / 2);
  const storage = allocateUninitialised(count);
  const { values } = storage;
  for (let i = 0; i < count; i++) {
    values[i] = i < half || count === 1 ? first + i * step : last - (count - 1 - i) * step;
  }
  return new Tensor(storage, [count]);
}

function endOf(name: string, value: number | Tensor): number {
  if (typeof value === "number") return value;
  if (value instanceof Tensor && value.ndim === 0) return value.item();
  refuseKind("make linspace", name, value, "a number or a scalar");
}

/** The matrix with ones on its diagonal and zeros elsewhere, n × n or n × m. */
export function eye(n: number, m: number = n): Tensor {
  assertNoOptions("eye", arguments, 2);
  const result = zeros([n, m]);
  for (let i = 0; i < Math.min(n, m); i++) valuesOf(result)[i * m + i] = 1;
  return result;
}
