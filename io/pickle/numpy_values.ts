/**
 * NumPy's scalars and arrays inside pickles: plain data, so they become numbers and tensors.
 */
import { Tensor } from "../../autograd/mod.ts";
import { gatherStrided } from "../../autograd/internal.ts";
import { type Dtype, findDtype } from "../dtype.ts";
import { Callable, OpaqueValue, type PickleValue } from "./values.ts";

/** By NumPy's type code without the byte order. */
const DTYPES: Readonly<Record<string, string>> = {
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
const MOST_DIMS = 64;

/** A number format; one of texts or objects has none here. */
class NumpyDtype {
  readonly code: string;
  readonly dtype: Dtype | null;
  /** Whether the high byte comes first. */
  swapped = false;

  constructor(code: string) {
    this.code = code.replace(/^[<>|=]/, "");
    this.swapped = code.startsWith(">");
    this.dtype = findDtype(DTYPES[this.code] ?? "");
  }
}

/** An array whose content comes later. */
class EmptyArray {}

const dtype = new Callable("numpy.dtype", ([code]) => {
  if (typeof code !== "string") {
    throw new RangeError("got a NumPy dtype without a code, expected one");
  }
  return new NumpyDtype(code);
});

const reconstruct = new Callable("numpy._reconstruct", () => new EmptyArray());

const scalar = new Callable("numpy.scalar", ([format, bytes]) => {
  if (!(format instanceof NumpyDtype)) throw new RangeError("got a NumPy scalar without a dtype");
  if (format.dtype === null) return opaque("numpy.scalar", [format.code, bytes as PickleValue]);
  return valuesOf(format, bytes, 1)[0];
});

const fromBuffer = new Callable(
  "numpy._frombuffer",
  ([bytes, format, shape, order]) => arrayOf(format, shape, bytes, order === "F"),
);

/** What a name of NumPy stands for; `undefined` for one that makes no data. */
export function resolveNumpy(module: string, name: string): unknown {
  if (name === "dtype" && module === "numpy") return dtype;
  if (!/^numpy\.(_?core)\.(multiarray|numeric)$/.test(module)) return undefined;
  if (name === "_reconstruct") return reconstruct;
  if (name === "scalar") return scalar;
  return name === "_frombuffer" ? fromBuffer : undefined;
}

/** Gives a dtype or an array its content; `undefined` for anything else. */
export function buildNumpy(target: unknown, state: unknown): unknown {
  const parts: readonly unknown[] = Array.isArray(state) ? state : [];
  if (target instanceof NumpyDtype) {
    target.swapped = parts[1] === ">";
    return target;
  }
  if (!(target instanceof EmptyArray)) return undefined;
  const [, shape, format, fortran, content] = parts;
  return arrayOf(format, shape, content, fortran === true);
}

function arrayOf(format: unknown, shape: unknown, content: unknown, fortran: boolean): unknown {
  const sizes = Array.isArray(shape) ? shape as unknown[] : [];
  const areSizes = sizes.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
  if (!(format instanceof NumpyDtype) || !areSizes || sizes.length > MOST_DIMS) {
    throw new RangeError("got a NumPy array without dtype or shape, expected both");
  }
  if (format.dtype === null) {
    return opaque("numpy.ndarray", [format.code, [...sizes] as number[], content as PickleValue]);
  }
  const dims = [...sizes] as number[];
  const count = dims.reduce((product, size) => product * size, 1);
  const values = valuesOf(format, content, count);
  if (!fortran) return new Tensor({ values, version: 0 }, dims);
  const ordered = new Float64Array(count);
  let stride = 1;
  const strides = dims.map((size) => (stride *= size) / size);
  if (count > 0) gatherStrided(values, ordered, dims, strides, 0);
  return new Tensor({ values: ordered, version: 0 }, dims);
}

function valuesOf({ dtype, swapped }: NumpyDtype, content: unknown, count: number): Float64Array {
  const width = dtype!.width;
  if (!(content instanceof Uint8Array) || content.length !== count * width) {
    throw new RangeError(
      `got ${content instanceof Uint8Array ? content.length : "no"} bytes of a NumPy array of ` +
        `${count} values, expected ${count * width}`,
    );
  }
  const bytes = content.slice();
  if (swapped) {
    for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
  }
  const values = new Float64Array(count);
  dtype!.decode(new DataView(bytes.buffer), 0, values, 0, count);
  return values;
}

function opaque(name: string, args: PickleValue[]): OpaqueValue {
  return new OpaqueValue(name, args);
}
