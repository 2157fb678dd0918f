/**
 * Reading zip files, as far as `.pt` and `.npz` use them: stored and deflated entries, large files
 * (zip64), checksums verified. Nothing that a file says about its sizes is believed unchecked.
 */
import { crc32 } from "./crc32.ts";
import { quote } from "../errors.ts";
import { identify } from "../identify.ts";
import { inflate, inflateStart } from "./inflate.ts";
import type { ByteSource } from "../file.ts";

/** One file in a zip file. */
export interface ZipEntry {
  /** Its path within the zip file. */
  readonly name: string;
  /** Its bytes once unpacked. */
  readonly size: number;
  /** Its bytes as they stand in the zip file. */
  readonly packedSize: number;
  /** The checksum of the unpacked bytes. */
  readonly crc: number;
  /** Whether it is deflated. */
  readonly deflated: boolean;
  /** Where its own header begins. */
  readonly offset: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
/** Deflate cannot do better than this. */
const BEST_RATIO = 1032;

/** Whether bytes begin as a zip file does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b &&
    (bytes[2] === 3 && bytes[3] === 4 || bytes[2] === 5 && bytes[3] === 6);
}

/**
 * The entries of a zip file by name.
 *
 * @throws {RangeError} if its directory is damaged, or if entries lie in each other.
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const { start, size, count } = await findDirectory(source);
  const directory = await take(source, start, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > size || directory.getUint32(at, true) !== CENTRAL) {
      throw damaged(source, `got no entry at byte ${start + at}, expected ${count} entries`);
    }
    const [entry, length] = parseEntry(source, directory, at, start);
    if (entries.has(entry.name)) {
      throw damaged(source, `got two entries ${quote(entry.name)}, expected one`);
    }
    entries.set(entry.name, entry);
    at += length;
  }
  if (at !== size) {
    throw damaged(source, `got a directory of ${size} bytes, expected ${at} for ${count} entries`);
  }
  let end = 0;
  for (const entry of [...entries.values()].sort((a, b) => a.offset - b.offset)) {
    const next = entry.offset + LOCAL_BYTES + entry.packedSize;
    if (entry.offset < end || next > start) {
      throw damaged(
        source,
        `got ${quote(entry.name)} of ${entry.packedSize} bytes at byte ${entry.offset}, expected ` +
          `it between its neighbours, bytes ${end} to ${start}`,
      );
    }
    end = next;
  }
  return entries;
}

/**
 * The content of an entry, unpacked.
 *
 * @throws {RangeError} if it is damaged: another size or checksum than the directory says.
 */
export async function readEntry(
  source: ByteSource,
  entry: ZipEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  const start = await contentStart(source, entry);
  const bytes = allocate(source, entry);
  if (entry.deflated) {
    const packed = new Uint8Array(entry.packedSize);
    await source.read(start, packed);
    await inflate(
      [packed],
      "deflate-raw",
      bytes,
      quote(entry.name),
      (found) => damaged(source, found),
    );
  } else {
    await source.read(start, bytes);
  }
  // PyTorch can be told to leave checksums out; it writes 0 then.
  if (entry.crc !== 0 && crc32(bytes) !== entry.crc) {
    throw damaged(
      source,
      `got ${quote(entry.name)} with checksum ${hex(crc32(bytes))}, expected ${hex(entry.crc)}`,
    );
  }
  return bytes;
}

/**
 * The first bytes of an entry, unpacked: at most `length`, and unchecked.
 *
 * @throws {RangeError} if the entry is not where the directory says.
 */
export async function readEntryStart(
  source: ByteSource,
  entry: ZipEntry,
  length: number,
): Promise<Uint8Array> {
  const start = await contentStart(source, entry);
  // Deflate lets incompressible bytes grow, by five for each 65,535 at most.
  const most = entry.deflated ? length + 1024 : length;
  const packed = new Uint8Array(Math.min(most, entry.packedSize));
  await source.read(start, packed);
  return entry.deflated ? await inflateStart(packed, length) : packed;
}

/** Where the content of an entry begins, behind its own header. */
async function contentStart(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = await take(source, entry.offset, LOCAL_BYTES);
  if (header.getUint32(0, true) !== LOCAL) {
    throw damaged(source, `got no header of ${quote(entry.name)} at byte ${entry.offset}`);
  }
  const nameLength = header.getUint16(26, true);
  const nameBytes = await take(source, entry.offset + LOCAL_BYTES, nameLength);
  if (new TextDecoder().decode(nameBytes) !== entry.name) {
    throw damaged(source, `got another name at ${quote(entry.name)} itself than in the directory`);
  }
  const start = entry.offset + LOCAL_BYTES + nameLength + header.getUint16(28, true);
  if (start + entry.packedSize > source.size) {
    throw damaged(
      source,
      `got ${entry.packedSize} bytes of ${quote(entry.name)} from byte ${start} on, expected at ` +
        `most ${source.size - start}`,
    );
  }
  return start;
}

function allocate(source: ByteSource, { name, size }: ZipEntry): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw new RangeError(
      `Cannot read ${source.name}: got ${size} bytes in ${quote(name)}, expected no more than ` +
        `there is memory for`,
      { cause: error },
    );
  }
}

interface Directory {
  readonly start: number;
  readonly size: number;
  readonly count: number;
  /** Where it must end, because the next record begins there. */
  readonly end: number;
}

