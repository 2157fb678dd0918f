import { info, useBlas } from "../../autograd/runtime/control.ts";
import { observeKernels, useBuild } from "../../autograd/runtime/instance.ts";
import { settle } from "../../autograd/runtime/blas.ts";
import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/matmul/matmul_plain.ts";
import { assertClose, numbers, pooled } from "../kernels/pooled.ts";
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

Deno.test({
  name: "useBlas tells the library, the processor and both speeds, of which its own is the higher",
  ignore: !installed(),
  fn() {
    const found = useBlas()!;
    assertEquals(found.path, info().blas);
    assert(found.core === null || found.core.length > 0);
    assert(found.gflops >= found.ownGflops && found.ownGflops > 0, JSON.stringify(found));
    assertEquals(useBlas(null), null);
  },
});

Deno.test({
  name: "of many small products the own kernels do all at once, large ones are the library's",
  ignore: !installed(),
  fn() {
    useBlas();
    let calls = 0;
    observeKernels((exports) => ({
      ...exports,
      gemmBatched: (...args: number[]) => {
        calls++;
        return exports.gemmBatched(...args);
      },
    }));
    useBuild("relaxed");
    try {
      for (const [batch, size, expected] of [[4, 47, 1], [3, 47, 0], [1, 16, 0], [4, 48, 0]]) {
        const sizes = { batch, m: size, n: size, k: size, transA: false, transB: false };
        const [a, b] = [numbers(batch * size * size, 1), numbers(batch * size * size, 2)];
        const [out, plain] = [0, 0].map(() => new Float64Array(a.length));
        calls = 0;
        door.matmul(a, b, out, sizes);
        assertEquals(calls, expected, `${batch} products of ${size}`);
        door.matmul.plain(a, b, plain, sizes);
        assertClose(out, plain, 1e-12, 1e-12, "matmul");
      }
    } finally {
      useBlas(null);
      observeKernels((exports) => exports);
      useBuild("relaxed");
    }
  },
});

/** A library that works for a kind of processor, and what happens to it. */
function pretend(speeds: Readonly<Record<string, number>>) {
  const log: string[] = [];
  const open = (core: string) => ({
    path: "lib",
    core,
    close: () => void log.push(`close ${core}`),
  });
  const race = ({ core }: { core: string }) => ({ gflops: speeds[core], ownGflops: 24 });
  const reopen = (core: string | null) => {
    log.push(`open ${core}`);
    return core === null ? null : open(core);
  };
  return { log, run: (...cores: string[]) => settle(open("Prescott"), race, cores, reopen) };
}

Deno.test("a library that is slower than the own kernels is tried for other processors", () => {
  const known = pretend({ Prescott: 50 });
  assertEquals(known.run("HASWELL").info, {
    path: "lib",
    core: "Prescott",
    gflops: 50,
    ownGflops: 24,
  });
  assertEquals(known.log, []);

  const second = pretend({ Prescott: 10, SKYLAKEX: 12, HASWELL: 40 });
  assertEquals(second.run("SKYLAKEX", "HASWELL").library.core, "HASWELL");
  assertEquals(second.log, ["close Prescott", "open SKYLAKEX", "close SKYLAKEX", "open HASWELL"]);
});

Deno.test("a library that stays slower is closed and refused, with the speeds that it had", () => {
  const slow = pretend({ Prescott: 10.7, HASWELL: 12 });
  assertThrows(
    () => slow.run("HASWELL"),
    Error,
    "Cannot use BLAS: got lib with 10.7 GFLOP/s for Prescott, 12.0 GFLOP/s for HASWELL, expected " +
      "more than the 24.0 GFLOP/s of the package's own kernels; set OPENBLAS_CORETYPE",
  );
  assertEquals(slow.log, ["close Prescott", "open HASWELL", "close HASWELL", "open null"]);
});

Deno.test("a BLAS library that is not there is an error that names it", () => {
  assertThrows(() => useBlas("/nowhere/libblas.so"), Error, "Cannot use BLAS: got no library from");
  assertThrows(() => useBlas("/nowhere/libblas.so"), Error, "/nowhere/libblas.so");
});
