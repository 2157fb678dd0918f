/**
 * Deflated bytes unpacked, where their number is known.
 */
import { messageOf } from "../errors.ts";

/**
 * Fills `out` with what the pieces hold; stops where they hold more.
 *
 * @param what The content's name in errors.
 * @param damaged Makes an error of what was found.
 * @throws If the pieces cannot be unpacked, or hold more or less than that.
 */
export async function inflate(
  pieces: readonly Uint8Array[],
  format: "deflate" | "deflate-raw",
  out: Uint8Array,
  what: string,
  damaged: (found: string) => Error,
): Promise<void> {
  const size = out.length;
  const reader = new Blob(pieces as Uint8Array<ArrayBuffer>[]).stream()
    .pipeThrough(new DecompressionStream(format)).getReader();
  let done = 0;
  while (true) {
    let chunk: ReadableStreamReadResult<Uint8Array>;
    try {
      chunk = await reader.read();
    } catch (error) {
      throw damaged(`got ${what} that cannot be unpacked (${messageOf(error)})`);
    }
    if (chunk.done) break;
    if (done + chunk.value.length > size) {
      await reader.cancel();
      throw damaged(`got more than ${size} bytes of ${what}, expected as many`);
    }
    out.set(chunk.value, done);
    done += chunk.value.length;
  }
  if (done !== size) throw damaged(`got ${done} bytes of ${what}, expected ${size}`);
}

/**
 * The first bytes of what is deflated, at most `length`; fewer where the packed bytes hold no more or
 * cannot be unpacked further.
 */
export async function inflateStart(packed: Uint8Array, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  const reader = new Blob([packed as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  let done = 0;
  try {
    while (done < length) {
      const { value } = await reader.read();
      if (value === undefined) break;
      const part = value.subarray(0, length - done);
      out.set(part, done);
      done += part.length;
    }
    await reader.cancel();
  } catch {
    // What was cut off cannot be unpacked to its end: what came before it counts.
  }
  return out.subarray(0, done);
}
