/**
 * Writing what `torch.load` reads, with `weights_only=True` too.
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertOptions, describe, type Storage, storageOf } from "../../autograd/internal.ts";
import { StateDict } from "../../nn/module/state_dict.ts";
import { Counter } from "../../optim/state_dict.ts";
import { assertFloatDtype, dtypeToWrite, encodeValues, type FloatDtype } from "../encode_values.ts";
import { joinChunks, writeWhole } from "../file.ts";
import { Pickler } from "../pickle/pickler.ts";
import { zipChunks, type ZipFile } from "../archive/zip_writer.ts";

/**
 * What can be saved: tensors and plain values. A `StateDict` becomes an `OrderedDict` with the versions
 * of its modules, another `Map` or object a dict (an object's key that is an integer an `int`, as in
 * the state of optimizers), an array a list, a `Uint8Array` a tensor of bytes. `undefined` entries of
 * objects are left out.
 */
export type TorchValue =
  | Tensor
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly TorchValue[]
  | ReadonlyMap<string | number, TorchValue>
  | { readonly [key: string]: TorchValue };

/** How tensors are written. */
export interface TorchOptions {
  /** The format of the values; `"F32"` rounds them. Batch counters are int64 in any case. */
  readonly dtype?: FloatDtype;
}

const DEEPEST = 200;
const STORAGES = {
  F64: "DoubleStorage",
  F32: "FloatStorage",
  I64: "LongStorage",
  U8: "ByteStorage",
} as const;

type StoredDtype = keyof typeof STORAGES;

/**
 * Writes a `.pt` file that PyTorch opens, whole or not at all: into a temporary file of the same folder,
 * which is synced and then takes the name. Do not change the tensors before the promise is fulfilled.
 *
 * @param path The file; what was there is replaced.
 * @param value What `torch.load` shall give: a state dict, or objects, maps and lists with tensors.
 * @param options `dtype: "F32"` to round to float32.
 * @throws {TypeError} for something that is neither a tensor nor a plain value.
 * @throws {RangeError} if it is nested too deeply, as it is where it contains itself.
 *
 * @example
 * ```ts
 * import { loadTorch, saveTorch } from "@tapegrad/tapegrad/io";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await saveTorch(path, { losses: [0.5, 0.25], w: tensor([1, 2]) });
 * const saved = await loadTorch(path);
 * assertEquals(saved instanceof Map && saved.get("losses"), [0.5, 0.25]);
 * await Deno.remove(path);
 * ```
 */
export async function saveTorch(
  path: string,
  value: TorchValue,
  options: TorchOptions = {},
): Promise<void> {
  await writeWhole(path, zipChunks(filesOf(value, options)));
}

/**
 * The bytes of a `.pt` file.
 *
 * @param value As of {@linkcode saveTorch}.
 * @throws {TypeError} for something that is neither a tensor nor a plain value.
 * @throws {RangeError} if it is nested too deeply.
 */
export function encodeTorch(
  value: TorchValue,
  options: TorchOptions = {},
): Uint8Array<ArrayBuffer> {
  return joinChunks(zipChunks(filesOf(value, options)));
}

function filesOf(value: TorchValue, options: TorchOptions): Iterable<ZipFile> {
  assertOptions("write a checkpoint", options, ["dtype"]);
  assertFloatDtype("write a checkpoint", options.dtype ?? "F64");
  const writer = new TorchWriter(options.dtype ?? "F64");
  writer.write(value, "", 0);
  return writer.files();
}

class TorchWriter {
  readonly #pickler = new Pickler();
  readonly #contents: (() => Uint8Array)[] = [];
  /** Tensors that share their values share a storage in the file. */
  readonly #keys = new Map<Storage | Uint8Array, Map<StoredDtype, string>>();

  readonly float: FloatDtype;

  constructor(float: FloatDtype) {
    this.float = float;
  }

