/**
 * Writing zip files whose entries are stored as they are, each aligned so that it can be mapped into
 * memory.
 */
import { crc32 } from "./crc32.ts";

/** A file to be put into a zip file. */
export interface ZipFile {
  /** Its path within the zip file. */
  readonly name: string;
  /** Its content. */
  readonly content: Uint8Array;
}

/** Where contents begin: a multiple of this, as in PyTorch's own files. */
const ALIGNMENT = 64;
const UTF8 = 0x0800;
const TOP32 = 0xffffffff;
/** 1980-01-01: the same content gives the same bytes. */
const DATE = 0x0021;
const PADDING_ID = 0x4246;

/** The bytes of a zip file in pieces; contents are taken when their turn comes. */
export function* zipChunks(files: Iterable<ZipFile>): Iterable<Uint8Array> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, content } of files) {
    const path = new TextEncoder().encode(name);
    const crc = crc32(content);
    const local = localHeader(path, crc, content.length, at);
    yield local;
    yield content;
    directory.push(centralHeader(path, crc, content.length, at));
    at += local.length + content.length;
  }
  let size = 0;
  for (const header of directory) {
    yield header;
    size += header.length;
  }
  yield endOfDirectory(directory.length, size, at);
}

function localHeader(path: Uint8Array, crc: number, size: number, at: number): Uint8Array {
  const large = size >= TOP32;
  const fixed = 30 + path.length + (large ? 20 : 0) + 4;
  const padding = (ALIGNMENT - (at + fixed) % ALIGNMENT) % ALIGNMENT;
  const bytes = new Uint8Array(fixed + padding);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, large ? 45 : 20, true);
  view.setUint16(6, UTF8, true);
  view.setUint16(12, DATE, true);
  view.setUint32(14, crc, true);
  view.setUint32(18, Math.min(size, TOP32), true);
  view.setUint32(22, Math.min(size, TOP32), true);
  view.setUint16(26, path.length, true);
  view.setUint16(28, (large ? 20 : 0) + 4 + padding, true);
  bytes.set(path, 30);
  let extra = 30 + path.length;
  if (large) {
    writeExtra64(view, extra, [size, size]);
    extra += 20;
  }
  view.setUint16(extra, PADDING_ID, true);
  view.setUint16(extra + 2, padding, true);
  return bytes;
}

function centralHeader(path: Uint8Array, crc: number, size: number, at: number): Uint8Array {
  const large = [...(size >= TOP32 ? [size, size] : []), ...(at >= TOP32 ? [at] : [])];
  const extra = large.length === 0 ? 0 : 4 + 8 * large.length;
  const bytes = new Uint8Array(46 + path.length + extra);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, extra > 0 ? 45 : 20, true);
  view.setUint16(6, extra > 0 ? 45 : 20, true);
  view.setUint16(8, UTF8, true);
  view.setUint16(14, DATE, true);
  view.setUint32(16, crc, true);
  view.setUint32(20, Math.min(size, TOP32), true);
  view.setUint32(24, Math.min(size, TOP32), true);
  view.setUint16(28, path.length, true);
  view.setUint16(30, extra, true);
  view.setUint32(42, Math.min(at, TOP32), true);
  bytes.set(path, 46);
  if (extra > 0) writeExtra64(view, 46 + path.length, large);
  return bytes;
}

function writeExtra64(view: DataView, at: number, values: readonly number[]): void {
  view.setUint16(at, 1, true);
  view.setUint16(at + 2, 8 * values.length, true);
  values.forEach((value, i) => view.setBigUint64(at + 4 + 8 * i, BigInt(value), true));
}

function endOfDirectory(count: number, size: number, start: number): Uint8Array {
  const large = count >= 0xffff || size >= TOP32 || start >= TOP32;
  const bytes = new Uint8Array((large ? 76 : 0) + 22);
  const view = new DataView(bytes.buffer);
  let at = 0;
  if (large) {
    view.setUint32(0, 0x06064b50, true);
    view.setBigUint64(4, 44n, true);
    view.setUint16(12, 45, true);
    view.setUint16(14, 45, true);
    [count, count, size, start].forEach((value, i) =>
      view.setBigUint64(24 + 8 * i, BigInt(value), true)
    );
    view.setUint32(56, 0x07064b50, true);
    view.setBigUint64(64, BigInt(start + size), true);
    view.setUint32(72, 1, true);
    at = 76;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, Math.min(count, 0xffff), true);
  view.setUint16(at + 10, Math.min(count, 0xffff), true);
  view.setUint32(at + 12, Math.min(size, TOP32), true);
  view.setUint32(at + 16, Math.min(start, TOP32), true);
  return bytes;
}
