/**
 * Functions along one axis of an array seen as [outer, n, inner].
 */

/** The sizes around an axis. */
export interface AxisSizes {
  /** The elements of the axes before it. */
  readonly outer: number;
  /** The elements along it. */
  readonly n: number;
  /** The elements of the axes behind it. */
  readonly inner: number;
}

/** Sums of everything up to and including each element, or of everything from it on. */
export function cumsum(
  x: Float64Array,
  out: Float64Array,
  { outer, n, inner }: AxisSizes,
  reverse: boolean,
): void {
  const step = reverse ? -inner : inner;
  const first = reverse ? (n - 1) * inner : 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let at = o * n * inner + first + i;
      let total = 0;
      for (let k = 0; k < n; k++, at += step) out[at] = total += x[at];
    }
  }
}

/** Calls `visit` with where each line along the axis begins and ends; its elements lie `inner` apart. */
function eachLine(
  { outer, n, inner }: AxisSizes,
  visit: (from: number, to: number) => void,
): void {
  for (let o = 0; o < outer; o++) {
    const first = o * n * inner;
    for (let from = first; from < first + inner; from++) visit(from, from + n * inner);
  }
}

/** eˣ / Σ eˣ, shifted by the largest element */
export function softmax(x: Float64Array, out: Float64Array, sizes: AxisSizes): void {
  const step = sizes.inner;
  eachLine(sizes, (from, to) => {
    const largest = largestOf(x, from, to, step);
    let total = 0;
    for (let at = from; at < to; at += step) total += out[at] = Math.exp(x[at] - largest);
    for (let at = from; at < to; at += step) out[at] /= total;
  });
}

/** x − ln Σ eˣ, shifted by the largest element */
export function logSoftmax(x: Float64Array, out: Float64Array, sizes: AxisSizes): void {
  const step = sizes.inner;
  eachLine(sizes, (from, to) => {
    const largest = largestOf(x, from, to, step);
    let total = 0;
    for (let at = from; at < to; at += step) total += Math.exp(x[at] - largest);
    const log = Math.log(total);
    for (let at = from; at < to; at += step) out[at] = x[at] - largest - log;
  });
}

function largestOf(x: Float64Array, from: number, to: number, step: number): number {
  let largest = -Infinity;
  for (let at = from; at < to; at += step) if (x[at] > largest) largest = x[at];
  return largest;
}

/** y · (g − Σ g·y), the vjp of softmax at y = softmax(x) */
export function softmaxBackward(
  g: Float64Array,
  y: Float64Array,
  out: Float64Array,
  sizes: AxisSizes,
): void {
  const step = sizes.inner;
  eachLine(sizes, (from, to) => {
    let total = 0;
    for (let at = from; at < to; at += step) total += g[at] * y[at];
    for (let at = from; at < to; at += step) out[at] = y[at] * (g[at] - total);
  });
}

/** g − eʸ · Σ g, the vjp of logSoftmax at y = logSoftmax(x) */
export function logSoftmaxBackward(
  g: Float64Array,
  y: Float64Array,
  out: Float64Array,
  sizes: AxisSizes,
): void {
  const step = sizes.inner;
  eachLine(sizes, (from, to) => {
    let total = 0;
    for (let at = from; at < to; at += step) total += g[at];
    for (let at = from; at < to; at += step) out[at] = g[at] - Math.exp(y[at]) * total;
  });
}
