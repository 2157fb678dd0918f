/** Matrix products on packed panels; small ones and those without WebAssembly in plain TypeScript. */
import * as plain from "../plain/matmul.ts";
import type { MatmulSizes } from "../plain/matmul.ts";
import {
  copyIn,
  copyOut,
  inPool,
  kernelsFor,
  kernelsWithCopies,
  scratch,
  smallest,
} from "./instance.ts";

/** Below this many multiplications packing and copying cost more than they gain. */
const FEWEST = 4096;

/** Batched matrix products; `out` need not be cleared. */
export function matmul(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  sizes: MatmulSizes,
): void {
  const { batch, m, n, k, transA, transB } = sizes;
  const work = m * n * k;
  const kernels = work === 0 || work < FEWEST && smallest > 0 ? null : kernelsWithCopies();
  if (kernels === null) {
    plain.matmul(a, b, out, sizes);
    return;
  }
  const own = kernels.gemmScratchBytes(m, n, k);
  const bytesA = inPool(a) ? 0 : a.byteLength;
  const bytesB = inPool(b) ? 0 : b.byteLength;
  const at = scratch(own + bytesA + bytesB + (inPool(out) ? 0 : out.byteLength) + 192);
  let next = at + (own + 63 & ~63);
  const place = (x: Float64Array, bytes: number): number => {
    if (bytes === 0) return x.byteOffset;
    copyIn(x, next);
    next += bytes;
    return next - bytes;
  };
  const addressA = place(a, bytesA);
  const addressB = place(b, bytesB);
  const address = inPool(out) ? out.byteOffset : next;
  kernels.gemmBatched(
    addressA,
    transA ? 8 : 8 * k,
    transA ? 8 * m : 8,
    8 * m * k,
    addressB,
    transB ? 8 : 8 * n,
    transB ? 8 * k : 8,
    8 * k * n,
    address,
    8 * n,
    8 * m * n,
    m,
    n,
    k,
    batch,
    0,
    at,
  );
  if (address === next) copyOut(address, out);
}

/** out += row, for each row of out. */
export function addRow(row: Float64Array, out: Float64Array): void {
  const n = row.length;
  const kernels = n < 16 ? null : kernelsFor(out);
  if (kernels === null) {
    plain.addRow(row, out);
    return;
  }
  let at = row.byteOffset;
  if (!inPool(row)) {
    at = scratch(row.byteLength);
    copyIn(row, at);
  }
  kernels.addRow(at, out.byteOffset, out.length / n, n);
}
