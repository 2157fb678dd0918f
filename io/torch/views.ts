/**
 * From the storages of a file to contiguous tensors.
 */
import { gatherStrided, replaceValues, type Storage } from "../../autograd/internal.ts";
import { type Dtype, InexactInteger, refusing } from "../dtype.ts";
import { messageOf, quote } from "../errors.ts";
import type { TensorView } from "./vocabulary.ts";

/** Gives the bytes of a storage: at least `size` of them. */
export type ReadStorage = (key: string, size: number) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Fills tensors with the values of their storages, one storage at a time. Tensors that are the same
 * part of a storage share it afterwards too.
 *
 * @throws {RangeError} if a storage is missing or damaged.
 */
export async function fillViews(
  views: readonly TensorView[],
  read: ReadStorage,
  file: string,
): Promise<void> {
  const byKey = new Map<string, TensorView[]>();
  for (const view of views) {
    const others = byKey.get(view.storage.key);
    if (others === undefined) byKey.set(view.storage.key, [view]);
    else others.push(view);
  }
  for (const [key, users] of byKey) {
    let most = 0;
    for (const { storage } of users) {
      most = Math.max(most, (storage.offset + storage.count) * (storage.dtype?.width ?? 1));
    }
    const bytes = await read(key, most);
    const decoded = new Map<Dtype, Float64Array>();
    const shared = new Map<string, Storage>();
    for (const view of users) {
      const { dtype, offset, shape, strides } = view;
      const identity = `${dtype.name} ${offset} ${shape} ${strides}`;
      let storage = shared.get(identity);
      if (storage === undefined) {
        let values = decoded.get(dtype);
        try {
          if (values === undefined) {
            values = decode(bytes, dtype, key, file);
            decoded.set(dtype, values);
          }
          storage = { values: gather(values, view, users.length === 1), version: 0 };
        } catch (error) {
          // One integer that is too large does not deny the other tensors.
          if (!(error instanceof InexactInteger)) throw error;
          storage = refusing(error);
        }
        shared.set(identity, storage);
      }
      replaceValues(view.tensor, storage, view.tensor.shape);
    }
  }
}

function decode(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: Dtype,
  key: string,
  file: string,
): Float64Array {
  const count = Math.floor(bytes.length / dtype.width);
  if (dtype.name === "F64" && bytes.byteOffset % 8 === 0) {
    return new Float64Array(bytes.buffer, bytes.byteOffset, count);
  }
  const values = new Float64Array(count);
  try {
    dtype.decode(new DataView(bytes.buffer, bytes.byteOffset), 0, values, 0, count);
  } catch (error) {
    const message = `Cannot read storage ${quote(key)} of ${file}: ${messageOf(error)}`;
    throw error instanceof InexactInteger ? new InexactInteger(message) : new RangeError(message);
  }
  return values;
}

/** The values that a view names, row-major; the storage itself where that is the whole of it. */
function gather(values: Float64Array, view: TensorView, isAlone: boolean): Float64Array {
  const { shape, strides, offset } = view;
  const count = shape.reduce((product, n) => product * n, 1);
  if (isContiguous(shape, strides)) {
    return isAlone && offset === 0 && count === values.length
      ? values
      : values.slice(offset, offset + count);
  }
  const out = new Float64Array(count);
  gatherStrided(values, out, shape, strides, offset);
  return out;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}
