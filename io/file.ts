/**
 * Files on disk: read in pieces, written whole or not at all. Everything else in this room works on
 * bytes and runs in a browser; the file system is looked for when a path is first used.
 */
import { describe } from "../autograd/internal.ts";

/** The bytes of a file, wherever they are. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  /** How many bytes there are. */
  readonly size: number;
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): Promise<void>;
}

interface Engine {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/** A module of Deno, Node or Bun; asked for by name so that bundlers for pages do not look for it. */
function builtin<Module>(name: string): Module {
  const found = (globalThis as Engine).process?.getBuiltinModule?.(name);
  if (found === undefined) {
    throw new TypeError(
      "Cannot use a path: got an engine without files, expected Deno, Node 20.16 or later, or Bun; the " +
        "functions that take bytes work everywhere",
    );
  }
  return found as Module;
}

function fileSystem(): typeof import("node:fs/promises") {
  return builtin("node:fs/promises");
}

/** Bytes of a file in the order in which they are written. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The most that one system call reads or writes. */
const PIECE = 2 ** 24;

/**
 * Checks that an argument is a path.
 *
 * @throws {TypeError} if not.
 */
export function assertPath(path: unknown): asserts path is string {
  if (typeof path !== "string" || path === "") {
    throw new TypeError(`Cannot open a file: got ${describe(path)}, expected its path as a string`);
  }
  if (path.includes("\0")) {
    throw new RangeError(
      `Cannot open a file: got a path with a null character, expected one without`,
    );
  }
}

/**
 * Checks that an argument is bytes.
 *
 * @throws {TypeError} if not.
 */
export function assertBytes(bytes: unknown, name: string): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`Cannot read ${name}: got ${describe(bytes)}, expected a Uint8Array`);
  }
}

/**
 * What errors call bytes in memory.
 *
 * @throws {TypeError} if a name is given that is no text.
 */
export function nameOption(name: unknown, otherwise: string): string {
  if (name === undefined || name === null) return otherwise;
  if (typeof name !== "string") {
    throw new TypeError(`Cannot read ${otherwise}: got name ${describe(name)}, expected a text`);
  }
  return name;
}

/** Opens a file for the time that `use` runs. */
export async function withFile<T>(
  path: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  assertPath(path);
  const fs = fileSystem();
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
  assertPath(path);
  const fs = fileSystem();
  // A pipe has no size: it is read to its end.
  if (!(await fs.stat(path)).isFile()) return new Uint8Array(await fs.readFile(path));
  return await withFile(path, async (source) => {
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return bytes;
  });
}

const SUFFIX = ".partial";
/** A temporary file that nobody has written to for so long was left behind by a process that died. */
const ABANDONED_MS = 600_000;

/**
 * Writes a file whole or not at all: into a temporary file of the same folder, which is synced and then
 * takes the name. Whatever happens, `path` holds the old content or the new one.
 */
export async function writeWhole(path: string, chunks: Chunks): Promise<void> {
  assertPath(path);
  const fs = fileSystem();
  const target = await targetOf(path);
  const before = await fs.stat(target).catch(() => null);
  if (before !== null && !before.isFile()) {
    throw new RangeError(
      `Cannot write ${path}: got a ${
        before.isDirectory() ? "folder" : "device or pipe"
      } of that name, ` +
        `expected a file or a new name`,
    );
  }
  const slash = Math.max(target.lastIndexOf("/"), target.lastIndexOf("\\"));
  const folder = slash < 0 ? "." : target.slice(0, slash + 1);
  await removeAbandoned(folder, target.slice(slash + 1));
  // Process ids repeat, in containers and in workers of one process.
  const random = Math.random().toString(36).slice(2, 12);
  const temporary = `${target}.${globalThis.process?.pid ?? 0}-${random}${SUFFIX}`;
  const handle = await fs.open(temporary, "wx", before === null ? 0o666 : before.mode & 0o777);
  try {
    try {
      for await (const chunk of chunks) {
        for (let done = 0; done < chunk.length;) {
          const length = Math.min(PIECE, chunk.length - done);
          done += (await handle.write(chunk, done, length)).bytesWritten;
        }
      }
      await handle.sync();
      if (before !== null) await handle.chmod(before.mode & 0o777);
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Where a path leads: through links, also to a file that is not there yet. */
async function targetOf(path: string): Promise<string> {
  const fs = fileSystem();
  const { dirname, resolve } = builtin<typeof import("node:path")>("node:path");
  let target = path;
  for (let hops = 0; hops < 40; hops++) {
    const real = await fs.realpath(target).catch(() => null);
    if (real !== null) return real;
    const link = await fs.readlink(target).catch(() => null);
    if (link === null) return target;
    target = resolve(dirname(target), link);
  }
  throw new RangeError(`Cannot write ${path}: got links that lead in a circle, expected a file`);
}

/** Makes the new name last; where folders cannot be opened, as on Windows, the system does it later. */
async function syncFolder(folder: string): Promise<void> {
  const fs = fileSystem();
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
  const fs = fileSystem();
  try {
    for (const other of await fs.readdir(folder)) {
      if (!other.startsWith(`${name}.`) || !/\.\d+-[0-9a-z]+\.partial$/.test(other)) continue;
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
  assertBytes(bytes, name);
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
