import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/norm/batch_norm_relu_plain.ts";
import { setThreads } from "../../autograd/runtime/control.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";

/** Widths of 0 pool nothing. */
const cases = [
  ...Array.from({ length: 9 }, (_, i) => ({ n: 3, c: 10 - i, s: 1, width: 0 })),
  ...Array.from({ length: 9 }, (_, i) => ({ n: 5, c: 2, s: i + 2, width: 0 })),
  ...Array.from({ length: 6 }, (_, i) => ({ n: 2, c: 3, s: 5 * (i + 2), width: i + 2 })),
  ...Array.from({ length: 6 }, (_, i) => ({ n: 3, c: 2, s: 4 * (i + 2), width: i + 2 })),
  { n: 70, c: 133, s: 1, width: 0 },
];

/** Forward and backward on arrays of the pool; what they write holds NaN before. */
function run(
  kernels: Pick<typeof plain, "batchNormReluForward" | "batchNormReluBackward">,
  { n, c, s, width }: (typeof cases)[number],
  { useBatch, added, affine }: Record<"useBatch" | "added" | "affine", boolean>,
) {
  const sizes = { n, c, s };
  const nothing = (size: number) => new Float64Array(size).fill(NaN);
  const windows = width === 0 ? s : Math.floor(s / width / 2) * Math.floor(width / 2);
  const x = pooled(numbers(n * c * s, 1));
  const following = { residual: added ? pooled(numbers(x.length, 2)) : null, width };
  const [weight, bias] = affine ? [numbers(c, 3), numbers(c, 4)] : [null, null];
  const statistics = {
    mean: numbers(c, 5),
    low: new Float64Array(c),
    variance: numbers(c, 6).map((value) => value * value + 1),
    invStd: nothing(c),
    shift: nothing(c),
  };
  const y = pooled(nothing(n * c * windows));
  kernels.batchNormReluForward(
    x,
    weight,
    bias,
    y,
    statistics,
    sizes,
    1e-3,
    useBatch,
    following,
  );
  const [routed, dx] = [pooled(nothing(x.length)), pooled(nothing(x.length))];
  const [dw, db] = [nothing(c), nothing(c)];
  const g = pooled(numbers(y.length, 7));
  kernels.batchNormReluBackward(
    g,
    x,
    weight,
    statistics,
    routed,
    dx,
    dw,
    db,
    sizes,
    useBatch,
    following,
  );
  return { y, shift: statistics.shift, routed, dx, dw, db };
}

testBuilds("batch norm with what follows equals the plain one", () => {
  for (const sizes of cases) {
    for (let choice = 0; choice < 8; choice++) {
      const options = {
        useBatch: (choice & 1) > 0 && sizes.n * sizes.s > 3,
        added: (choice & 2) > 0,
        affine: (choice & 4) > 0,
      };
      const actual = run(door, sizes, options);
      const expected = run(plain, sizes, options);
      const name = JSON.stringify({ ...sizes, ...options });
      for (const key of ["y", "shift", "routed", "dx", "dw", "db"] as const) {
        assertClose(actual[key], expected[key], 1e-12, 1e-12, `${key} of ${name}`);
      }
    }
  }
});

Deno.test("threads leave the bits as they are", async () => {
  const sizes = { n: 9, c: 40, s: 12, width: 4 };
  const options = { useBatch: true, added: true, affine: true };
  const alone = run(door, sizes, options);
  await setThreads(2);
  try {
    const together = run(door, sizes, options);
    for (const key of ["y", "routed", "dx", "dw", "db"] as const) {
      assertClose(together[key], alone[key], 0, 0, key);
    }
  } finally {
    await setThreads(1);
  }
});
