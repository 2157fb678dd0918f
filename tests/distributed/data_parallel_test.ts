import { assert, assertEquals } from "@std/assert";
import { assertClose } from "../assert_close.ts";
import { expectJob, type Launcher, testOnEach } from "./jobs.ts";

interface Curve {
  readonly curve: number[];
  readonly same: boolean;
}

async function curveOf(launcher: Launcher, ranks: number, ...args: string[]): Promise<Curve> {
  return JSON.parse(await expectJob(ranks, "curve.ts", { args, launcher }));
}

testOnEach(
  "the loss over 100 steps does not depend on the number of ranks",
  [1],
  async (_, launcher) => {
    const one = await curveOf(launcher, 1, "sync");
    assertEquals(one.curve.length, 100);
    assert(one.curve[99] < 0.9 * one.curve[0], `${one.curve[0]} to ${one.curve[99]}`);
    for (const [ranks, variant] of [[2, ""], [3, "views"], [4, ""], [2, "zero"]] as const) {
      if (ranks > launcher.mostRanks) continue;
      const { curve, same } = await curveOf(launcher, ranks, "sync", variant);
      const [a, b] = [curve, one.curve];
      assertClose(a, b, 1e-12, 0, `the curve of ${ranks} ranks ${variant}`);
      assert(same, `the parameters of ${ranks} ranks ${variant} differ`);
    }
  },
);

testOnEach("with BatchNorm in place of SyncBatchNorm it does", [2], async (_, launcher) => {
  const one = await curveOf(launcher, 1, "plain");
  const { curve, same } = await curveOf(launcher, 2, "plain");
  assert(Math.abs(curve[99] / one.curve[99] - 1) > 1e-3, `${curve[99]}, ${one.curve[99]}`);
  // Buffers are those of rank 0 before a forward, and their own after it.
  assertEquals(same, false);
});

testOnEach(
  "DistributedDataParallel and its neighbours keep their promises",
  [1, 2, 3],
  async (ranks, launcher) => {
    await expectJob(ranks, "data_parallel.ts", { launcher });
  },
);
