/**
 * The group, as the layers of nn see it.
 */
import type { ProcessGroup } from "../nn/norm/process_group.ts";
import type { Group } from "./group.ts";
import { allReduceIn } from "./reduce.ts";

/** A group in the form in which layers find it. */
export function seamOf(group: Group): ProcessGroup {
  const { rank, size } = group;
  return {
    rank,
    size,
    sum: (values) => group.reduce("SyncBatchNorm", values, "sum"),
    sumTensor: (x) => allReduceIn(group, x, "sum"),
    gather(values) {
      const { length } = values;
      const all = new Float64Array(length * size);
      group.gather("SyncBatchNorm", values, new Int32Array(size).fill(length), all);
      return Array.from({ length: size }, (_, r) => all.subarray(r * length, (r + 1) * length));
    },
  };
}
