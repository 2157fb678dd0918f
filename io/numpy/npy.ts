/**
 * `.npy`, NumPy's file for one array: a magic number, a header that is a Python dict literal, and the
 * values.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { identify } from "../identify.ts";
import {
  assertOptions,
  assertTensor,
  formatShape,
  gatherStrided,
} from "../../autograd/internal.ts";
import { Tensor } from "../../autograd/mod.ts";
import { type Dtype, type DtypeName, findDtype, InexactInteger, refusing } from "../dtype.ts";
import { assertFloatDtype, encodeValues, type FloatDtype, type Planned } from "../encode_values.ts";
import { messageOf, quote } from "../errors.ts";
import { assertBytes, nameOption, readBytes, writeWhole } from "../file.ts";
import type { NameOptions } from "../safetensors.ts";

/** How an array is written. */
export interface NpyOptions {
  /** The format of the values; `"F32"` rounds them. */
  readonly dtype?: FloatDtype;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const ALIGNMENT = 64;
const MOST_DIMS = 64;
const LONGEST_HEADER = 65536;

/** By NumPy's type code without the byte order. */
const DTYPES: Readonly<Record<string, DtypeName>> = {
  f8: "F64",
  f4: "F32",
  f2: "F16",
  i8: "I64",
  i4: "I32",
  i2: "I16",
  i1: "I8",
  u8: "U64",
  u4: "U32",
  u2: "U16",
  u1: "U8",
  b1: "BOOL",
};
const CODES: ReadonlyMap<DtypeName, string> = new Map(
  Object.entries(DTYPES).map(([code, dtype]) => [dtype, (/1$/.test(code) ? "|" : "<") + code]),
);

/** A tensor and the number format that it had. */
export interface NpyArray {
  /** The values as float64. */
  readonly tensor: Tensor;
  /** The number format in the file. */
  readonly dtype: string;
}

/**
 * Writes one tensor as `.npy`, whole or not at all.
 *
 * @param path The file; what was there is replaced.
 * @param x The tensor.
 * @param options `dtype: "F32"` to round to float32.
 * @throws {TypeError} if `x` is not a tensor.
 *
 * @example
 * ```ts
 * import { loadNpy, saveNpy } from "@tapegrad/tapegrad/io";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await saveNpy(path, tensor([[1, 2], [3, 4]]));
 * assertEquals((await loadNpy(path)).toArray(), [[1, 2], [3, 4]]);
 * await Deno.remove(path);
 * ```
 */
export async function saveNpy(path: string, x: Tensor, options: NpyOptions = {}): Promise<void> {
  await writeWhole(path, [encodeNpy(x, options)]);
}

/**
 * Reads the array of a `.npy` file.
 *
 * @param path The file.
 * @returns The values as a tensor.
 * @throws {RangeError} if the file is damaged or holds something other than numbers.
 */
export async function loadNpy(path: string): Promise<Tensor> {
  return decodeNpy(await readBytes(path), { name: path });
}

/**
 * The bytes of a `.npy` file.
 *
 * @throws {TypeError} if `x` is not a tensor.
 */
export function encodeNpy(x: Tensor, options: NpyOptions = {}): Uint8Array<ArrayBuffer> {
  assertTensor("write an array", x, "x");
  assertOptions("write npy", options, ["dtype"]);
  const { dtype = "F64" } = options;
  assertFloatDtype("write npy", dtype);
  return encodeArray({ name: "the array", tensor: x, dtype });
}

/**
 * Reads the bytes of a `.npy` file.
 *
 * @param bytes The file.
 * @param options `name` for errors.
 * @throws {RangeError} if it is damaged or holds something other than numbers.
 */
export function decodeNpy(bytes: Uint8Array, options: NameOptions = {}): Tensor {
  assertOptions("read npy", options, ["name"]);
  const name = nameOption(options.name, "npy data");
  assertBytes(bytes, name);
  return decodeArray(bytes, name).tensor;
}

/**
 * The bytes of a `.npy` file in any format that NumPy has.
 *
 * @throws {RangeError} if it has none such, or an integer format does not hold a value.
 */
export function encodeArray(planned: Planned): Uint8Array<ArrayBuffer> {
  const { shape } = planned.tensor;
  const code = CODES.get(planned.dtype);
  if (code === undefined) {
    throw new RangeError(
      `Cannot write ${quote(planned.name)}: got dtype ${planned.dtype}, expected one that NumPy ` +
        `has: ${[...CODES.keys()].join(", ")}`,
    );
  }
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const length = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const values = encodeValues(planned);
  const bytes = new Uint8Array(length + values.length);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 11)}\n`), 10);
  bytes.set(values, length);
  return bytes;
}

/** What an array holds that is not a number, by NumPy's letters. */
const OTHERS: Readonly<Record<string, string>> = {
  U: "texts",
  S: "bytes",
  O: "Python objects",
  V: "records",
  M: "dates",
  m: "time spans",
  c: "complex numbers",
};

/** What the array of a `.npy` file holds, if that is no numbers; else `null`. */
export function otherThanNumbers(bytes: Uint8Array, file: string): string | null {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 512));
  const descr = /'descr'\s*:\s*(?:'[<>|=]?([A-Za-z])|\[)/.exec(head);
  if (descr === null) return null;
  const what = descr[1] === undefined ? OTHERS.V : OTHERS[descr[1]];
  return what === undefined ? null : `an array of ${what} (${file})`;
}

/** Reads a `.npy` file, keeping its number format. */
export function decodeArray(bytes: Uint8Array, file: string, isOneOfMany = false): NpyArray {
  const { dtype, shape, isBigEndian, isFortran, start } = readHeader(bytes, bytes.length, file);
  const count = shape.reduce((product, n) => product * n, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const content = isBigEndian ? swapped(bytes.subarray(start), dtype.width) : null;
  const values = new Float64Array(count);
  try {
    dtype.decode(
      content === null ? view : new DataView(content.buffer),
      content === null ? start : 0,
      values,
      0,
      count,
    );
  } catch (error) {
    const refused = damage(file, messageOf(error));
    // One integer that is too large does not deny the other arrays of a file.
    if (!isOneOfMany || !(error instanceof InexactInteger)) throw refused;
    return { tensor: new Tensor(refusing(refused), shape), dtype: dtype.name };
  }
  const ordered = isFortran && shape.length > 1 ? fromFortran(values, shape) : values;
  return { tensor: new Tensor({ values: ordered, version: 0 }, shape), dtype: dtype.name };
}

function damage(file: string, what: string): RangeError {
  return new RangeError(`Cannot read ${file}: ${what}`);
}

/** How many bytes a `.npy` file has before its values, by its first twelve. */
export function headerBytes(bytes: Uint8Array, file: string): number {
  if (MAGIC.some((byte, i) => bytes[i] !== byte) || bytes.length < 12) {
    const found = identify(bytes);
    throw damage(
      file,
      found === null
        ? "got a file that does not start with \\x93NUMPY, expected one that does"
        : `got ${found}, expected a .npy file`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) {
    throw damage(file, `got version ${version} of the format, expected 1, 2 or 3`);
  }
  const [from, length] = version === 1
    ? [10, view.getUint16(8, true)]
    : [12, view.getUint32(8, true)];
  if (length > LONGEST_HEADER) {
    throw damage(file, `got a header of ${length} bytes, expected at most ${LONGEST_HEADER}`);
  }
  return from + length;
}

/**
 * The header of a `.npy` file.
 *
 * @param bytes The file, or its beginning.
 * @param size How many bytes the whole file has.
 */
export function readHeader(bytes: Uint8Array, size: number, file: string): Header {
  const start = headerBytes(bytes, file);
  if (start > bytes.length) {
    throw damage(file, `got ${bytes.length} bytes, expected a header of ${start}`);
  }
  const text = new TextDecoder("latin1").decode(bytes.subarray(bytes[6] === 1 ? 10 : 12, start));
  const header = parseHeader(text, (what) => damage(file, what));
  const { dtype, shape } = header;
  const wanted = dtype.width * shape.reduce((product, n) => product * n, 1);
  if (size - start !== wanted) {
    throw damage(
      file,
      `got ${size - start} bytes of values, expected ${wanted} for shape ${
        formatShape(shape)
      } of ` +
        `${dtype.name}`,
    );
  }
  return { ...header, start };
}

interface Header {
  readonly dtype: Dtype;
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  readonly shape: number[];
  /** Where the values begin. */
  readonly start: number;
}

/** `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`, the keys in any order. */
function parseHeader(text: string, damaged: (what: string) => RangeError): Omit<Header, "start"> {
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  const fields = new Map<string, string>();
  const field = /\s*'(\w+)'\s*:\s*('[^']*'|True|False|\([\d\s,L]*\)|\[.*\])\s*(?:,|$)/sy;
  while (body !== undefined && field.lastIndex < body.trimEnd().length) {
    const found = field.exec(body);
    if (found === null) throw damaged(`got a header of another form: ${text.slice(0, 100).trim()}`);
    fields.set(found[1], found[2]);
  }
  const descr = fields.get("descr");
  const order = fields.get("fortran_order");
  const sizes = fields.get("shape");
  if (descr === undefined || sizes === undefined || (order !== "True" && order !== "False")) {
    throw damaged("got a header without descr, fortran_order or shape, expected all three");
  }
  const [, endian, code] = /^'([<>|=])(\w+)'$/.exec(descr) ?? [];
  const dtype = findDtype(DTYPES[code] ?? "");
  if (dtype === null) {
    throw damaged(
      `got values of type ${descr.slice(0, 40)}, expected one of ${Object.keys(DTYPES).join(", ")}`,
    );
  }
  const shape = sizes.slice(1, -1).split(",").map((size) => size.replace("L", "").trim());
  if (shape[shape.length - 1] === "") shape.pop();
  const numbers = shape.map(Number);
  const isShape = sizes.startsWith("(") && numbers.length <= MOST_DIMS &&
    numbers.every((n, i) => shape[i] !== "" && Number.isSafeInteger(n) && n >= 0);
  if (!isShape) {
    throw damaged(
      `got shape ${sizes.slice(0, 100)}, expected at most ${MOST_DIMS} sizes in parentheses`,
    );
  }
  return {
    dtype,
    isBigEndian: endian === ">" && dtype.width > 1,
    isFortran: order === "True",
    shape: numbers,
  };
}

/** The bytes with each group of `width` turned around. */
function swapped(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const turned = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += width) {
    for (let i = 0; i < width; i++) turned[at + i] = bytes[at + width - 1 - i];
  }
  return turned;
}

/** Values whose first axis varies fastest, row-major. */
function fromFortran(values: Float64Array, shape: readonly number[]): Float64Array {
  const out = new Float64Array(values.length);
  const strides: number[] = [];
  let stride = 1;
  for (const n of shape) {
    strides.push(stride);
    stride *= n;
  }
  gatherStrided(values, out, shape, strides, 0);
  return out;
}
