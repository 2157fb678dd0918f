import { configure, info, ready, setThreads } from "../../autograd/runtime/control.ts";
import * as door from "../../autograd/kernels/mod.ts";
import { conv, convInput, convWeight } from "../../autograd/kernels/conv/conv_columns.ts";
import { numbers, pooled } from "../kernels/pooled.ts";
import { assertEquals, assertRejects } from "@std/assert";

/** Everything that threads share in, on sizes large enough for them. */
function results(): Float64Array[] {
  const all: Float64Array[] = [];
  const out = (n: number) => {
    all.push(pooled(new Float64Array(n).fill(NaN)));
    return all[all.length - 1];
  };
  for (const [batch, m, n, k] of [[1, 130, 101, 300], [1, 20, 900, 64], [7, 40, 41, 42]]) {
    for (const transB of [false, true]) {
      const a = pooled(numbers(batch * m * k, 1));
      const b = pooled(numbers(batch * k * n, 2));
      door.matmul(a, b, out(batch * m * n), { batch, m, n, k, transA: false, transB });
    }
  }
  for (const sizes of [{ n: 40, c: 21, s: 60 }, { n: 200, c: 133, s: 1 }]) {
    const x = pooled(numbers(sizes.n * sizes.c * sizes.s, 3));
    const g = pooled(numbers(x.length, 4));
    const [weight, bias, q, r] = [5, 6, 7, 8].map((seed) => numbers(sizes.c, seed));
    door.batchStatistics(x, sizes, out(sizes.c), out(sizes.c), out(sizes.c));
    door.channelAffine(x, sizes, weight, bias, q, out(x.length));
    door.cotangentSums(g, x, sizes, weight, out(sizes.c), out(sizes.c));
    door.channelGradient(g, x, sizes, weight, bias, q, r, out(x.length));
    const values = numbers(sizes.n * sizes.s, 9).map((value) => value > 0 ? 1 : 0);
    const masked = { values, count: values.reduce((sum, value) => sum + value, 0) };
    for (const valid of [null, masked]) {
      const [mean, low, variance, invStd] = [0, 1, 2, 3].map(() => out(sizes.c));
      const known = { mean, low, variance, invStd };
      const [dw, db] = [out(sizes.c), out(sizes.c)];
      door.batchNormForward(x, weight, bias, out(x.length), known, sizes, 1e-5, true, valid);
      door.batchNormBackward(g, x, weight, known, out(x.length), dw, db, sizes, true, valid);
    }
  }
  const sizes = {
    images: 9,
    groups: 1,
    inChannels: 5,
    outChannels: 6,
    window: {
      input: [1, 20, 21],
      kernel: [1, 3, 3],
      output: [1, 20, 21],
      stride: [1, 1, 1],
      padding: [0, 1, 1],
      dilation: [1, 1, 1],
    },
  } as const;
  const x = pooled(numbers(9 * 5 * 420, 9));
  const y = pooled(numbers(9 * 6 * 420, 10));
  const weight = pooled(numbers(6 * 5 * 9, 11));
  conv(x, weight, numbers(6, 12), out(y.length), sizes);
  convInput(y, weight, null, out(x.length), sizes);
  convWeight(x, y, out(weight.length), out(6), sizes);
  // From 64 products of channels on with fewer multiplications, whose weights threads share.
  const wide = { ...sizes, inChannels: 8, outChannels: 9 };
  const shared = pooled(numbers(72 * 9, 13));
  const [left, right] = [pooled(numbers(9 * 8 * 420, 14)), pooled(numbers(9 * 9 * 420, 16))];
  conv(left, shared, numbers(9, 15), out(right.length), wide);
  convInput(right, shared, null, out(left.length), wide);
  convWeight(left, right, out(shared.length), out(9), wide);
  return all;
}

Deno.test("results are the same, digit for digit, for every number of threads", async () => {
  const alone = results();
  for (const count of [2, 3]) {
    await setThreads(count);
    assertEquals(info().threads, count);
    // Again and again: workers sleep and wake between the rounds.
    for (let round = 0; round < 5; round++) {
      results().forEach((values, i) => {
        for (let j = 0; j < values.length; j++) {
          assertEquals(values[j] === alone[i][j], true, `result ${i}, value ${j}`);
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await setThreads(1);
  assertEquals(info().threads, 1);
});

Deno.test("setThreads refuses what is no number of threads, and plain kernels", async () => {
  for (const count of [0, 1.5, 65, NaN]) {
    await assertRejects(() => setThreads(count), RangeError, "Cannot set threads: got");
  }
  configure({ plain: true });
  await assertRejects(() => setThreads(2), Error, "got the plain kernels");
  configure({});
});

Deno.test("setThreads gives up on workers that never start, and one thread goes on", async () => {
  const runtime = globalThis as unknown as { process: { getBuiltinModule(name: string): unknown } };
  const { process } = runtime;
  const { getBuiltinModule } = process;
  const { now } = Date;
  class Idle {
    postMessage(): void {}
    terminate(): void {}
    unref(): void {}
  }
  process.getBuiltinModule = (name) =>
    name === "node:worker_threads" ? { Worker: Idle } : getBuiltinModule.call(process, name);
  let looks = 0;
  // A minute between two looks at the clock.
  Date.now = () => 60_000 * ++looks;
  try {
    await assertRejects(() => setThreads(2), Error, "did not start within 20 s");
  } finally {
    Date.now = now;
    process.getBuiltinModule = getBuiltinModule;
  }
  assertEquals(info().threads, 1);
  await setThreads(2);
  assertEquals(info().threads, 2);
  await setThreads(1);
});

Deno.test("ready is a promise in every way", async () => {
  await ready;
  await ready.finally(() => {});
  await ready.catch(() => {});
  assertEquals(await ready.then(() => 5), 5);
});

Deno.test("configure chooses the fastest kernels, the same everywhere, or plain ones", () => {
  configure({ deterministic: true });
  assertEquals(info().kernels, "simd");
  configure({ plain: true });
  assertEquals(info().kernels, "plain");
  configure({});
  assertEquals(info().kernels, info().supported[0]);
});
