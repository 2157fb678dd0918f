/**
 * IDX, the format of MNIST: a magic number, the sizes as 32-bit big-endian integers, then the bytes.
 */
import { assertBytes, nameOption, readBytes } from "../file.ts";
import { identify } from "../identify.ts";
import { gunzip, isGzip, MOST_UNPACKED } from "../archive/gzip.ts";

/** An array of bytes with its sizes. */
export interface ByteArray {
  /** The sizes of the axes. */
  readonly shape: readonly number[];
  /** The bytes, row-major. */
  readonly values: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes, gzipped or not.
 *
 * @param bytes The file.
 * @param name What errors call it.
 * @returns The sizes and the values.
 * @throws {RangeError} if it is damaged or holds something other than unsigned bytes.
 */
export async function parseIdx(bytes: Uint8Array, name = "IDX data"): Promise<ByteArray> {
  nameOption(name, "IDX data");
  assertBytes(bytes, name);
  const plain = isGzip(bytes) ? await gunzip(bytes, name, sizeByHeader) : bytes;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  if (plain.length < 4 || view.getUint16(0) !== 0 || plain[2] !== UNSIGNED_BYTE) {
    const found = identify(plain);
    if (found !== null) {
      throw new RangeError(`Cannot read ${name}: got ${found}, expected an IDX file`);
    }
    const start = [...plain.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
    throw new RangeError(
      `Cannot read ${name}: got a file that starts with ${start.join(" ")}, expected ` +
        `00 00 08 (IDX of unsigned bytes)`,
    );
  }
  const ndim = plain[3];
  const header = 4 + 4 * ndim;
  const shape = plain.length < header
    ? []
    : Array.from({ length: ndim }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, n) => product * n, 1);
  if (plain.length < header || plain.length !== header + size) {
    throw new RangeError(
      `Cannot read ${name}: got ${plain.length} bytes, expected ${header + size} for shape ` +
        `[${shape.join(", ")}]`,
    );
  }
  return { shape, values: plain.subarray(header) };
}

/**
 * Reads an IDX file of unsigned bytes, gzipped or not.
 *
 * @param path The file.
 * @returns The sizes and the values.
 * @throws {RangeError} if it is damaged or holds something other than unsigned bytes.
 *
 * @example
 * ```ts
 * import { loadIdx } from "@tapegrad/tapegrad/io";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeFile(path, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1));
 * const labels = await loadIdx(path);
 * assertEquals([labels.shape, [...labels.values]], [[3], [7, 2, 1]]);
 * await Deno.remove(path);
 * ```
 */
export async function loadIdx(path: string): Promise<ByteArray> {
  return await parseIdx(await readBytes(path), path);
}

/** The sizes that the first bytes of an IDX file name, as the bytes of the file. */
function sizeByHeader(start: Uint8Array): number {
  const header = 4 + 4 * start[3];
  if (start.length < header) return MOST_UNPACKED;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  let size = 1;
  for (let at = 4; at < header; at += 4) size *= view.getUint32(at);
  return header + size;
}
