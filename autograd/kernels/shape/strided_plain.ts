/** Copies between a row-major array and one that is walked with strides. */

/** Axes that can be walked as one, merged; sizes of 1 dropped. At least one axis remains. */
export function mergeAxes(
  shape: readonly number[],
  strides: readonly number[],
): [sizes: number[], strides: number[]] {
  const sizes: number[] = [];
  const steps: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && steps[last] === strides[i] * shape[i]) {
      sizes[last] *= shape[i];
      steps[last] = strides[i];
    } else {
      sizes.push(shape[i]);
      steps.push(strides[i]);
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    steps.push(1);
  }
  return [sizes, steps];
}

/** The offset of each row of the innermost axis, handed to `row` in row-major order. */
export class RowWalk {
  /** Where the current row starts in the strided array. */
  offset: number;
  readonly #index: Int32Array;

  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  /** The elements of a row, and from one of them to the next. */
  readonly length: number;
  readonly step: number;

  constructor(sizes: readonly number[], strides: readonly number[], offset: number) {
    this.sizes = sizes;
    this.strides = strides;
    this.offset = offset;
    const last = sizes.length - 1;
    this.length = sizes[last];
    this.step = strides[last];
    this.#index = new Int32Array(last);
  }

  /** Moves to the next row; harmless past the last. */
  next(): void {
    for (let axis = this.#index.length - 1; axis >= 0; axis--) {
      this.offset += this.strides[axis];
      if (++this.#index[axis] < this.sizes[axis]) return;
      this.#index[axis] = 0;
      this.offset -= this.strides[axis] * this.sizes[axis];
    }
  }
}

/**
 * `out[i] = x[offset + Σ index·stride]` for each index of `shape` in row-major order. A stride may
 * be 0 (broadcasting) or negative (flipping).
 */
export function gatherStrided(
  x: Float64Array,
  out: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  if (out.length === 0) return;
  const walk = new RowWalk(...mergeAxes(shape, strides), offset);
  const { length, step } = walk;
  const near = walk.strides.indexOf(1);
  if (near >= 0 && near < walk.strides.length - 1 && length > stripe(step)) {
    return gatherStripes(x, out, walk, near);
  }
  for (let start = 0; start < out.length; start += length) {
    let from = walk.offset;
    if (step === 1) {
      copyRun(x, from, out, start, length);
    } else if (step === 0) {
      out.fill(x[from], start, start + length);
    } else {
      for (let i = start; i < start + length; i++) {
        out[i] = x[from];
        from += step;
      }
    }
    walk.next();
  }
}

/**
 * How many values `step` apart stay in the first cache, a line each: fewer where the step is such that
 * they fall into the same sets.
 */
function stripe(step: number): number {
  return step % 256 === 0 ? 16 : 1024;
}

/**
 * {@linkcode gatherStrided} where neighbours of x lie along axis `near` and not along the last one,
 * which is too long to walk whole: each cache line would be gone before its next value is wanted.
 */
function gatherStripes(
  x: Float64Array,
  out: Float64Array,
  { sizes, strides: steps, offset, length: columns, step }: RowWalk,
  near: number,
): void {
  const last = sizes.length - 1;
  const rows = sizes[near];
  const width = stripe(step);
  const outSteps = new Array<number>(sizes.length).fill(1);
  for (let axis = last - 1; axis >= 0; axis--) {
    outSteps[axis] = outSteps[axis + 1] * sizes[axis + 1];
  }
  const row = outSteps[near];
  // Both arrays as seen from the axes that are left; one more, so that there always is one.
  const others = sizes.map((_, axis) => axis).filter((axis) => axis !== near && axis !== last);
  const left = [...others.map((axis) => sizes[axis]), 1];
  const source = new RowWalk(left, [...others.map((axis) => steps[axis]), 0], offset);
  const target = new RowWalk(left, [...others.map((axis) => outSteps[axis]), 0], 0);
  for (let count = out.length / (rows * columns); count > 0; count--) {
    for (let begin = 0; begin < columns; begin += width) {
      const end = Math.min(begin + width, columns);
      for (let i = 0; i < rows; i++) {
        let from = source.offset + i + begin * step;
        const base = target.offset + i * row;
        for (let to = base + begin; to < base + end; to++) {
          out[to] = x[from];
          from += step;
        }
      }
    }
    source.next();
    target.next();
  }
}

/**
 * The transpose of {@linkcode gatherStrided}: `out[offset + Σ index·stride] += x[i]`, from zeros.
 */
export function scatterStrided(
  x: Float64Array,
  out: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  out.fill(0);
  if (x.length === 0) return;
  const walk = new RowWalk(...mergeAxes(shape, strides), offset);
  const { length, step } = walk;
  for (let start = 0; start < x.length; start += length) {
    let to = walk.offset;
    if (step === 0) {
      out[to] += sumRange(x, start, start + length);
    } else {
      for (let i = start; i < start + length; i++) {
        out[to] += x[i];
        to += step;
      }
    }
    walk.next();
  }
}

/** The sum of `x[from … to − 1]` by halves, which keeps the error at O(log n) roundings. */
export function sumRange(x: Float64Array, from: number, to: number): number {
  if (to - from > 512) {
    const middle = from + ((to - from) >> 4 << 3);
    return sumRange(x, from, middle) + sumRange(x, middle, to);
  }
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = from;
  for (; i + 3 < to; i += 4) {
    s0 += x[i];
    s1 += x[i + 1];
    s2 += x[i + 2];
    s3 += x[i + 3];
  }
  for (; i < to; i++) s0 += x[i];
  return (s0 + s1) + (s2 + s3);
}

/**
 * With `out` in rows of `row` values, writes `x`, in rows of `width`, into the columns from `column`
 * on.
 */
export function writeColumns(
  x: Float64Array,
  out: Float64Array,
  row: number,
  column: number,
  width: number,
): void {
  if (width === 0) return;
  for (let from = 0, to = column; from < x.length; from += width, to += row) {
    copyRun(x, from, out, to, width);
  }
}

/** With `x` in rows of `row` values, reads the columns from `column` on into rows of `width`. */
export function readColumns(
  x: Float64Array,
  out: Float64Array,
  row: number,
  column: number,
  width: number,
): void {
  if (width === 0) return;
  for (let from = column, to = 0; to < out.length; from += row, to += width) {
    copyRun(x, from, out, to, width);
  }
}

/** `out[to + i] = x[from + i]`; a native copy where it is worth the call. */
function copyRun(
  x: Float64Array,
  from: number,
  out: Float64Array,
  to: number,
  length: number,
): void {
  if (length >= 64) {
    out.set(x.subarray(from, from + length), to);
  } else {
    for (let i = 0; i < length; i++) out[to + i] = x[from + i];
  }
}

/** `out[offset + Σ index·stride] = x[i]` for each index of `shape`; the rest of `out` stays. */
export function placeStrided(
  x: Float64Array,
  out: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  if (x.length === 0) return;
  const walk = new RowWalk(...mergeAxes(shape, strides), offset);
  const { length, step } = walk;
  for (let start = 0; start < x.length; start += length) {
    if (step === 1) {
      copyRun(x, start, out, walk.offset, length);
    } else {
      for (let i = 0; i < length; i++) out[walk.offset + i * step] = x[start + i];
    }
    walk.next();
  }
}
