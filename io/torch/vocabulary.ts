/**
 * What a PyTorch checkpoint may name: tensors, containers, dtypes, and nothing that runs code. Like
 * `torch.load(weights_only=True)`, but names are never resolved, only recognised; others stay opaque.
 */
import { Tensor } from "../../autograd/mod.ts";
import { StateDict } from "../../nn/module/state_dict.ts";
import { type Dtype, findDtype } from "../dtype.ts";
import { quote } from "../errors.ts";
import { unpickle } from "../pickle/unpickler.ts";
import { buildNumpy, resolveNumpy } from "../pickle/numpy_values.ts";
import { Callable, OpaqueValue, type PickleValue, type Vocabulary } from "../pickle/values.ts";

/** A storage of the file, before it is read. */
export interface StorageRef {
  /** Its number format; `null` for bytes whose format each tensor names. */
  readonly dtype: Dtype | null;
  /** Its name in the file. */
  readonly key: string;
  /** How many numbers it holds; bytes where there is no format. */
  readonly count: number;
  /** Where the part that is meant begins, in numbers. */
  readonly offset: number;
}

/** A tensor whose values are still to be read from a storage. */
export interface TensorView {
  readonly tensor: Tensor;
  readonly storage: StorageRef;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The class of a storage. */
class StorageType {
  readonly name: string;
  readonly dtype: Dtype | null;

  constructor(name: string, dtype: Dtype | null) {
    this.name = name;
    this.dtype = dtype;
  }
}

class StoragePlace implements StorageRef {
  used = false;
  readonly dtype: Dtype | null;
  readonly key: string;
  readonly count: number;
  readonly offset: number;

  constructor(dtype: Dtype | null, key: string, count: number, offset: number) {
    this.dtype = dtype;
    this.key = key;
    this.count = count;
    this.offset = offset;
  }
}

const DTYPE_OF: Readonly<Record<string, string>> = {
  float64: "F64",
  double: "F64",
  float32: "F32",
  float: "F32",
  float16: "F16",
  half: "F16",
  bfloat16: "BF16",
  float8_e5m2: "F8_E5M2",
  float8_e4m3fn: "F8_E4M3",
  int64: "I64",
  long: "I64",
  int32: "I32",
  int: "I32",
  int16: "I16",
  short: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};
const OTHER_DTYPES = ["complex32", "complex64", "complex128", "cfloat", "cdouble"];
const STORAGES: Readonly<Record<string, string>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};
const MOST_DIMS = 64;
/** What a file of the format before 1.6 begins with. */
export const MAGIC = 0x1950a86a20f9469cfc6cn;
/** Views may name a value more than once, but not without bound: a file of 1 kB is no 1 TB tensor. */
const SMALL_TOTAL = 2 ** 24;
const MOST_REPEATS = 4;

/** Recognises the names of one file and collects the tensors that it describes. */
export class TorchVocabulary implements Vocabulary {
  /** The tensors in order, to be filled. */
  readonly views: TensorView[] = [];
  readonly #places: StoragePlace[] = [];
  readonly #most: number;
  #total = 0;
  #opaque = false;

  /** @param fileSize The file's bytes, which bound what its tensors may hold. */
  constructor(fileSize: number) {
    this.#most = SMALL_TOTAL + MOST_REPEATS * fileSize;
  }

  /** See {@linkcode Vocabulary}. */
  resolve(module: string, name: string): unknown {
    const known = this.#resolve(module, name);
    // What an opaque value holds may be anything, a storage of its own too.
    this.#opaque ||= known === undefined;
    return known;
  }

