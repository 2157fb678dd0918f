/**
 * Float64 values as the bytes of a number format, little-endian.
 */
import { show, valuesOf } from "../autograd/internal.ts";
import type { Tensor } from "../autograd/mod.ts";
import {
  type DtypeName,
  dtypeNames,
  findDtype,
  type SmallFloat,
  smallFloatTable,
} from "./dtype.ts";
import { quote } from "./errors.ts";

/** The formats that tensors are written in; counters are written as I64 beside them. */
export type FloatDtype = "F64" | "F32";

/** How the tensors of a file are written. */
export interface DtypeOptions {
  /** The format of the values; `"F32"` rounds them. Batch counters are int64 in any case. */
  readonly dtype?: FloatDtype;
  /**
   * The format of single tensors by name: `{ labels: "I64" }`, or the `dtypes` of what was loaded, which
   * keeps them. Floats are rounded; integers have to hold every value.
   */
  readonly dtypes?: ReadonlyMap<string, string> | Readonly<Record<string, string>>;
}

/** A tensor of a file that is written, and its format. */
export interface Planned {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dtype: DtypeName;
}

/**
 * The format of each tensor of a state: the one that was asked for by name, the 0-d int64 that PyTorch
 * has for a batch counter, floats for everything else.
 *
 * @throws {RangeError} for a format or a name that is none.
 */
export function planDtypes(
  action: string,
  tensors: ReadonlyMap<string, Tensor>,
  { dtype = "F64", dtypes = {} }: DtypeOptions,
): Planned[] {
  assertFloatDtype(action, dtype);
  const asked = dtypesByName(action, dtypes);
  for (const name of asked.keys()) {
    if (!tensors.has(name)) {
      throw new RangeError(
        `Cannot ${action}: got a dtype for ${quote(name)}, expected one of the tensors ` +
          [...tensors.keys()].slice(0, 12).map(quote).join(", "),
      );
    }
  }
  return [...tensors].map(([name, tensor]) => ({
    name,
    tensor,
    dtype: asked.get(name) ?? dtypeToWrite(name, tensor, dtype),
  }));
}

function dtypesByName(
  action: string,
  given: NonNullable<DtypeOptions["dtypes"]>,
): Map<string, DtypeName> {
  const isRecord = typeof given === "object" && given !== null && !Array.isArray(given);
  if (!isRecord) {
    throw new TypeError(`Cannot ${action}: got dtypes ${show(given)}, expected formats by name`);
  }
  const asked = new Map<string, DtypeName>();
  for (const [name, dtype] of given instanceof Map ? given : Object.entries(given)) {
    const found = typeof dtype === "string" ? findDtype(dtype) : null;
    if (found === null) {
      throw new RangeError(
        `Cannot ${action}: got dtype ${show(dtype)} for ${quote(name)}, expected one of ` +
          dtypeNames(),
      );
    }
    asked.set(name, found.name);
  }
  return asked;
}

/** The format of an entry of a state: int64 for a batch counter, otherwise floats. */
export function dtypeToWrite(
  name: string,
  tensor: Tensor,
  float: FloatDtype,
): FloatDtype | "I64" {
  const isCounter = tensor.ndim === 0 && /(^|\.)num_batches_tracked$/.test(name) &&
    Number.isSafeInteger(tensor.item());
  return isCounter ? "I64" : float;
}

/**
 * Checks a format to write floats in.
 *
 * @throws {RangeError} if it is another.
 */
export function assertFloatDtype(action: string, dtype: unknown): void {
  if (dtype !== "F64" && dtype !== "F32") {
    throw new RangeError(`Cannot ${action}: got dtype ${show(dtype)}, expected "F64" or "F32"`);
  }
}

/** How many values are converted at once. */
const PIECE = 2 ** 19;

/**
 * The bytes of a tensor in a format, in pieces. Each is a copy that is made when its turn comes: memory
 * behind a tensor may move while somebody waits for a disk.
 *
 * @throws {RangeError} for a value that an integer format does not hold.
 */
