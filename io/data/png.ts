/**
 * PNG images as tensors: every colour type and depth, interlaced or not, checksums verified.
 *
 * @see https://www.w3.org/TR/png-3/
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertOptions } from "../../autograd/internal.ts";
import { crc32 } from "../archive/crc32.ts";
import { assertBytes, nameOption, readBytes } from "../file.ts";
import { identify } from "../identify.ts";
import { inflate } from "../archive/inflate.ts";
import type { NameOptions } from "../safetensors.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Larger images are refused: 64 million pixels. */
const MOST_PIXELS = 2 ** 26;
/** By colour type: samples in a pixel, and the depths that are allowed. */
const COLOUR_TYPES: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;
/** Adam7: where each pass begins and how far it steps, x and y. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly samples: number;
  readonly isInterlaced: boolean;
}

interface Png {
  readonly header: Header;
  readonly data: readonly Uint8Array[];
  readonly palette: Uint8Array | null;
  readonly transparency: Uint8Array | null;
}

/**
 * Reads a PNG image from a file.
 *
 * @param path The file.
 * @returns The image; see {@linkcode decodePng}.
 * @throws {RangeError} if the file is damaged or larger than 64 million pixels.
 */
export async function loadPng(path: string): Promise<Tensor> {
  return await decodePng(await readBytes(path), { name: path });
}

/**
 * Reads the bytes of a PNG image.
 *
 * @param bytes The file.
 * @param options `name` for errors.
 * @returns The image as [channels, height, width] with values of 0 to 1; the channels are grey, grey and
 * alpha, red green blue, or red green blue alpha.
 * @throws {RangeError} if it is damaged or larger than 64 million pixels.
 */
export async function decodePng(bytes: Uint8Array, options: NameOptions = {}): Promise<Tensor> {
  assertOptions("read PNG", options, ["name"]);
  const name = nameOption(options.name, "PNG data");
  const damaged = (what: string): RangeError => new RangeError(`Cannot read ${name}: ${what}`);
  assertBytes(bytes, name);
  const png = readChunks(bytes, damaged);
  const samples = await readSamples(png, damaged);
  return toTensor(png, samples, damaged);
}

type Damage = (what: string) => RangeError;

function readChunks(bytes: Uint8Array, damaged: Damage): Png {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    const found = identify(bytes);
    throw damaged(
      found === null
        ? "got a file that does not start as a PNG image does, expected one that does"
        : `got ${found}, expected a PNG image`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let header: Header | null = null;
  let palette: Uint8Array | null = null;
  let transparency: Uint8Array | null = null;
  for (let at = 8;;) {
    if (at + 12 > bytes.length) throw damaged(`got its end at byte ${bytes.length}, expected IEND`);
    const length = view.getUint32(at);
    if (length > bytes.length - at - 12) {
      throw damaged(
        `got a chunk of ${length} bytes at byte ${at}, expected at most ${bytes.length - at - 12}`,
      );
    }
    const kind = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw damaged(`got a chunk ${kind} at byte ${at} with another checksum than its own`);
    }
    if (header === null) header = readHeader(kind, content, damaged);
    else if (kind === "IEND") return { header, data, palette, transparency };
    else if (kind === "IDAT") data.push(content);
    else if (kind === "PLTE") palette = content;
    else if (kind === "tRNS") transparency = content;
    else if ((bytes[at + 4] & 0x20) === 0) {
      throw damaged(`got a chunk ${kind} at byte ${at}, expected one that is known or not needed`);
    }
    at += 12 + length;
  }
}

function readHeader(kind: string, content: Uint8Array, damaged: Damage): Header {
  if (kind !== "IHDR" || content.length !== 13) {
    throw damaged("got no header in front, expected IHDR");
  }
  const view = new DataView(content.buffer, content.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colourType, packing, filtering, interlacing] = content.subarray(8);
  if (width === 0 || height === 0 || width * height > MOST_PIXELS) {
    throw damaged(`got ${width} × ${height} pixels, expected 1 to ${MOST_PIXELS}`);
  }
  const type = COLOUR_TYPES[colourType];
  if (type === undefined || !type.depths.includes(depth)) {
    throw damaged(`got colour type ${colourType} of ${depth} bits, expected one that PNG has`);
  }
  if (packing !== 0 || filtering !== 0 || interlacing > 1) {
    throw damaged("got an unknown way of packing, filtering or interlacing, expected those of PNG");
  }
  return {
    width,
    height,
    depth,
    colourType,
    samples: type.samples,
    isInterlaced: interlacing === 1,
  };
}

interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly width: number;
  readonly height: number;
}