  #resolve(module: string, name: string): unknown {
    switch (module) {
      case "torch":
      case "torch.cuda":
      case "torch.storage":
        return this.#resolveTorch(module, name);
      case "torch._utils":
        return this.#resolveRebuild(name);
      case "collections":
        if (name === "OrderedDict") return ordered;
        if (name === "defaultdict") return withDefault;
        return name === "Counter" ? counter : undefined;
      case "builtins":
      case "__builtin__":
        return name === "set" || name === "frozenset" ? setOf : undefined;
      case "torch._tensor":
        return name === "_rebuild_from_type_v2" ? fromType : undefined;
      case "torch.jit._pickle":
        return /^build_(int|double|bool|tensor)list$/.test(name) ? listed : undefined;
      case "_codecs":
        return name === "encode" ? encode : undefined;
      default:
        return resolveNumpy(module, name);
    }
  }

  #resolveTorch(module: string, name: string): unknown {
    if (module === "torch.storage" && name === "_load_from_bytes") return this.#inline;
    if (name === "UntypedStorage" || name === "TypedStorage") return new StorageType(name, null);
    if (Object.hasOwn(STORAGES, name)) return new StorageType(name, findDtype(STORAGES[name]));
    if (module !== "torch") return undefined;
    if (name === "Size") return size;
    if (name === "device") return device;
    const isDtype = Object.hasOwn(DTYPE_OF, name) || OTHER_DTYPES.includes(name);
    return isDtype ? `torch.${name}` : undefined;
  }

  #resolveRebuild(name: string): unknown {
    switch (name) {
      case "_rebuild_tensor":
      case "_rebuild_tensor_v2":
        return new Callable(name, (args) => this.#rebuild(args, null));
      case "_rebuild_tensor_v3":
        return new Callable(name, (args) => this.#rebuild(args, args[6]));
      case "_rebuild_parameter":
        return new Callable(name, ([data, requiresGrad]) => {
          if (data instanceof OpaqueValue) return data;
          if (!(data instanceof Tensor)) throw new RangeError("got a parameter that is no tensor");
          return data.requiresGrad_(requiresGrad === true);
        });
      case "_rebuild_parameter_with_state":
        return new Callable(
          name,
          ([data, requiresGrad]) =>
            data instanceof Tensor ? data.requiresGrad_(requiresGrad === true) : data,
        );
      default:
        return undefined;
    }
  }

  #rebuild(args: readonly unknown[], dtypeName: unknown): Tensor | OpaqueValue {
    const [storage, offset, shape, strides, requiresGrad] = args;
    // Of complex numbers, for instance.
    if (storage instanceof OpaqueValue) {
      return new OpaqueValue("torch.Tensor", [storage, shape as PickleValue]);
    }
    if (!(storage instanceof StoragePlace)) {
      throw new RangeError("got a tensor without a storage, expected one");
    }
    const dtype = storage.dtype ??
      findDtype(DTYPE_OF[String(dtypeName).replace("torch.", "")] ?? "");
    if (dtype === null) return new OpaqueValue("torch.Tensor", [String(dtypeName)]);
    if (
      !isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length ||
      shape.length > MOST_DIMS
    ) {
      throw new RangeError(
        "got a tensor whose offset, shape or strides are no sizes, expected integers from 0 on",
      );
    }
    const held = storage.dtype === null ? Math.floor(storage.count / dtype.width) : storage.count;
    const count = shape.reduce((product, n) => product * n, 1);
    const last = offset + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i], 0);
    if (count > 0 ? last >= held : offset > held) {
      throw new RangeError(
        `got a tensor of shape [${shape}] with strides [${strides}] from value ${offset} on in ` +
          `storage ${quote(storage.key)} of ${held} values, expected it inside`,
      );
    }
    this.#total += count;
    if (this.#total > this.#most) {
      throw new RangeError(
        `got tensors of ${this.#total} values or more, expected at most ${this.#most} from a file ` +
          `of this size`,
      );
    }
    storage.used = true;
    // Copied, because a list that a pickle made may grow later on.
    const sizes = [...shape];
    const tensor = new Tensor({ values: EMPTY, version: 0 }, sizes).requiresGrad_(
      requiresGrad === true,
    );
    this.views.push({
      tensor,
      storage,
      dtype,
      offset: storage.offset + offset,
      shape: sizes,
      strides: [...strides],
    });
    return tensor;
  }

  /**
   * `("storage", type, key, location, count)`, in old files with `(key, offset, size)` of a part; or
   * `("module", class, file, source)`, the class of a model that was saved whole.
   */
  persistent(id: unknown): unknown {
    const [kind, type, key, , count, part] = Array.isArray(id) ? id as unknown[] : [];
    if (kind === "module" && type instanceof OpaqueValue) return type;
    if (kind === "storage" && type instanceof OpaqueValue) {
      return new OpaqueValue(type.name, [String(key), count as number]);
    }
    if (
      kind !== "storage" || !(type instanceof StorageType) || !isSize(count) ||
      (typeof key !== "string" && typeof key !== "number")
    ) {
      throw new RangeError("got a persistent id of another form, expected that of a storage");
    }
    let place = new StoragePlace(type.dtype, String(key), count, 0);
    if (part !== undefined && part !== null) {
      const [, offset, length] = Array.isArray(part) ? part as unknown[] : [];
      if (!isSize(offset) || !isSize(length) || offset + length > count) {
        throw new RangeError("got a part of a storage that does not lie in it");
      }
      place = new StoragePlace(type.dtype, String(key), length, offset);
    }
    this.#places.push(place);
    return place;
  }

  /** The metadata of a state dict, or the content of an array; other known values have no attributes. */
  build(target: unknown, attributes: unknown): unknown {
    const array = buildNumpy(target, attributes);
    if (array !== undefined) return array;
    // A tensor of a subclass, or a dict with attributes: what it holds besides is not kept.
    if (!(target instanceof StateDict) || !(attributes instanceof Map)) return target;
    const metadata: unknown = attributes.get("_metadata");
    if (!(metadata instanceof Map)) return target;
    for (const [path, entry] of metadata as Map<unknown, unknown>) {
      const version: unknown = entry instanceof Map ? entry.get("version") : undefined;
      if (typeof path === "string" && typeof version === "number") {
        target.metadata.set(path, { version });
      }
    }
    return target;
  }

  /**
   * A storage inside a plain pickle: `pickle.dump` writes each as what `torch.save` makes of it alone, in
   * the format before 1.6. Its pickles are read as any others.
   */
  readonly #inline = new Callable("_load_from_bytes", ([bytes]) => {
    if (!(bytes instanceof Uint8Array)) throw new RangeError("got a storage without bytes");
    const name = "a storage in a pickle";
    let at = 0;
    const values: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const { value, end } = unpickle(bytes, at, this, name);
      values.push(value);
      at = end;
    }
    const place: unknown = values[3];
    if (values[0] !== MAGIC || !(place instanceof StoragePlace)) {
      throw new RangeError("got bytes that are no storage, expected what torch.save makes of one");
    }
    const size = place.count * (place.dtype?.width ?? 1);
    if (bytes.length - at - 8 < size) throw new RangeError("got a storage that ends too early");
    const own = new StoragePlace(
      place.dtype,
      `inline ${this.inline.size}`,
      place.count,
      place.offset,
    );
    place.used = true;
    this.inline.set(own.key, bytes.slice(at + 8, at + 8 + size));
    this.#places.push(own);
    return own;
  });
  /** The bytes of storages that the pickle holds itself. */
  readonly inline: Map<string, Uint8Array<ArrayBuffer>> = new Map();

  /** The bytes of a value in a storage that something other than a tensor names. */
  widthOf(key: string): number | undefined {
    const place = this.#places.find((place) => place.key === key);
    return place === undefined ? undefined : place.dtype?.width ?? 1;
  }

  /**
   * Called once the whole pickle is read.
   *
   * @throws {RangeError} if a storage stands alone.
   */
  finish(file: string): void {
    if (this.#opaque) return;
    const bare = this.#places.find((place) => !place.used);
    if (bare !== undefined) {
      throw new RangeError(
        `Cannot read ${file}: got storage ${quote(bare.key)} on its own, expected it in a tensor`,
      );
    }
  }
}

