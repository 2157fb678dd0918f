/**
 * Files that nobody wrote in good faith, and the old PyTorch format, made by hand.
 */
import type { Tensor } from "../../mod.ts";

/** A pickle from opcodes given as text (latin1) and numbers. */
export function pickle(
  ...parts: readonly (string | number | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [0x80, 2];
  for (const part of parts) {
    if (typeof part === "number") bytes.push(part);
    else if (typeof part === "string") { for (const c of part) bytes.push(c.charCodeAt(0)); }
    else bytes.push(...part);
  }
  return Uint8Array.from(bytes);
}

/** BINUNICODE. */
export function text(value: string): Uint8Array {
  const utf8 = new TextEncoder().encode(value);
  return Uint8Array.from([0x58, ...little(utf8.length, 4), ...utf8]);
}

/** An integer as LONG1 of eight bytes. */
export function long(value: number | bigint): Uint8Array {
  return Uint8Array.from([0x8a, 8, ...little(value, 8)]);
}

function little(value: number | bigint, count: number): number[] {
  let rest = BigInt(value);
  return Array.from({ length: count }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

/** A storage of `count` doubles. */
export function storage(key: string, count: number, kind = "torch\nDoubleStorage\n"): Uint8Array {
  return body("(", text("storage"), "c", kind, text(key), text("cpu"), long(count), "tQ");
}

/** A tensor over a storage. */
export function view(
  over: Uint8Array,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const sizes = (values: readonly number[]): Uint8Array => body("(", ...values.map(long), "t");
  return body(
    "ctorch._utils\n_rebuild_tensor_v2\n(",
    over,
    long(offset),
    sizes(shape),
    sizes(strides),
    "\x89ccollections\nOrderedDict\n)RtR",
  );
}

/** Opcodes without the protocol in front. */
export function body(...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  return pickle(...parts).subarray(2);
}

/** PyTorch's format before 1.6. */
export function encodeLegacy(state: ReadonlyMap<string, Tensor>): Uint8Array {
  const entries = [...state].map(([name, x], i) => {
    const strides = x.shape.map((_, axis) => x.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const place = body(
      "(",
      text("storage"),
      "ctorch\nDoubleStorage\n",
      text(String(i)),
      text("cpu"),
      long(x.size),
      "NtQ",
    );
    return body(text(name), view(place, 0, x.shape, strides));
  });
  const storages = [...state.values()].map((x) => {
    const values = new Uint8Array(new Float64Array(x.data).buffer);
    return Uint8Array.from([...little(x.size, 8), ...values]);
  });
  return legacyFile(
    pickle("}(", ...entries, "u."),
    pickle("](", ...[...state.keys()].map((_, i) => text(String(i))), "e."),
    ...storages,
  );
}

/** The pickles that stand in front of the object, the object, the keys and the storages. */
export function legacyFile(...parts: readonly Uint8Array[]): Uint8Array {
  const magic = pickle("\x8a\x0a", Uint8Array.from(little(0x1950a86a20f9469cfc6cn, 10)), ".");
  const version = pickle("M", Uint8Array.from(little(1001, 2)), ".");
  const machine = pickle("}(", text("little_endian"), "\x88u.");
  const all = [magic, version, machine, ...parts];
  return Uint8Array.from(all.flatMap((part) => [...part]));
}
