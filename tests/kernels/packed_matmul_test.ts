import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/matmul/matmul_plain.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";

const flags = [false, true];

/** Sizes around the tile of 4 × 6 and around the blocks of the packed product. */
const sizes: readonly [batch: number, m: number, n: number, k: number][] = [
  [1, 16, 16, 17],
  [1, 17, 19, 23],
  [1, 5, 1, 900],
  [1, 1, 37, 211],
  [1, 70, 70, 1],
  [1, 18, 20, 257],
  [1, 98, 13, 259],
  [1, 97, 1543, 3],
  // Small right factors are read where they are.
  [1, 9, 7, 400],
  [1, 5, 1543, 2],
  [3, 16, 20, 18],
  ...Array.from(
    { length: 16 },
    (_, i): [number, number, number, number] => [1, 16 + i, 16 + (i * 5) % 16, 16 + (i * 7) % 16],
  ),
];

testBuilds("matrix products equal the plain ones, for all transposes and batches", () => {
  for (const [batch, m, n, k] of sizes) {
    for (const transA of flags) {
      for (const transB of flags) {
        const a = numbers(batch * m * k, m);
        const b = numbers(batch * k * n, n);
        const out = pooled(new Float64Array(batch * m * n).fill(NaN));
        const expected = new Float64Array(batch * m * n);
        const shape = { batch, m, n, k, transA, transB };
        door.matmul(pooled(a), pooled(b), out, shape);
        plain.matmul(a, b, expected, shape);
        assertClose(out, expected, 1e-13, 1e-13, `matmul ${JSON.stringify(shape)}`);
      }
    }
  }
});

testBuilds("matrix products take arrays from outside of the pool", () => {
  const shape = { batch: 2, m: 20, n: 21, k: 22, transA: false, transB: true };
  const a = numbers(2 * 20 * 22, 1);
  const b = numbers(2 * 22 * 21, 2);
  const out = new Float64Array(2 * 20 * 21);
  const expected = new Float64Array(out.length);
  door.matmul(a, pooled(b), out, shape);
  plain.matmul(a, b, expected, shape);
  assertClose(out, expected, 1e-13, 1e-13, "matmul of heap arrays");
});

testBuilds("NaN and infinity stay in their rows and columns", () => {
  const [m, n, k] = [17, 18, 19];
  const a = numbers(m * k, 3);
  const b = numbers(k * n, 4);
  a[5 * k + 2] = NaN;
  b[3 * n + 7] = Infinity;
  const out = pooled(new Float64Array(m * n));
  const expected = new Float64Array(m * n);
  const shape = { batch: 1, m, n, k, transA: false, transB: false };
  door.matmul(pooled(a), pooled(b), out, shape);
  plain.matmul(a, b, expected, shape);
  assertClose(out, expected, 1e-13, 1e-13, "matmul with NaN and infinity");
});

testBuilds("a row is added to each row", () => {
  for (let n = 16; n <= 32; n++) {
    const row = numbers(n, n);
    const out = numbers(5 * n, n + 1);
    const actual = pooled(out);
    door.addRow(row, actual);
    plain.addRow(row, out);
    assertClose(actual, out, 0, 0, `addRow of ${n}`);
  }
});
