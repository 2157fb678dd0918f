/** Windows that slide over planes of three axes, and the copies that lay them side by side. */

/** One number for each of the three axes; planes of fewer axes have leading sizes of 1. */
export type Triple = readonly [depth: number, height: number, width: number];

/**
 * Where the windows lie: output o of an axis looks at inputs `o·stride − padding + tap·dilation` for
 * the taps 0 … kernel − 1. What lies outside the input counts as 0.
 */
export interface Window {
  /** The sizes of an input plane. */
  readonly input: Triple;
  /** The taps of a window. */
  readonly kernel: Triple;
  /** The number of windows. */
  readonly output: Triple;
  /** From one window to the next. */
  readonly stride: Triple;
  /** Zeros before the first input. */
  readonly padding: Triple;
  /** From one tap to the next. */
  readonly dilation: Triple;
}

/** The volume of a triple. */
export function volume([depth, height, width]: Triple): number {
  return depth * height * width;
}

/** The first output whose window has `tap` at or after the first input. */
function firstInside(axis: number, tap: number, { stride, padding, dilation, output }: Window) {
  const before = padding[axis] - tap * dilation[axis];
  return before <= 0 ? 0 : Math.min(Math.ceil(before / stride[axis]), output[axis]);
}

/** One past the last output whose window has `tap` before the end of the input. */
function endInside(axis: number, tap: number, window: Window): number {
  const { input, stride, padding, dilation, output } = window;
  const after = input[axis] - 1 + padding[axis] - tap * dilation[axis];
  return after < 0 ? 0 : Math.min(Math.floor(after / stride[axis]) + 1, output[axis]);
}

/**
 * Rows that lie behind each other in x as they do in the columns, copied as one run; what the run took
 * from beyond the ends of a row is then cleared.
 *
 * @param top The rows above, which are 0.
 * @param rows The rows that x has.
 * @param first The first column of a row that x has, `end` one past the last.
 */
function copyRows(
  x: Float64Array,
  from: number,
  columns: Float64Array,
  to: number,
  top: number,
  rows: number,
  height: number,
  width: number,
  first: number,
  end: number,
): void {
  const start = to + top * width;
  const stop = start + rows * width;
  if (rows > 0 && end > first) {
    columns.set(x.subarray(from + first, from + (rows - 1) * width + end), start + first);
  }
  columns.fill(0, to, start);
  columns.fill(0, stop, to + height * width);
  for (let row = start; row < stop; row += width) {
    for (let i = row; i < row + first; i++) columns[i] = 0;
    for (let i = row + end; i < row + width; i++) columns[i] = 0;
  }
}

/**
 * Lays the windows of `channels` planes side by side: row (channel, tap) and column (output) of
 * `columns` is the input that the tap of that window sees.
 *
 * @param x The planes, from `offset` on.
 * @param columns Filled with [channels · taps, outputs], from `start` on, rows `pitch` apart: several
 * images can share one matrix.
 */
export function im2col(
  x: Float64Array,
  offset: number,
  columns: Float64Array,
  channels: number,
  window: Window,
  start = 0,
  pitch: number = volume(window.output),
): void {
  const { input, kernel, output, stride, padding, dilation } = window;
  const [depth, height, width] = input;
  const [outDepth, outHeight, outWidth] = output;
  const step = stride[2];
  const contiguous = stride[1] === 1 && stride[2] === 1 && outWidth === width;
  let row = start;
  for (let c = 0; c < channels; c++) {
    const plane = offset + c * depth * height * width;
    for (let kd = 0; kd < kernel[0]; kd++) {
      for (let kh = 0; kh < kernel[1]; kh++) {
        for (let kw = 0; kw < kernel[2]; kw++, row += pitch) {
          let to = row;
          const first = firstInside(2, kw, window);
          const end = Math.max(endInside(2, kw, window), first);
          for (let od = 0; od < outDepth; od++) {
            const z = od * stride[0] - padding[0] + kd * dilation[0];
            if (contiguous && z >= 0 && z < depth) {
              const shift = kh * dilation[1] - padding[1];
              const top = firstInside(1, kh, window);
              const rows = Math.max(endInside(1, kh, window), top) - top;
              const from = plane + (z * height + top + shift) * width - padding[2] +
                kw * dilation[2];
              copyRows(x, from, columns, to, top, rows, outHeight, width, first, end);
              to += outHeight * width;
              continue;
            }
            for (let oh = 0; oh < outHeight; oh++) {
              const y = oh * stride[1] - padding[1] + kh * dilation[1];
              const rowEnd = to + outWidth;
              if (z < 0 || z >= depth || y < 0 || y >= height) {
                for (; to < rowEnd; to++) columns[to] = 0;
                continue;
              }
              let from = plane + (z * height + y) * width - padding[2] + kw * dilation[2] +
                first * step;
              const firstTo = to + first;
              const endTo = to + end;
              for (; to < firstTo; to++) columns[to] = 0;
              for (; to < endTo; to++) {
                columns[to] = x[from];
                from += step;
              }
              for (; to < rowEnd; to++) columns[to] = 0;
            }
          }
        }
      }
    }
  }
}

/**
 * The transpose of {@linkcode im2col}: adds each entry of `columns` to the input that it was taken
 * from.
 *
 * @param x The planes, from `offset` on; added to, not cleared.
 */
export function col2im(
  columns: Float64Array,
  x: Float64Array,
  offset: number,
  channels: number,
  window: Window,
  start = 0,
  pitch: number = volume(window.output),
): void {
  const { input, kernel, output, stride, padding, dilation } = window;
  const [depth, height, width] = input;
  const [outDepth, outHeight, outWidth] = output;
  const step = stride[2];
  let row = start;
  for (let c = 0; c < channels; c++) {
    const plane = offset + c * depth * height * width;
    for (let kd = 0; kd < kernel[0]; kd++) {
      for (let kh = 0; kh < kernel[1]; kh++) {
        for (let kw = 0; kw < kernel[2]; kw++, row += pitch) {
          let from = row;
          const first = firstInside(2, kw, window);
          const end = endInside(2, kw, window);
          for (let od = 0; od < outDepth; od++) {
            const z = od * stride[0] - padding[0] + kd * dilation[0];
            for (let oh = 0; oh < outHeight; oh++, from += outWidth) {
              const y = oh * stride[1] - padding[1] + kh * dilation[1];
              if (z < 0 || z >= depth || y < 0 || y >= height) continue;
              let to = plane + (z * height + y) * width - padding[2] + kw * dilation[2] +
                first * step;
              for (let i = from + first; i < from + end; i++) {
                x[to] += columns[i];
                to += step;
              }
            }
          }
        }
      }
    }
  }
}
