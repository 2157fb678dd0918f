/**
 * The group, as the layers of nn see it.
 */
import { PooledMoments } from "../autograd/internal.ts";
import type { LayerMoments, ProcessGroup } from "../nn/norm/process_group.ts";
import type { Group } from "./group.ts";
import type { Processes } from "./moments_across.ts";
import { allReduceIn } from "./reduce.ts";
import { normalizeAcross } from "./sync_batch_norm.ts";

/** A group in the form in which layers find it. */
export function seamOf(group: Group): ProcessGroup {
  const processes: Processes = {
    size: group.size,
    sum: (values) => group.reduce("SyncBatchNorm", values, "sum"),
    sumTensor: (x) => allReduceIn(group, x, "sum"),
  };
  return {
    size: group.size,
    normalize: (operands, { eps, mask }) => normalizeAcross(operands, { eps, mask, processes }),
    pool: (own) => poolIn(group, own),
  };
}

/** The moments of the data of all ranks together, exactly. */
export function poolIn(group: Group, { moments, batches }: LayerMoments): LayerMoments {
  const { mean, meanRest, variance, count } = moments;
  const channels = mean.length;
  const message = new Float64Array(2 + 3 * channels);
  message.set([count, batches]);
  // Without values the variance is 0/0.
  if (count > 0) [mean, meanRest, variance].forEach((v, i) => message.set(v, 2 + i * channels));
  const { length } = message;
  const all = new Float64Array(length * group.size);
  group.gather("updateBn", message, new Int32Array(group.size).fill(length), all);
  const pooled = new PooledMoments(channels);
  let most = 0;
  for (let at = 0; at < all.length; at += length) {
    const [mean, meanRest, variance] = [0, 1, 2].map((i) =>
      all.subarray(at + 2 + i * channels, at + 2 + (i + 1) * channels)
    );
    pooled.add({ count: all[at], mean, meanRest, variance });
    most = Math.max(most, all[at + 1]);
  }
  return { moments: pooled, batches: most };
}
