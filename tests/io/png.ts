/**
 * Writing PNG images of every kind, for the tests of reading them.
 */
import { zlibSync } from "npm:fflate@0.8.3";
import { crc32 } from "../../io/archive/crc32.ts";
import { joinChunks } from "../../io/file.ts";

/** An image as PNG stores it. */
export interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  /** Row-major, the samples of a pixel together. */
  readonly samples: ArrayLike<number>;
  readonly palette?: Uint8Array;
  readonly transparency?: Uint8Array;
  readonly interlaced?: boolean;
}

const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** A PNG file; row r is filtered by filter r mod 5. */
export function encodePng(image: PngImage): Uint8Array<ArrayBuffer> {
  const { width, height, depth, colourType, interlaced = false } = image;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colourType, 0, 0, Number(interlaced)], 8);
  return joinChunks([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    ...(image.palette === undefined ? [] : [chunk("PLTE", image.palette)]),
    ...(image.transparency === undefined ? [] : [chunk("tRNS", image.transparency)]),
    chunk("tEXt", new TextEncoder().encode("Comment\0made by a test")),
    ...halves(zlibSync(rowsOf(image))).map((part) => chunk("IDAT", part)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Image data may stand in several chunks. */
function halves(bytes: Uint8Array): Uint8Array[] {
  return [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];
}

/** A chunk of a PNG file. */
export function chunk(kind: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(content, 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

function rowsOf({ width, height, depth, colourType, samples, interlaced }: PngImage): Uint8Array {
  const perPixel = SAMPLES[colourType];
  const pixelBytes = Math.max(1, perPixel * depth / 8);
  const rows: Uint8Array[] = [];
  for (const [x0, y0, stepX, stepY] of interlaced ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.ceil((width - x0) / stepX);
    if (columns <= 0) continue;
    const length = Math.ceil(columns * perPixel * depth / 8);
    let above = new Uint8Array(length);
    for (let y = y0, r = 0; y < height; y += stepY, r++) {
      const line = new Uint8Array(length);
      for (let c = 0; c < columns; c++) {
        for (let s = 0; s < perPixel; s++) {
          const value = samples[(y * width + x0 + c * stepX) * perPixel + s];
          const bit = (c * perPixel + s) * depth;
          if (depth === 16) line.set([value >> 8, value & 255], bit / 8);
          else line[bit >> 3] |= value << (8 - depth - (bit & 7));
        }
      }
      rows.push(filtered(line, above, r % 5, pixelBytes));
      above = line;
    }
  }
  return joinChunks(rows);
}

function filtered(line: Uint8Array, above: Uint8Array, filter: number, pixelBytes: number) {
  const out = new Uint8Array(1 + line.length);
  out[0] = filter;
  for (let i = 0; i < line.length; i++) {
    const left = line[i - pixelBytes] ?? 0;
    const corner = above[i - pixelBytes] ?? 0;
    const p = left + above[i] - corner;
    const nearest = [left, above[i], corner].reduce((best, value) =>
      Math.abs(p - value) < Math.abs(p - best) ? value : best
    );
    out[1 + i] = line[i] - [0, left, above[i], left + above[i] >> 1, nearest][filter];
  }
  return out;
}