  *files(): Iterable<ZipFile> {
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    yield { name: "archive/data.pkl", content: this.#pickler.finish() };
    yield { name: "archive/byteorder", content: text("little") };
    for (const [i, content] of this.#contents.entries()) {
      yield { name: `archive/data/${i}`, content: content() };
    }
    yield { name: "archive/version", content: text("3\n") };
  }

  /** Writes a value that stands under `key`. */
  write(value: TorchValue, key: string, depth: number): void {
    const pickler = this.#pickler;
    if (depth > DEEPEST) {
      throw new RangeError(
        `Cannot write a checkpoint: got values nested more than ${DEEPEST} deep, expected fewer`,
      );
    }
    if (value === null || value === undefined) return pickler.constant(null);
    switch (typeof value) {
      case "boolean":
        return pickler.constant(value);
      case "number":
        return pickler.number(value);
      case "bigint":
        return pickler.integer(value);
      case "string":
        return pickler.text(value);
    }
    if (value instanceof Tensor) return this.#tensor(key, value);
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (Array.isArray(value)) {
      return pickler.list(
        Array.from(value as TorchValue[], (item) => () => this.write(item, "", depth + 1)),
      );
    }
    if (value instanceof Map) {
      if (value instanceof StateDict) pickler.orderedDict();
      else if (value instanceof Counter) pickler.counter();
      else pickler.dict();
      this.#entries([...value as ReadonlyMap<string | number, TorchValue>], depth);
      if (value instanceof StateDict && value.metadata.size > 0) this.#metadata(value);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (typeof value !== "object" || (prototype !== Object.prototype && prototype !== null)) {
      throw new TypeError(
        `Cannot write a checkpoint: got ${describe(value)} under "${key}", expected tensors and ` +
          `plain values`,
      );
    }
    pickler.dict();
    const entries = Object.entries(value as { readonly [key: string]: TorchValue })
      .filter(([, entry]) => entry !== undefined)
      .map(([name, entry]) => [/^(0|[1-9]\d{0,14})$/.test(name) ? Number(name) : name, entry]);
    this.#entries(entries as [string | number, TorchValue][], depth);
  }

  #entries(entries: readonly (readonly [string | number, TorchValue])[], depth: number): void {
    const pickler = this.#pickler;
    pickler.entries(entries.map(([key, value]) => [
      () => typeof key === "number" ? pickler.number(key) : pickler.text(key),
      () => this.write(value, String(key), depth + 1),
    ]));
  }

  /** `state_dict._metadata`, from which PyTorch knows the versions of the modules. */
  #metadata({ metadata }: StateDict): void {
    const pickler = this.#pickler;
    pickler.dict();
    pickler.entries([[
      () => pickler.text("_metadata"),
      () => {
        pickler.orderedDict();
        pickler.entries([...metadata].map(([path, { version }]) => [
          () => pickler.text(path),
          () => {
            pickler.dict();
            pickler.entries([[() => pickler.text("version"), () => pickler.integer(version)]]);
          },
        ]));
      },
    ]]);
    pickler.op(0x62);
  }

  #tensor(key: string, tensor: Tensor): void {
    const dtype = dtypeToWrite(key, tensor, this.float);
    const requiresGrad = tensor.requiresGrad && tensor.isLeaf;
    this.#rebuild(storageOf(tensor), dtype, tensor.shape, requiresGrad, () => {
      return encodeValues({ name: key, tensor, dtype });
    });
  }

  #bytes(bytes: Uint8Array): void {
    this.#rebuild(bytes, "U8", [bytes.length], false, () => bytes.slice());
  }

  #rebuild(
    owner: Storage | Uint8Array,
    dtype: StoredDtype,
    shape: readonly number[],
    requiresGrad: boolean,
    content: () => Uint8Array,
  ): void {
    const pickler = this.#pickler;
    const size = shape.reduce((product, n) => product * n, 1);
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, n) => product * Math.max(n, 1), 1)
    );
    pickler.global("torch._utils", "_rebuild_tensor_v2");
    pickler.tuple([
      () => {
        pickler.tuple([
          () => pickler.text("storage"),
          () => pickler.global("torch", STORAGES[dtype]),
          () => pickler.text(this.#keyOf(owner, dtype, content)),
          () => pickler.text("cpu"),
          () => pickler.integer(size),
        ]);
        pickler.op(0x51);
      },
      () => pickler.integer(0),
      () => pickler.sizes(shape),
      () => pickler.sizes(strides),
      () => pickler.constant(requiresGrad),
      () => pickler.orderedDict(),
    ]);
    pickler.reduce();
  }

  #keyOf(
    owner: Storage | Uint8Array,
    dtype: StoredDtype,
    content: () => Uint8Array,
  ): string {
    let keys = this.#keys.get(owner);
    if (keys === undefined) {
      keys = new Map();
      this.#keys.set(owner, keys);
    }
    let key = keys.get(dtype);
    if (key === undefined) {
      key = String(this.#contents.length);
      this.#contents.push(content);
      keys.set(dtype, key);
    }
    return key;
  }
}
