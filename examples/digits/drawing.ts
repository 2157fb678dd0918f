/**
 * From a drawn digit to what the network was trained on: one light digit on black, filling the image.
 */
import { type Tensor, tensor } from "../../mod.ts";

/** Grey values, row-major, 0 to 1. */
interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
}

/** What counts as part of the digit. */
const VISIBLE = 0.2;
/** Images of MNIST's size keep a margin; the small digits fill theirs. */
const MARGIN_FROM = 20;
const MARGIN = 4 / 28;

/**
 * Finds the digit in an image and scales it to a network's input: dark on light or light on dark, of any
 * size, anywhere in the image.
 *
 * @param image [channels, height, width], as `decodePng` gives it.
 * @param side The sides of the network's input.
 * @returns [1, 1, side, side], or `null` if nothing is drawn.
 */
export function toDigit(image: Tensor, side: number): Tensor | null {
  const grey = toGrey(image);
  const ink = toInk(grey);
  if (ink === null) return null;
  const values = grey.width === side && grey.height === side
    ? ink.values
    : fitted(cropped(ink), side);
  return tensor(values, { shape: [1, 1, side, side] });
}

/** Luminance over white. */
function toGrey(image: Tensor): Grey {
  const [channels, height, width] = image.shape;
  const pixels = width * height;
  const { data } = image;
  const hasAlpha = channels === 2 || channels === 4;
  const values = new Float64Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const light = channels < 3
      ? data[i]
      : 0.299 * data[i] + 0.587 * data[pixels + i] + 0.114 * data[2 * pixels + i];
    const alpha = hasAlpha ? data[(channels - 1) * pixels + i] : 1;
    values[i] = alpha * light + (1 - alpha);
  }
  return { width, height, values };
}

/** How far each pixel is from the background, which is what the border mostly shows; 1 at the most. */
function toInk({ width, height, values }: Grey): Grey | null {
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(values[y * width], values[y * width + width - 1]);
  border.sort((a, b) => a - b);
  // A digit that reaches the border covers less than half of it.
  const background = border[border.length >> 1];
  const ink = values.map((value) => Math.abs(value - background));
  const most = ink.reduce((largest, value) => Math.max(largest, value), 0);
  return most < 0.1 ? null : { width, height, values: ink.map((value) => value / most) };
}

/** The smallest part that holds everything visible. */
function cropped({ width, height, values }: Grey): Grey {
  let [left, top, right, bottom] = [width, height, -1, -1];
  values.forEach((value, i) => {
    if (value < VISIBLE) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  const size = { width: right - left + 1, height: bottom - top + 1 };
  const part = Float64Array.from({ length: size.width * size.height }, (_, i) => {
    return values[(top + Math.floor(i / size.width)) * width + left + i % size.width];
  });
  return { ...size, values: part };
}

/** Scaled to fit into a square, in its middle; each pixel is the average of what it covers. */
function fitted({ width, height, values }: Grey, side: number): Float64Array {
  const room = side - 2 * (side >= MARGIN_FROM ? Math.round(side * MARGIN) : 0);
  const scale = Math.max(width, height) / room;
  const [left, top] = [(side - width / scale) / 2, (side - height / scale) / 2];
  const out = new Float64Array(side * side);
  for (let y = 0; y < side; y++) {
    const rows = overlaps((y - top) * scale, (y + 1 - top) * scale, height);
    for (let x = 0; x < side; x++) {
      let sum = 0;
      const columns = overlaps((x - left) * scale, (x + 1 - left) * scale, width);
      for (const [row, share] of rows) {
        for (const [column, part] of columns) sum += share * part * values[row * width + column];
      }
      out[y * side + x] = sum / scale ** 2;
    }
  }
  const most = out.reduce((largest, value) => Math.max(largest, value), 0);
  return out.map((value) => value / most);
}

/** The pixels between two places, each with the share of it that lies there. */
function overlaps(from: number, to: number, size: number): [pixel: number, share: number][] {
  const found: [number, number][] = [];
  for (let i = Math.max(0, Math.floor(from)); i < Math.min(size, Math.ceil(to)); i++) {
    found.push([i, Math.min(to, i + 1) - Math.max(from, i)]);
  }
  return found;
}
