/** Weighted sums along an axis, and their transpose. */

/** For each element of an output axis, which elements of the input axis it sums, and how weighted. */
export interface Taps {
  /** Elements of the input axis. */
  readonly length: number;
  /** Where the taps of output element i begin; those of i end where those of i + 1 begin. */
  readonly starts: Int32Array;
  /** The input element of each tap. */
  readonly indices: Int32Array;
  /** The weight of each tap. */
  readonly weights: Float64Array;
}

/** out[o, i, :] = Σ over the taps t of i: weight[t] · x[o, index[t], :] */
export function resample(
  x: Float64Array,
  out: Float64Array,
  { length, starts, indices, weights }: Taps,
  inner: number,
): void {
  const count = starts.length - 1;
  let to = 0;
  for (let base = 0; to < out.length; base += length * inner) {
    for (let i = 0; i < count; i++, to += inner) {
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let t = starts[i]; t < starts[i + 1]; t++) {
          sum += weights[t] * x[base + indices[t] * inner + k];
        }
        out[to + k] = sum;
      }
    }
  }
}

/** out[o, index[t], :] += weight[t] · x[o, i, :] over the taps t of i, from zeros. */
export function resampleTranspose(
  x: Float64Array,
  out: Float64Array,
  { length, starts, indices, weights }: Taps,
  inner: number,
): void {
  out.fill(0);
  const count = starts.length - 1;
  let from = 0;
  for (let base = 0; from < x.length; base += length * inner) {
    for (let i = 0; i < count; i++, from += inner) {
      for (let t = starts[i]; t < starts[i + 1]; t++) {
        const weight = weights[t];
        const to = base + indices[t] * inner;
        for (let k = 0; k < inner; k++) out[to + k] += weight * x[from + k];
      }
    }
  }
}
