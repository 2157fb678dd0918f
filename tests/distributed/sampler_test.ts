/** PyTorch's DistributedSampler, recorded by tools/record_sampler.py, index by index. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DistributedSampler, type SamplerOptions } from "../../distributed/mod.ts";

interface Case extends SamplerOptions {
  readonly samples: number;
  readonly size: number;
  readonly epoch: number;
  readonly indices: number[][];
}

const cases: Case[] = JSON.parse(
  await Deno.readTextFile(new URL("data/sampler.json", import.meta.url)),
);

Deno.test("the indices are PyTorch's, for every rank", () => {
  assert(cases.length > 100);
  for (const { samples, size, epoch, indices, ...options } of cases) {
    indices.forEach((expected, rank) => {
      const sampler = new DistributedSampler(samples, { ...options, numReplicas: size, rank });
      sampler.setEpoch(epoch);
      assertEquals([...sampler], expected, JSON.stringify({ samples, size, epoch, options, rank }));
      assertEquals(sampler.length, expected.length);
      assertEquals([...sampler.batches(3)].flat(), expected);
    });
  }
});

Deno.test("a sampler refuses what it cannot share", () => {
  const make = (dataset: unknown, options: unknown) => () =>
    new DistributedSampler(dataset as number, options as SamplerOptions);
  assertThrows(make(3, {}), Error, "expected init() before");
  assertThrows(make({}, { numReplicas: 2, rank: 0 }), TypeError, "expected one with a length");
  assertThrows(make(0, { numReplicas: 2, rank: 0 }), RangeError, "a dataset of length 0");
  assertThrows(make(3, { numReplicas: 2, rank: 2 }), RangeError, "got rank 2 of 2");
  assertThrows(make(3, { numReplicas: 2, rank: 0, shuffle: 1 }), TypeError, "got shuffle 1");
  assertThrows(make(3, { numReplicas: 2, rank: 0, drop_last: true }), TypeError, "drop_last");
});