export function* encodePieces(planned: Planned): Iterable<Uint8Array<ArrayBuffer>> {
  const { size } = planned.tensor;
  for (let start = 0; start < size; start += PIECE) {
    yield encodeRange(planned, start, Math.min(start + PIECE, size));
  }
}

/** The bytes of a tensor in a format, copied. */
export function encodeValues(planned: Planned): Uint8Array<ArrayBuffer> {
  return encodeRange(planned, 0, planned.tensor.size);
}

function encodeRange(planned: Planned, start: number, end: number): Uint8Array<ArrayBuffer> {
  const values = valuesOf(planned.tensor).subarray(start, end);
  switch (planned.dtype) {
    case "F64":
      return new Uint8Array(values.slice().buffer as ArrayBuffer);
    case "F32":
      return new Uint8Array(new Float32Array(values).buffer);
    case "F16":
    case "BF16":
    case "F8_E5M2":
    case "F8_E4M3":
      return roundSmall(values, planned.dtype);
    default:
      return encodeIntegers(planned, values);
  }
}

/** What writes integers of a format, and the numbers it holds: `[least, most]`. */
const INTEGERS = {
  I64: [BigInt64Array, -(2 ** 63), 2 ** 63 - 1024],
  U64: [BigUint64Array, 0, 2 ** 64 - 2048],
  I32: [Int32Array, -(2 ** 31), 2 ** 31 - 1],
  U32: [Uint32Array, 0, 2 ** 32 - 1],
  I16: [Int16Array, -(2 ** 15), 2 ** 15 - 1],
  U16: [Uint16Array, 0, 2 ** 16 - 1],
  I8: [Int8Array, -128, 127],
  U8: [Uint8Array, 0, 255],
  BOOL: [Uint8Array, 0, 1],
} as const;

function encodeIntegers(
  { name, dtype }: Planned,
  values: Float64Array,
): Uint8Array<ArrayBuffer> {
  const [IntegerArray, least, most] = INTEGERS[dtype as keyof typeof INTEGERS];
  for (const value of values) {
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(
        `Cannot write ${quote(name)} as ${dtype}: got ${value}, expected integers from ${least} ` +
          `to ${most}`,
      );
    }
  }
  const integers = IntegerArray === BigInt64Array
    ? BigInt64Array.from(values, BigInt)
    : IntegerArray === BigUint64Array
    ? BigUint64Array.from(values, BigInt)
    : (IntegerArray as Uint8ArrayConstructor).from(values);
  return new Uint8Array(integers.buffer as ArrayBuffer);
}

/** Rounds to the nearest value of a small float, to the even one of two as near. */
function roundSmall(values: Float64Array, name: SmallFloat): Uint8Array<ArrayBuffer> {
  const table = smallFloatTable(name);
  const half = table.length / 2;
  // Positive values stand in the order of their bits; negative ones have the upper half.
  let top = half - 1;
  while (!Number.isFinite(table[top])) top--;
  // What comes after the largest number where the exponent goes on: infinity, or NaN without one.
  const beyond = 2 * table[top] - table[top - 1];
  const nan = table.findIndex(Number.isNaN);
  const bits = table.length === 2 ** 8
    ? new Uint8Array(values.length)
    : new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    const sign = values[i] < 0 || Object.is(values[i], -0) ? half : 0;
    if (Number.isNaN(size)) {
      bits[i] = nan;
      continue;
    }
    let low = 0;
    for (let high = top + 1; high - low > 1;) {
      const middle = (low + high) >> 1;
      if (table[middle] <= size) low = middle;
      else high = middle;
    }
    const next = low === top ? beyond : table[low + 1];
    const nearer = size - table[low] - (next - size);
    bits[i] = sign + (nearer > 0 || nearer === 0 && low % 2 === 1 ? low + 1 : low);
  }
  return new Uint8Array(bits.buffer);
}
