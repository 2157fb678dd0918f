/** Matrix products on packed panels; small ones and those without WebAssembly in plain TypeScript. */
import { type Door, door, inParts } from "../door.ts";
import { multiplyByBlas } from "../../runtime/blas.ts";
import * as plain from "./matmul_plain.ts";
import { ownScratch, type Team, THREAD_SCRATCH } from "../../runtime/threads.ts";
import {
  copyIn,
  copyOut,
  inPool,
  type Kernels,
  kernelsFor,
  kernelsWithCopies,
  place,
  scratch,
  smallest,
  teamFor,
} from "../../runtime/instance.ts";

/** Below this many multiplications packing and copying cost more than they gain. */
const FEWEST = 4096;

/** Rows and columns of the blocks of C that threads take; divisible by 4 and by 6. */
const ROWS = 96;
const COLUMNS = 96;

/** How element (i, j) of a matrix is found: row and column strides in bytes. */
interface Strided {
  readonly at: number;
  readonly row: number;
  readonly column: number;
}

/** Batched matrix products; `out` need not be cleared. */
export const matmul: Door<typeof plain.matmul> = /* @__PURE__ */ door(
  plain.matmul,
  (a, b, out, sizes) => {
    if (multiplyByBlas(a, b, out, sizes)) return true;
    const { batch, m, n, k, transA, transB } = sizes;
    const work = m * n * k;
    const kernels = work === 0 || work < FEWEST && smallest > 0 ? null : kernelsWithCopies();
    if (kernels === null) return false;
    const team = teamFor(batch * work / 12);
    // Threads share the packed right factor of one product, or take whole products of many.
    const shared = team !== null && batch < 4 && work >= 200_000 && packedBytes(n, k) <= 2 ** 26;
    const own = shared ? packedBytes(n, k) : kernels.gemmScratchBytes(m, n, k);
    const bytesA = inPool(a) ? 0 : a.byteLength;
    const bytesB = inPool(b) ? 0 : b.byteLength;
    const at = scratch(own + bytesA + bytesB + (inPool(out) ? 0 : out.byteLength) + 192);
    let next = at + (own + 63 & ~63);
    const copied = (x: Float64Array, bytes: number): number => {
      if (bytes === 0) return x.byteOffset;
      copyIn(x, next);
      next += bytes;
      return next - bytes;
    };
    const left = { at: copied(a, bytesA), row: transA ? 8 : 8 * k, column: transA ? 8 * m : 8 };
    const right = { at: copied(b, bytesB), row: transB ? 8 : 8 * n, column: transB ? 8 * k : 8 };
    const c = inPool(out) ? out.byteOffset : next;
    if (shared) {
      for (let i = 0; i < batch; i++) {
        const x = { ...left, at: left.at + 8 * i * m * k };
        const y = { ...right, at: right.at + 8 * i * k * n };
        multiplyTogether(team, kernels, x, y, c + 8 * i * m * n, m, n, k, at);
      }
    } else {
      const threads = batch < 4 || own > THREAD_SCRATCH ? null : team;
      inParts(kernels, "gemmBatched", threads, batch, Math.ceil(batch / 32), (
        from,
        count,
        threaded,
      ) => [
        left.at + 8 * from * m * k,
        left.row,
        left.column,
        8 * m * k,
        right.at + 8 * from * k * n,
        right.row,
        right.column,
        8 * k * n,
        c + 8 * from * m * n,
        8 * n,
        8 * m * n,
        m,
        n,
        k,
        count,
        0,
        threaded ? ownScratch(0) : at,
      ]);
    }
    if (c === next) copyOut(c, out);
    return true;
  },
);

/** Bytes of a right factor [k, n] in panels. */
function packedBytes(n: number, k: number): number {
  return 8 * k * Math.ceil(n / 6) * 6;
}

/** One product by all threads: the right factor is packed by panels, then blocks of C are taken. */
function multiplyTogether(
  team: Team,
  kernels: Kernels,
  a: Strided,
  b: Strided,
  c: number,
  m: number,
  n: number,
  k: number,
  packed: number,
): void {
  const packing: number[][] = [];
  const width = Math.max(COLUMNS, Math.ceil(n / 32 / 6) * 6);
  for (let j = 0; j < n; j += width) {
    packing.push([b.at, b.row, b.column, k, n, j, Math.min(j + width, n), packed]);
  }
  team.run("gemmPack", kernels.gemmPack, packing);
  // Enough blocks to share out, however many threads there are: it must not depend on that.
  const rows = Math.min(ROWS, Math.max(16, Math.ceil(m / 48) * 4));
  const columns = m >= 8 * rows ? n : Math.max(COLUMNS, Math.ceil(n / 48) * 6);
  let calls: number[][] = [];
  for (let i = 0; i < m; i += rows) {
    for (let j = 0; j < n; j += columns) {
      calls.push([
        a.at + i * a.row,
        a.row,
        a.column,
        packed,
        c + 8 * n * i,
        8 * n,
        Math.min(rows, m - i),
        n,
        k,
        j,
        Math.min(j + columns, n),
        ownScratch(0),
      ]);
      if (calls.length === 64) {
        team.run("gemmRows", kernels.gemmRows, calls);
        calls = [];
      }
    }
  }
  if (calls.length > 0) team.run("gemmRows", kernels.gemmRows, calls);
}

/** out += row, for each row of out. */
export const addRow: Door<typeof plain.addRow> = /* @__PURE__ */ door(plain.addRow, (row, out) => {
  const n = row.length;
  const kernels = n < 16 ? null : kernelsFor(out);
  if (kernels === null) return false;
  kernels.addRow(place([row])[0], out.byteOffset, out.length / n, n);
  return true;
});