const EMPTY = new Float64Array(0);

// A state dict is an OrderedDict; others are maps all the same.
const ordered = new Callable("OrderedDict", (args) => {
  const dict = new StateDict() as Map<unknown, unknown>;
  if (args.length === 0) return dict;
  const [entries] = args;
  for (const entry of entries instanceof Map ? entries : listOf(entries)) {
    const [key, value] = listOf(entry);
    dict.set(key, value);
  }
  return dict;
});

// What it would make of a missing key is code; what it holds comes after the call.
const withDefault = new Callable("defaultdict", () => new Map());

// A tensor of a subclass: rebuilt as a tensor, whatever the class.
const fromType = new Callable("_rebuild_from_type_v2", ([rebuild, type, args]) => {
  if (rebuild instanceof Callable) return rebuild.call(listOf(args));
  return new OpaqueValue(type instanceof OpaqueValue ? type.name : "torch.Tensor", []);
});

const listed = new Callable("build_list", ([items]) => [...listOf(items)]);

const counter = new Callable("Counter", ([counts]) => {
  if (counts === undefined) return new Map();
  if (!(counts instanceof Map)) throw new RangeError("got a Counter of no dict, expected a dict");
  return counts;
});

const setOf = new Callable("set", ([items]) => new Set(items === undefined ? [] : listOf(items)));

// Protocol 2 writes bytes as text of as many characters.
const encode = new Callable("encode", ([text, encoding]) => {
  if (typeof text !== "string" || (encoding !== "latin1" && encoding !== undefined)) {
    throw new RangeError("got bytes in an unknown encoding, expected latin1");
  }
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    if (code > 0xff) throw new RangeError(`got character ${code} in bytes, expected at most 255`);
    return code;
  });
});

const size = new Callable("Size", ([sizes]) => Object.freeze([...listOf(sizes)]));

const device = new Callable("device", ([type, index]) => {
  if (typeof type !== "string") throw new RangeError("got a device without a name, expected one");
  return typeof index === "number" ? `${type}:${index}` : type;
});

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new RangeError("got something that is no list, expected one");
  return value;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
