/**
 * Gzipped data, unpacked as far as it is wanted.
 */
import { assertBytes, joinChunks, nameOption } from "../file.ts";

/** What gzipped data may unpack to where nothing else is said. */
export const MOST_UNPACKED = 2 ** 32;

/** Whether bytes are gzipped, by their magic number. */
export function isGzip(bytes: Uint8Array): boolean {
  assertBytes(bytes, "gzipped data");
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes.
 *
 * @param bytes The bytes.
 * @param name What errors call them.
 * @param most The most bytes that may come out: a number, or what says so from the first of them.
 * @returns What was packed.
 * @throws {RangeError} if they are damaged, or if more comes out.
 */
export async function gunzip(
  bytes: Uint8Array,
  name = "gzipped data",
  most: number | ((start: Uint8Array) => number) = MOST_UNPACKED,
): Promise<Uint8Array> {
  nameOption(name, "gzipped data");
  assertBytes(bytes, name);
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let limit = MOST_UNPACKED;
  while (true) {
    let chunk: ReadableStreamReadResult<Uint8Array>;
    try {
      chunk = await reader.read();
    } catch (error) {
      throw new RangeError(`Cannot read ${name}: got damaged gzip data, expected a whole file`, {
        cause: error,
      });
    }
    if (chunk.done) break;
    if (size === 0) limit = typeof most === "number" ? most : Math.min(most(chunk.value), limit);
    chunks.push(chunk.value);
    size += chunk.value.length;
    if (size > limit) {
      await reader.cancel();
      throw new RangeError(
        `Cannot read ${name}: got data that unpacks to more than ${limit} bytes, expected no more`,
      );
    }
  }
  return joinChunks(chunks);
}
