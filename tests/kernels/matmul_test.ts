import { assertAlmostEquals, assertEquals } from "@std/assert";
import { addRow, matmul } from "../../autograd/kernels/matmul/matmul_plain.ts";

function values(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
}

for (const [batch, m, n, k] of [[2, 3, 4, 5], [3, 17, 13, 70], [1, 1, 40, 130], [2, 2, 3, 0]]) {
  for (const transA of [false, true]) {
    for (const transB of [false, true]) {
      Deno.test(`matmul ${[batch, m, n, k]}, transposed ${transA} and ${transB}, by loops`, () => {
        const a = values(batch * m * k, 1);
        const b = values(batch * k * n, 2);
        const out = new Float64Array(batch * m * n).fill(NaN);
        matmul(a, b, out, { batch, m, n, k, transA, transB });
        for (let at = 0; at < out.length; at++) {
          const j = at % n;
          const i = Math.floor(at / n) % m;
          const e = Math.floor(at / n / m);
          let sum = 0;
          for (let p = 0; p < k; p++) {
            sum += a[e * m * k + (transA ? p * m + i : i * k + p)] *
              b[e * k * n + (transB ? j * k + p : p * n + j)];
          }
          assertAlmostEquals(out[at], sum, 1e-12);
        }
      });
    }
  }
}

Deno.test("addRow adds a row to each row", () => {
  const out = Float64Array.of(1, 2, 3, 4);
  addRow(Float64Array.of(10, 20), out);
  assertEquals([...out], [11, 22, 13, 24]);
  addRow(new Float64Array(0), new Float64Array(0));
});