function passesOf({ width, height, isInterlaced }: Header): Pass[] {
  const steps = isInterlaced ? PASSES : [[0, 0, 1, 1]] as const;
  return steps.map(([x, y, stepX, stepY]) => ({
    x,
    y,
    stepX,
    stepY,
    width: Math.ceil((width - x) / stepX),
    height: Math.ceil((height - y) / stepY),
  })).filter(({ width, height }) => width > 0 && height > 0);
}

/** The samples as they are stored, row-major, the samples of a pixel together. */
async function readSamples({ header, data }: Png, damaged: Damage): Promise<Uint16Array> {
  const { width, height, depth, samples } = header;
  const passes = passesOf(header);
  const rowBytes = (pass: Pass): number => Math.ceil(pass.width * samples * depth / 8);
  const size = passes.reduce((sum, pass) => sum + pass.height * (1 + rowBytes(pass)), 0);
  const raw = new Uint8Array(size);
  await inflate(data, "deflate", raw, "image data", damaged);
  const out = new Uint16Array(width * height * samples);
  const pixelBytes = Math.max(1, samples * depth / 8);
  let at = 0;
  for (const pass of passes) {
    const length = rowBytes(pass);
    let before: Uint8Array = new Uint8Array(length);
    for (let row = 0; row < pass.height; row++) {
      const line = raw.subarray(at + 1, at + 1 + length);
      undoFilter(raw[at], line, before, pixelBytes, damaged);
      before = line;
      at += 1 + length;
      const y = pass.y + row * pass.stepY;
      for (let column = 0; column < pass.width; column++) {
        const to = (y * width + pass.x + column * pass.stepX) * samples;
        for (let s = 0; s < samples; s++) {
          out[to + s] = sampleOf(line, column * samples + s, depth);
        }
      }
    }
  }
  return out;
}

function sampleOf(line: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return line[index];
  if (depth === 16) return line[2 * index] << 8 | line[2 * index + 1];
  const bit = index * depth;
  return line[bit >> 3] >> (8 - depth - (bit & 7)) & ((1 << depth) - 1);
}

/** Each byte was stored as its difference from a guess: left, above, their mean, or Paeth's. */
function undoFilter(
  filter: number,
  line: Uint8Array,
  above: Uint8Array,
  pixelBytes: number,
  damaged: Damage,
): void {
  if (filter > 4) throw damaged(`got filter ${filter} in a row, expected 0 to 4`);
  if (filter === 0) return;
  for (let i = 0; i < line.length; i++) {
    const left = i < pixelBytes ? 0 : line[i - pixelBytes];
    const corner = i < pixelBytes ? 0 : above[i - pixelBytes];
    const guess = filter === 1
      ? left
      : filter === 2
      ? above[i]
      : filter === 3
      ? left + above[i] >> 1
      : paeth(left, above[i], corner);
    line[i] += guess;
  }
}

/** Of left, above and corner the one nearest to left + above − corner. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function toTensor({ header, palette, transparency }: Png, samples: Uint16Array, damaged: Damage) {
  const { width, height, depth, colourType } = header;
  const pixels = width * height;
  const isPalette = colourType === PALETTE;
  if (isPalette && (palette === null || palette.length === 0 || palette.length % 3 !== 0)) {
    throw damaged("got an image of palette colours without its palette, expected PLTE");
  }
  const colours = isPalette ? 3 : header.samples;
  const hasKey = transparency !== null && (colourType === 0 || colourType === 2);
  const channels = colours + Number(hasKey || (isPalette && transparency !== null));
  const values = new Float64Array(channels * pixels);
  const top = isPalette ? 255 : 2 ** depth - 1;
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (isPalette) {
      const index = samples[pixel];
      if (3 * index >= palette!.length) {
        throw damaged(`got colour ${index}, expected one of ${palette!.length / 3}`);
      }
      for (let c = 0; c < 3; c++) values[c * pixels + pixel] = palette![3 * index + c] / top;
      if (transparency !== null) values[3 * pixels + pixel] = (transparency[index] ?? 255) / 255;
    } else {
      const from = pixel * colours;
      for (let c = 0; c < colours; c++) values[c * pixels + pixel] = samples[from + c] / top;
      if (hasKey) {
        let isKey = true;
        for (let c = 0; c < colours; c++) {
          const key = transparency[2 * c] << 8 | transparency[2 * c + 1];
          isKey &&= samples[from + c] === key;
        }
        values[colours * pixels + pixel] = isKey ? 0 : 1;
      }
    }
  }
  return new Tensor({ values, version: 0 }, [channels, height, width]);
}
