import { info, useBlas } from "../../autograd/runtime/control.ts";
import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/matmul/matmul_plain.ts";
import { assertClose, numbers, pooled } from "./pooled.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

/** Whether OpenBLAS is installed here. */
function installed(): boolean {
  try {
    useBlas();
    return true;
  } catch {
    return false;
  } finally {
    useBlas(null);
  }
}

Deno.test({
  name: "products by OpenBLAS equal the plain ones, wherever the arrays lie",
  ignore: !installed(),
  fn() {
    useBlas();
    assert(info().blas !== null);
    try {
      for (const [batch, m, n, k] of [[1, 16, 17, 18], [3, 30, 20, 10], [1, 1, 200, 5]]) {
        for (const transA of [false, true]) {
          for (const transB of [false, true]) {
            const shape = { batch, m, n, k, transA, transB };
            const a = numbers(batch * m * k, m);
            const b = numbers(batch * k * n, n);
            const expected = new Float64Array(batch * m * n);
            plain.matmul(a, b, expected, shape);
            for (const place of [pooled, (x: Float64Array) => x]) {
              const out = place(new Float64Array(expected.length).fill(NaN));
              door.matmul(place(a), place(b), out, shape);
              assertClose(out, expected, 1e-13, 1e-13, `matmul ${JSON.stringify(shape)}`);
            }
          }
        }
      }
    } finally {
      useBlas(null);
    }
    assertEquals(info().blas, null);
  },
});

Deno.test("a BLAS library that is not there is an error that names it", () => {
  assertThrows(() => useBlas("/nowhere/libblas.so"), Error, "Cannot use BLAS: got no library from");
  assertThrows(() => useBlas("/nowhere/libblas.so"), Error, "/nowhere/libblas.so");
});
