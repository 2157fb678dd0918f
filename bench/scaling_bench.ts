/**
 * Cost against batch size, channels, positions, depth and threads. Within a group each line's work is
 * twice (positions: four times) that of the one before.
 *
 * @module
 */
import { kernels } from "../mod.ts";
import { lazily } from "./lazily.ts";

for (const n of [8, 16, 32, 64, 128]) {
  const work = { kind: "batchNorm", shape: [n, 32, 14, 14] } as const;
  Deno.bench(`batch norm [${work.shape}]`, { group: "images", baseline: n === 8 }, lazily(work));
}
for (const c of [8, 16, 32, 64, 128]) {
  const work = { kind: "batchNorm", shape: [32, c, 14, 14] } as const;
  Deno.bench(`batch norm [${work.shape}]`, { group: "channels", baseline: c === 8 }, lazily(work));
}
for (const side of [7, 14, 28, 56]) {
  const work = { kind: "batchNorm", shape: [32, 32, side, side] } as const;
  Deno.bench(`batch norm [${work.shape}]`, { group: "side", baseline: side === 7 }, lazily(work));
}
for (const depth of [1, 2, 4, 8, 16]) {
  const widths = [64, ...Array<number>(depth).fill(128), 10];
  const run = lazily({ kind: "mlp", batch: 64, widths });
  Deno.bench(`MLP of ${depth} hidden layers`, { group: "depth", baseline: depth === 1 }, run);
}
for (const operations of [250, 500, 1000, 2000, 4000]) {
  const run = lazily({ kind: "tiny", size: 10, operations });
  Deno.bench(`${operations} tiny operations`, { group: "tape", baseline: operations === 250 }, run);
}

const works = [
  { kind: "matmul", m: 512, n: 512, k: 512 },
  { kind: "batchNorm", shape: [64, 32, 28, 28] },
  { kind: "conv", shape: [32, 16, 28, 28], channels: 32, kernel: 3 },
] as const;
let current = 1;
for (const work of works) {
  const run = lazily(work);
  for (const threads of [1, 2]) {
    Deno.bench({
      name: `${work.kind}, ${threads} ${threads === 1 ? "thread" : "threads"}`,
      group: `threads ${work.kind}`,
      baseline: threads === 1,
      // Deno waits for a function that says that it is asynchronous, and for no other's promise.
      async fn(context) {
        if (current !== threads) await kernels.setThreads(current = threads);
        context.start();
        run();
        context.end();
      },
    });
  }
}
