import { expectJob, testOnEach } from "./jobs.ts";

testOnEach("SyncBatchNorm is BatchNorm on the whole batch", [1, 2, 3], async (ranks, launcher) => {
  await expectJob(ranks, "sync_batch_norm.ts", { launcher });
});