/** The directory stands at the end, before a comment of unknown length. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const length = Math.min(source.size, END_BYTES + LONGEST_COMMENT);
  const tailStart = source.size - length;
  const tail = await take(source, tailStart, length);
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== length) continue;
    const end = tailStart + at;
    const found = {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      start: tail.getUint32(at + 16, true),
      end,
    };
    const isLarge = found.count === 0xffff || found.size === 0xffffffff ||
      found.start === 0xffffffff;
    // PyTorch writes the zip64 records in any case.
    const large = await findDirectory64(source, end);
    if (isLarge && large === null) {
      throw damaged(source, `got no zip64 locator before byte ${end}, expected one`);
    }
    const directory = large ?? found;
    const { count, size, start } = directory;
    if (start + size !== directory.end || count * CENTRAL_BYTES > size) {
      throw damaged(
        source,
        `got a directory of ${count} entries in ${size} bytes at byte ${start}, expected it to ` +
          `end at byte ${directory.end}`,
      );
    }
    return directory;
  }
  const first = new Uint8Array(Math.min(64, source.size));
  await source.read(0, first);
  const found = isZip(first) ? null : identify(first);
  throw damaged(
    source,
    found === null
      ? "got no zip directory at its end, expected a whole zip file"
      : `got ${found}, expected a zip file`,
  );
}

async function findDirectory64(source: ByteSource, end: number): Promise<Directory | null> {
  if (end < 20) return null;
  const locator = await take(source, end - 20, 20);
  if (locator.getUint32(0, true) !== LOCATOR64) return null;
  const at = uint64(source, locator, 8);
  const record = await take(source, at, 56);
  if (record.getUint32(0, true) !== END64) {
    throw damaged(source, `got no zip64 directory record at byte ${at}, expected one`);
  }
  return {
    count: uint64(source, record, 32),
    size: uint64(source, record, 40),
    start: uint64(source, record, 48),
    end: at,
  };
}

function parseEntry(
  source: ByteSource,
  directory: DataView,
  at: number,
  start: number,
): [entry: ZipEntry, length: number] {
  const where = start + at;
  const nameLength = directory.getUint16(at + 28, true);
  const extraLength = directory.getUint16(at + 30, true);
  const length = CENTRAL_BYTES + nameLength + extraLength + directory.getUint16(at + 32, true);
  if (at + length > directory.byteLength) {
    throw damaged(source, `got an entry at byte ${where} that reaches out of the directory`);
  }
  const nameBytes = new Uint8Array(
    directory.buffer,
    directory.byteOffset + at + CENTRAL_BYTES,
    nameLength,
  );
  const name = new TextDecoder().decode(nameBytes);
  if ((directory.getUint16(at + 8, true) & 1) !== 0) {
    throw damaged(source, `got ${quote(name)} encrypted, expected it plain`);
  }
  const method = directory.getUint16(at + 10, true);
  if (method !== 0 && method !== 8) {
    throw damaged(
      source,
      `got ${quote(name)} packed by method ${method}, expected 0 (stored) or 8 (deflated)`,
    );
  }
  const fields = {
    size: directory.getUint32(at + 24, true),
    packedSize: directory.getUint32(at + 20, true),
    offset: directory.getUint32(at + 42, true),
  };
  const extra = at + CENTRAL_BYTES + nameLength;
  readExtra64(source, directory, extra, extra + extraLength, fields);
  const { size, packedSize, offset } = fields;
  if (method === 0 && size !== packedSize) {
    throw damaged(source, `got ${quote(name)} of ${size} bytes stored in ${packedSize}`);
  }
  if (size > packedSize * BEST_RATIO) {
    throw damaged(
      source,
      `got ${quote(name)} of ${size} bytes packed in ${packedSize}, expected at most ` +
        `${packedSize * BEST_RATIO}`,
    );
  }
  const crc = directory.getUint32(at + 16, true);
  return [{ name, size, packedSize, crc, deflated: method === 8, offset }, length];
}

/** Numbers that do not fit 32 bits stand in an extra field, in this order. */
function readExtra64(
  source: ByteSource,
  directory: DataView,
  from: number,
  to: number,
  fields: { size: number; packedSize: number; offset: number },
): void {
  const missing = (["size", "packedSize", "offset"] as const).filter((key) =>
    fields[key] === 0xffffffff
  );
  if (missing.length === 0) return;
  for (let at = from; at + 4 <= to; at += 4 + directory.getUint16(at + 2, true)) {
    if (directory.getUint16(at, true) !== 1) continue;
    if (at + 4 + 8 * missing.length > to) break;
    missing.forEach((key, i) => fields[key] = uint64(source, directory, at + 4 + 8 * i));
    return;
  }
  throw damaged(source, "got an entry of 4 GiB without its zip64 sizes, expected them");
}

function uint64(source: ByteSource, view: DataView, at: number): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  if (!Number.isSafeInteger(value)) {
    throw damaged(source, `got a size or place of ${value}, expected one inside the file`);
  }
  return value;
}

async function take(source: ByteSource, offset: number, length: number): Promise<DataView> {
  if (offset < 0 || offset + length > source.size) {
    throw damaged(
      source,
      `got ${source.size} bytes, expected ${length} more from byte ${offset} on`,
    );
  }
  const bytes = new Uint8Array(length);
  await source.read(offset, bytes);
  return new DataView(bytes.buffer);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function damaged(source: ByteSource, what: string): RangeError {
  return new RangeError(`Cannot read ${source.name}: ${what}`);
}
