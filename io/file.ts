/**
 * Files on disk: read in pieces, written whole or not at all. Everything else in this room works on
 * bytes and runs in a browser; `node:fs` is loaded when a path is first used, in Deno, Node and Bun.
 */

/** The bytes of a file, wherever they are. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  /** How many bytes there are. */
  readonly size: number;
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): Promise<void>;
}

/** Bytes of a file in the order in which they are written. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The most that one system call reads or writes. */
const PIECE = 2 ** 24;

/** Opens a file for the time that `use` runs. */
export async function withFile<T>(
  path: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const fs = await import("node:fs/promises");
  const handle = await fs.open(path, "r");
  try {
    const { size } = await handle.stat();
    const read = async (offset: number, target: Uint8Array): Promise<void> => {
      for (let done = 0; done < target.length;) {
        const length = Math.min(PIECE, target.length - done);
        const { bytesRead } = await handle.read(target, done, length, offset + done);
        if (bytesRead === 0) {
          throw new RangeError(
            `Cannot read ${path}: got its end at byte ${offset + done}, expected ${size} bytes`,
          );
        }
        done += bytesRead;
      }
    };
    return await use({ name: path, size, read });
  } finally {
    await handle.close();
  }
}

/** The whole of a file. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return await withFile(path, async (source) => {
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return bytes;
  });
}

let temporaryCount = 0;
const SUFFIX = ".partial";
/** A temporary file that nobody has written to for so long was left behind by a process that died. */
const ABANDONED_MS = 600_000;

/**
 * Writes a file whole or not at all: into a temporary file of the same folder, which is synced and then
 * takes the name. Whatever happens, `path` holds the old content or the new one.
 */
export async function writeWhole(path: string, chunks: Chunks): Promise<void> {
  const fs = await import("node:fs/promises");
  const target = await fs.realpath(path).catch(() => path);
  const temporary = `${target}.${globalThis.process?.pid ?? 0}-${temporaryCount++}${SUFFIX}`;
  const handle = await fs.open(temporary, "wx");
  try {
    try {
      for await (const chunk of chunks) {
        for (let done = 0; done < chunk.length;) {
          const length = Math.min(PIECE, chunk.length - done);
          done += (await handle.write(chunk, done, length)).bytesWritten;
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  const slash = Math.max(target.lastIndexOf("/"), target.lastIndexOf("\\"));
  const folder = slash < 0 ? "." : target.slice(0, slash + 1);
  await syncFolder(folder);
  await removeAbandoned(folder, target.slice(slash + 1));
}

/** Makes the new name last; where folders cannot be opened, as on Windows, the system does it later. */
async function syncFolder(folder: string): Promise<void> {
  const fs = await import("node:fs/promises");
  try {
    const handle = await fs.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file itself is synced; only the order of the rename is left to the system.
  }
}

/** Removes what processes that were killed during a save of `name` have left. */
async function removeAbandoned(folder: string, name: string): Promise<void> {
  const fs = await import("node:fs/promises");
  try {
    for (const other of await fs.readdir(folder)) {
      if (!other.startsWith(`${name}.`) || !/\.\d+-\d+\.partial$/.test(other)) continue;
      const path = folder === "." ? other : `${folder}${other}`;
      const { mtimeMs } = await fs.stat(path);
      if (Date.now() - mtimeMs > ABANDONED_MS) await fs.rm(path, { force: true });
    }
  } catch {
    // Somebody else's files, or a folder that may not be read: nothing that a save depends on.
  }
}

/** Bytes in memory as a source. */
export function sourceOf(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read(offset, target) {
      target.set(bytes.subarray(offset, offset + target.length));
      return Promise.resolve();
    },
  };
}

/** Pieces as one array. */
export function joinChunks(chunks: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const pieces = [...chunks];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
