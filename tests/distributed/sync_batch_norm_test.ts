import { expectJob, testOnRanks } from "./jobs.ts";

for (const ranks of [1, 2, 3]) {
  testOnRanks(`SyncBatchNorm on ${ranks} ranks is BatchNorm on the whole batch`, async () => {
    await expectJob(ranks, "sync_batch_norm.ts");
  });
}
