/** Orthonormal vectors by Householder's QR decomposition. */

/**
 * Replaces `count` vectors of `length` ≥ `count` elements, one behind the other, by the columns of Q
 * in A = Q·R, where A has them as columns and R's diagonal is positive (0 stays 0).
 *
 * @see G. Golub and C. Van Loan, "Matrix Computations", section 5.2.
 */
export function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  const column = (k: number) => vectors.subarray(k * length, (k + 1) * length);
  const taus = new Float64Array(count);
  const signs = new Float64Array(count);
  // Reflector k, H = I − τ v vᵀ with v[k] = 1, maps what is left of column k onto its first element.
  for (let k = 0; k < count; k++) {
    const v = column(k);
    let tail = 0;
    for (let i = k + 1; i < length; i++) tail += v[i] * v[i];
    const head = v[k];
    if (tail === 0) {
      signs[k] = Math.sign(head);
    } else {
      const diagonal = Math.sqrt(head * head + tail) * (head < 0 ? 1 : -1);
      taus[k] = (diagonal - head) / diagonal;
      for (let i = k + 1; i < length; i++) v[i] /= head - diagonal;
      signs[k] = Math.sign(diagonal);
    }
    v[k] = 1;
    for (let j = k + 1; j < count; j++) reflect(column(j), v, taus[k], k);
  }
  // Q = H₀ H₁ … applied to the first unit vectors. Reflectors and Q share the memory: H_k is the last
  // to need column k, so Q is built from the last column backwards.
  for (let k = count - 1; k >= 0; k--) {
    const v = column(k);
    for (let j = k + 1; j < count; j++) reflect(column(j), v, taus[k], k);
    const tau = taus[k];
    for (let i = 0; i < k; i++) v[i] = 0;
    v[k] = 1 - tau;
    for (let i = k + 1; i < length; i++) v[i] *= -tau;
  }
  for (let k = 0; k < count; k++) {
    const q = column(k);
    for (let i = 0; i < length; i++) q[i] *= signs[k];
  }
}

/** x −= τ v (v · x), from element `start` on. */
function reflect(x: Float64Array, v: Float64Array, tau: number, start: number): void {
  if (tau === 0) return;
  let dot = 0;
  for (let i = start; i < x.length; i++) dot += v[i] * x[i];
  dot *= tau;
  for (let i = start; i < x.length; i++) x[i] -= dot * v[i];
}
