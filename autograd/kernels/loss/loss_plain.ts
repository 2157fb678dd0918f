/**
 * Losses: cross entropy of logits with class indices, others element by element. Logits are [n, c, s],
 * targets [n, s]: class k of position (i, j) stands at (i·c + k)·s + j.
 */

/** What a cross entropy is asked for besides its arrays. */
export interface CrossEntropySizes {
  /** Samples. */
  readonly n: number;
  /** Classes. */
  readonly c: number;
  /** Positions of a sample. */
  readonly s: number;
  /** The target that does not count. */
  readonly ignoreIndex: number;
  /** The share of the target's weight that is spread over all classes. */
  readonly smoothing: number;
}

/**
 * The loss of every position:
 * −(1 − ε)·w[t]·log p[t] − ε/c · Σₖ w[k]·log p[k]; 0 where the target is ignored.
 */
export function crossEntropy(
  x: Float64Array,
  target: Float64Array,
  weight: Float64Array | null,
  loss: Float64Array,
  { n, c, s, ignoreIndex, smoothing }: CrossEntropySizes,
): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < s; j++) {
      const row = i * s + j;
      const t = target[row];
      if (t === ignoreIndex) {
        loss[row] = 0;
        continue;
      }
      const first = i * c * s + j;
      const end = first + c * s;
      const max = largest(x, first, end, s);
      let total = 0;
      for (let at = first; at < end; at += s) total += Math.exp(x[at] - max);
      const log = max + Math.log(total);
      let value = (1 - smoothing) * (weight === null ? 1 : weight[t]) * (log - x[first + t * s]);
      if (smoothing > 0) {
        let spread = 0;
        for (let k = 0, at = first; k < c; k++, at += s) {
          spread += weight === null ? log - x[at] : weight[k] * (log - x[at]);
        }
        value += smoothing / c * spread;
      }
      loss[row] = value;
    }
  }
}

/** The largest of the values from `first` on in steps of `s`; NaN if there is one. */
function largest(x: Float64Array, first: number, end: number, s: number): number {
  let max = -Infinity;
  for (let at = first; at < end; at += s) max = x[at] > max || x[at] !== x[at] ? x[at] : max;
  return max;
}

/**
 * The gradient of the losses, scaled by `g` (one value for each position, or a single one):
 * g·(Q·p[k] − q[k]) with q[k] = ε/c · w[k], plus (1 − ε)·w[t] at the target, and Q = Σₖ q[k].
 */
export function crossEntropyBackward(
  x: Float64Array,
  target: Float64Array,
  weight: Float64Array | null,
  g: Float64Array,
  scale: number,
  dx: Float64Array,
  { n, c, s, ignoreIndex, smoothing }: CrossEntropySizes,
): void {
  let all = c;
  if (weight !== null) {
    all = 0;
    for (let k = 0; k < c; k++) all += weight[k];
  }
  const share = smoothing / c;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < s; j++) {
      const first = i * c * s + j;
      const end = first + c * s;
      const row = i * s + j;
      const t = target[row];
      if (t === ignoreIndex) {
        for (let at = first; at < end; at += s) dx[at] = 0;
        continue;
      }
      const max = largest(x, first, end, s);
      let sum = 0;
      for (let at = first; at < end; at += s) sum += dx[at] = Math.exp(x[at] - max);
      const own = (1 - smoothing) * (weight === null ? 1 : weight[t]);
      const by = g[g.length === 1 ? 0 : row] * scale;
      const p = (own + share * all) / sum;
      for (let k = 0, at = first; k < c; k++, at += s) {
        dx[at] = by * (p * dx[at] - (weight === null ? share : share * weight[k]));
      }
      dx[first + t * s] -= by * own;
    }
  }
}

/** d²/2 where |d| < delta, else delta · (|d| − delta/2). */
export function huber(d: Float64Array, out: Float64Array, delta: number): void {
  for (let i = 0; i < out.length; i++) {
    const size = Math.abs(d[i]);
    out[i] = size < delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
  }
}

/** g times d, held between ±delta. */
export function huberBackward(
  g: Float64Array,
  d: Float64Array,
  out: Float64Array,
  delta: number,
): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = g[i] * (d[i] > delta ? delta : d[i] < -delta ? -delta : d[i]);
  }
}

/** −(y·ln x + (1 − y)·ln(1 − x)), each logarithm at least −100. */
export function binaryCrossEntropy(x: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const log = Math.max(Math.log(x[i]), -100);
    const logRest = Math.max(Math.log1p(-x[i]), -100);
    out[i] = (y[i] - 1) * logRest - y[i] * log;
  }
}
