/**
 * IDX, the format of MNIST: a magic number, the sizes as 32-bit big-endian integers, then the bytes.
 */

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
  const plain = isGzip(bytes) ? await gunzip(bytes, name) : bytes;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  if (plain.length < 4 || view.getUint16(0) !== 0 || plain[2] !== UNSIGNED_BYTE) {
    const start = [...plain.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
    throw new RangeError(
      `Cannot read ${name}: got a file that starts with ${
        start.join(" ") || "nothing"
      }, expected ` +
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

/** Whether bytes are gzipped, by their magic number. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes.
 *
 * @throws {RangeError} if they are damaged.
 */
export async function gunzip(bytes: Uint8Array, name = "gzipped data"): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new RangeError(`Cannot read ${name}: got damaged gzip data, expected a whole file`, {
      cause: error,
    });
  }
}
