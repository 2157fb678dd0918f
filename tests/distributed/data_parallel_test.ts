import { assert, assertEquals } from "@std/assert";
import { assertClose } from "../assert_close.ts";
import { expectJob, testOnRanks } from "./jobs.ts";

interface Curve {
  readonly curve: number[];
  readonly same: boolean;
}

async function curveOf(ranks: number, ...args: string[]): Promise<Curve> {
  return JSON.parse(await expectJob(ranks, "curve.ts", { args }));
}

testOnRanks("the loss over 100 steps does not depend on the number of ranks", async () => {
  const one = await curveOf(1, "sync");
  assertEquals(one.curve.length, 100);
  assert(one.curve[99] < 0.9 * one.curve[0], `${one.curve[0]} to ${one.curve[99]}`);
  for (const [ranks, variant] of [[2, ""], [3, "views"], [4, ""], [2, "zero"]] as const) {
    const { curve, same } = await curveOf(ranks, "sync", variant);
    const [a, b] = [curve, one.curve];
    assertClose(a, b, 1e-12, 0, `the curve of ${ranks} ranks ${variant}`);
    assert(same, `the parameters of ${ranks} ranks ${variant} differ`);
  }
});

testOnRanks("with BatchNorm in place of SyncBatchNorm it does", async () => {
  const one = await curveOf(1, "plain");
  const { curve, same } = await curveOf(2, "plain");
  assert(Math.abs(curve[99] / one.curve[99] - 1) > 1e-3, `${curve[99]}, ${one.curve[99]}`);
  // Buffers are those of rank 0 before a forward, and their own after it.
  assertEquals(same, false);
});

for (const ranks of [1, 2, 3]) {
  testOnRanks(
    `DistributedDataParallel and its neighbours keep their promises on ${ranks}`,
    async () => {
      await expectJob(ranks, "data_parallel.ts");
    },
  );
}
