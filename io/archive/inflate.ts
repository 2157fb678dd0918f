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
