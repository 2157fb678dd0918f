/**
 * Number formats on disk and their float64 values. All are little-endian, as every format read here.
 */
import type { Storage } from "../autograd/internal.ts";

/** A number format by its safetensors name. */
export type DtypeName =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "F8_E5M2"
  | "F8_E4M3"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** Reads `count` numbers from `view` at byte `offset` into `out` from `start` on. */
type Decode = (
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
) => void;

/** A number format: how wide it is and how it is read. */
export interface Dtype {
  /** Its safetensors name. */
  readonly name: DtypeName;
  /** Bytes of one number. */
  readonly width: number;
  /** Reads numbers as float64; throws `RangeError` for an integer that float64 does not hold. */
  readonly decode: Decode;
}

const DTYPES: ReadonlyMap<string, Dtype> = new Map<string, Dtype>(
  ([
    ["F64", 8, decodeF64],
    ["F32", 4, decodeF32],
    ["F16", 2, byTable(2, "F16")],
    ["BF16", 2, byTable(2, "BF16")],
    ["F8_E5M2", 1, byTable(1, "F8_E5M2")],
    ["F8_E4M3", 1, byTable(1, "F8_E4M3")],
    ["I64", 8, decodeI64],
    ["I32", 4, decodeI32],
    ["I16", 2, decodeI16],
    ["I8", 1, decodeI8],
    ["U64", 8, decodeU64],
    ["U32", 4, decodeU32],
    ["U16", 2, decodeU16],
    ["U8", 1, decodeU8],
    ["BOOL", 1, decodeBool],
  ] as const).map(([name, width, decode]) => [name, { name, width, decode }]),
);

/** Thrown for an integer between two float64 numbers: the rest of its file can be read all the same. */
export class InexactInteger extends RangeError {}

/** Memory in the place of values that cannot be had: it throws when they are used. */
export function refusing(error: Error): Storage {
  return {
    get values(): Float64Array {
      throw error;
    },
    version: 0,
  };
}

/** The format of a name, `null` for one that is not read here. */
export function findDtype(name: string): Dtype | null {
  return DTYPES.get(name) ?? null;
}

/** The names of all formats, for errors. */
export function dtypeNames(): string {
  return [...DTYPES.keys()].join(", ");
}

function decodeF64(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, 8 * count);
  new Uint8Array(out.buffer, out.byteOffset + 8 * start, 8 * count).set(bytes);
}

function decodeF32(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  const at = view.byteOffset + offset;
  if (at % 4 === 0) {
    out.set(new Float32Array(view.buffer, at, count), start);
    return;
  }
  for (let i = 0; i < count; i++) out[start + i] = view.getFloat32(offset + 4 * i, true);
}

/** A float of so few bits that all of its values fit a table. */
export type SmallFloat = "F16" | "BF16" | "F8_E5M2" | "F8_E4M3";

const SMALL_FLOATS: Readonly<Record<SmallFloat, (bits: number) => number>> = {
  F16: (bits) => smallFloat(bits, 5, 10),
  BF16: bfloat16,
  F8_E5M2: (bits) => smallFloat(bits, 5, 2),
  F8_E4M3: float8E4M3,
};

const tables = new Map<SmallFloat, Float64Array>();

/** The values of a small float by their bits; made when first needed. */
export function smallFloatTable(name: SmallFloat): Float64Array {
  let table = tables.get(name);
  if (table === undefined) {
    const length = name.startsWith("F8") ? 2 ** 8 : 2 ** 16;
    table = Float64Array.from({ length }, (_, bits) => SMALL_FLOATS[name](bits));
    tables.set(name, table);
  }
  return table;
}

function byTable(width: 1 | 2, name: SmallFloat): Decode {
  return (view, offset, out, start, count) => {
    const values = smallFloatTable(name);
    if (width === 2) {
      for (let i = 0; i < count; i++) out[start + i] = values[view.getUint16(offset + 2 * i, true)];
    } else {
      for (let i = 0; i < count; i++) out[start + i] = values[view.getUint8(offset + i)];
    }
  };
}

/** bfloat16 is the upper half of a float32. */
function bfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}

/** The variant without infinities ("fn"): all ones is NaN, the rest of the top exponent are numbers. */
function float8E4M3(bits: number): number {
  if ((bits & 0x7f) === 0x7f) return NaN;
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 0xf;
  const fraction = bits & 7;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (8 + fraction) * 2 ** (exponent - 10);
}

/** A float with that many exponent and fraction bits, with subnormals, infinities and NaN. */
function smallFloat(bits: number, exponentBits: number, fractionBits: number): number {
  const top = (1 << exponentBits) - 1;
  const bias = top >> 1;
  const sign = (bits >> (exponentBits + fractionBits)) & 1 ? -1 : 1;
  const exponent = (bits >> fractionBits) & top;
  const fraction = bits & ((1 << fractionBits) - 1);
  if (exponent === top) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * ((1 << fractionBits) + fraction) * 2 ** (exponent - bias - fractionBits);
}

function decodeI64(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const at = offset + 8 * i;
    out[start + i] = exact(view.getInt32(at + 4, true), view, at);
  }
}

function decodeU64(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const at = offset + 8 * i;
    out[start + i] = exact(view.getUint32(at + 4, true), view, at);
  }
}

/** The integer of that upper half at `at`, if float64 holds it. */
function exact(high: number, view: DataView, at: number): number {
  const low = view.getUint32(at, true);
  const value = high * 2 ** 32 + low;
  if (Math.abs(value) < 2 ** 53) return value;
  const whole = (BigInt(high) << 32n) + BigInt(low);
  if (BigInt(Number(whole)) === whole) return Number(whole);
  throw new InexactInteger(
    `got the 64-bit integer ${whole}, expected one that float64 holds exactly, as up to 2^53`,
  );
}

function decodeI32(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getInt32(offset + 4 * i, true);
}

function decodeU32(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getUint32(offset + 4 * i, true);
}

function decodeI16(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getInt16(offset + 2 * i, true);
}

function decodeU16(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getUint16(offset + 2 * i, true);
}

function decodeI8(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getInt8(offset + i);
}

function decodeU8(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getUint8(offset + i);
}

function decodeBool(
  view: DataView,
  offset: number,
  out: Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = view.getUint8(offset + i) === 0 ? 0 : 1;
}
