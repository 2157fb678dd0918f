/** Matrix products. */

/** The sizes of a batch of products: `out[b] = a[b] · b[b]`, with `a` [m, k] and `b` [k, n]. */
export interface MatmulSizes {
  /** Products in the batch. */
  readonly batch: number;
  /** Rows of a and out. */
  readonly m: number;
  /** Columns of b and out. */
  readonly n: number;
  /** Columns of a, rows of b. */
  readonly k: number;
  /** Whether each a is stored transposed, [k, m]. */
  readonly transA: boolean;
  /** Whether each b is stored transposed, [n, k]. */
  readonly transB: boolean;
}

/** The tile of rows and of k that stays in the first cache. */
const TILE = 64;

/** Multiplications below which setting anything up costs more than it saves. */
const SMALL = 1024;

/** Batched matrix products; `out` need not be cleared. */
export function matmul(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  { batch, m, n, k, transA, transB }: MatmulSizes,
): void {
  if (m * n * k <= SMALL) {
    for (let i = 0; i < batch; i++) {
      multiplySmall(a, i * m * k, b, i * k * n, out, i * m * n, m, n, k, transA, transB);
    }
    return;
  }
  const packedA = transA ? new Float64Array(m * k) : null;
  const packedB = transB ? new Float64Array(k * n) : null;
  for (let i = 0; i < batch; i++) {
    const rows = a.subarray(i * m * k, (i + 1) * m * k);
    const columns = b.subarray(i * k * n, (i + 1) * k * n);
    multiply(
      packedA === null ? rows : transposeInto(rows, packedA, k, m),
      packedB === null ? columns : transposeInto(columns, packedB, n, k),
      out.subarray(i * m * n, (i + 1) * m * n),
      m,
      n,
      k,
    );
  }
}

/** out = a · b, element by element, each matrix from its place in its array. */
function multiplySmall(
  a: Float64Array,
  startA: number,
  b: Float64Array,
  startB: number,
  out: Float64Array,
  startOut: number,
  m: number,
  n: number,
  k: number,
  transA: boolean,
  transB: boolean,
): void {
  const rowA = transA ? 1 : k;
  const stepA = transA ? m : 1;
  const columnB = transB ? k : 1;
  const stepB = transB ? 1 : n;
  let to = startOut;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let p = startA + i * rowA;
      let q = startB + j * columnB;
      let sum = 0;
      for (let r = 0; r < k; r++) {
        sum += a[p] * b[q];
        p += stepA;
        q += stepB;
      }
      out[to++] = sum;
    }
  }
}

function transposeInto(x: Float64Array, out: Float64Array, rows: number, columns: number) {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = x[i * columns + j];
  }
  return out;
}

/** out = a · b, two rows of a at a time so that a row of b is loaded once for both. */
function multiply(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  m: number,
  n: number,
  k: number,
): void {
  out.fill(0);
  for (let p0 = 0; p0 < k; p0 += TILE) {
    const p1 = Math.min(p0 + TILE, k);
    let i = 0;
    for (; i + 1 < m; i += 2) {
      const row0 = i * n;
      const row1 = row0 + n;
      for (let p = p0; p < p1; p++) {
        const a0 = a[i * k + p];
        const a1 = a[i * k + k + p];
        const rowB = p * n;
        for (let j = 0; j < n; j++) {
          const value = b[rowB + j];
          out[row0 + j] += a0 * value;
          out[row1 + j] += a1 * value;
        }
      }
    }
    if (i < m) {
      for (let p = p0; p < p1; p++) {
        const a0 = a[i * k + p];
        for (let j = 0; j < n; j++) out[i * n + j] += a0 * b[p * n + j];
      }
    }
  }
}

/** out += row, for each row of out. */
export function addRow(row: Float64Array, out: Float64Array): void {
  const n = row.length;
  for (let start = 0; start < out.length; start += n) {
    for (let j = 0; j < n; j++) out[start + j] += row[j];
  }
}
