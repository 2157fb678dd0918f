/**
 * Datasets and batches.
 */
import { assertEquals, assertThrows } from "@std/assert";
import {
  arange,
  Generator,
  manualSeed,
  rand,
  reshape,
  type Tensor,
  tensor,
  zeros,
} from "../../autograd/mod.ts";
import { batches, type BatchOptions, stackSamples, TensorDataset } from "../../mod.ts";

/** The samples of each batch of one pass over 0 … n − 1. */
function pass(loader: Iterable<Tensor[]>): number[][] {
  return [...loader].map(([x]) => [...x.data]);
}

function numbersBelow(n: number, options: BatchOptions) {
  return batches(new TensorDataset(arange(n)), options);
}

Deno.test("batches() goes through the samples in order, the last batch short", () => {
  const loader = numbersBelow(7, { batchSize: 3 });
  assertEquals(pass(loader), [[0, 1, 2], [3, 4, 5], [6]]);
  assertEquals(loader.length, 3);
});

Deno.test("batches() takes one sample at a time where no size is given", () => {
  assertEquals(pass(numbersBelow(3, {})), [[0], [1], [2]]);
});

Deno.test("batches() with dropLast leaves a short last batch out", () => {
  const loader = numbersBelow(7, { batchSize: 3, dropLast: true });
  assertEquals(pass(loader), [[0, 1, 2], [3, 4, 5]]);
  assertEquals(loader.length, 2);
  assertEquals(pass(numbersBelow(6, { batchSize: 3, dropLast: true })).length, 2);
  assertEquals(pass(numbersBelow(2, { batchSize: 3, dropLast: true })), []);
});

Deno.test("batches() of nothing is nothing", () => {
  const data = new TensorDataset(zeros([0, 3]));
  assertEquals([[...batches(data)], batches(data, { shuffle: true }).length], [[], 0]);
});

Deno.test("batches() keeps the rows of several tensors together", () => {
  const data = new TensorDataset(reshape(arange(12), [6, 2]), arange(6));
  for (const [x, y] of batches(data, { batchSize: 4, shuffle: true })) {
    assertEquals(x.shape, [y.size, 2]);
    y.data.forEach((row, i) =>
      assertEquals([x.data[2 * i], x.data[2 * i + 1]], [2 * row, 2 * row + 1])
    );
  }
});

// What PyTorch's DataLoader gives for ten samples, batches of four and these seeds, in two passes.
const loaded: [seed: number, withGenerator: number[][], without: number[][], then: number][] = [
  [
    0,
    [[3, 7, 5, 2, 0, 8, 1, 6, 9, 4], [1, 3, 2, 7, 5, 9, 0, 6, 4, 8]],
    [[6, 7, 1, 4, 2, 0, 9, 8, 3, 5], [2, 4, 7, 0, 8, 9, 5, 3, 6, 1]],
    0.6450241201227648,
  ],
  [
    7,
    [[1, 3, 5, 7, 9, 4, 6, 2, 8, 0], [5, 1, 6, 0, 9, 7, 8, 4, 3, 2]],
    [[3, 2, 7, 8, 6, 1, 5, 9, 0, 4], [1, 3, 5, 2, 8, 9, 6, 7, 4, 0]],
    0.9225293674529872,
  ],
  [
    2 ** 40 + 3,
    [[7, 4, 2, 9, 1, 5, 0, 8, 6, 3], [1, 2, 0, 5, 9, 4, 8, 3, 6, 7]],
    [[6, 2, 0, 1, 8, 3, 5, 4, 7, 9], [3, 4, 0, 9, 6, 7, 1, 2, 5, 8]],
    0.7553698716458989,
  ],
];

for (const [seed, withGenerator, without, then] of loaded) {
  Deno.test(`batches() with shuffle and seed ${seed} has the orders of PyTorch's DataLoader`, () => {
    const options = { batchSize: 4, shuffle: true };
    const own = numbersBelow(10, { ...options, generator: new Generator(seed) });
    assertEquals([pass(own).flat(), pass(own).flat()], withGenerator);
    manualSeed(seed);
    const shared = numbersBelow(10, options);
    assertEquals([pass(shared).flat(), pass(shared).flat()], without);
    assertEquals(rand([1]).item(), then);
  });
}

Deno.test("batches() draws nothing without shuffle", () => {
  manualSeed(3);
  const expected = rand([1]).item();
  manualSeed(3);
  pass(numbersBelow(5, { batchSize: 2 }));
  assertEquals(rand([1]).item(), expected);
});

Deno.test("a pass with shuffle holds every sample once, and passes differ", () => {
  const loader = numbersBelow(50, { batchSize: 7, shuffle: true, generator: new Generator(1) });
  const [first, second] = [pass(loader).flat(), pass(loader).flat()];
  const sorted = (list: number[]) => [...list].sort((a, b) => a - b);
  assertEquals(sorted(first), Array.from({ length: 50 }, (_, i) => i));
  assertEquals(sorted(second), sorted(first));
  assertEquals(first.join() === second.join(), false);
});

Deno.test("a pass that is left early does not disturb the next one", () => {
  const loader = numbersBelow(6, { batchSize: 2 });
  for (const [x] of loader) if (x.data[0] === 2) break;
  assertEquals(pass(loader).flat(), [0, 1, 2, 3, 4, 5]);
});

Deno.test("batches are copies: writing into one leaves the dataset alone", () => {
  const x = arange(4);
  const [[batch]] = batches(new TensorDataset(x), { batchSize: 2 });
  batch.copy_(9);
  assertEquals(x.toArray(), [0, 1, 2, 3]);
});

Deno.test("batches() stacks samples of any dataset", () => {
  const data = {
    length: 3,
    get: (i: number) => ({
      x: tensor([i, 2 * i]),
      label: i,
      name: `n${i}`,
      pair: [i, -i] as const,
    }),
  };
  const [first, last] = [...batches(data, { batchSize: 2 })];
  assertEquals(first.x.toArray(), [[0, 0], [1, 2]]);
  assertEquals(first.label.toArray(), [0, 1]);
  assertEquals(first.name, ["n0", "n1"]);
  assertEquals(first.pair.map((part) => part.toArray()), [[0, 1], [-0, -1]]);
  assertEquals(last.x.shape, [1, 2]);
});

Deno.test("stackSamples() refuses samples of different forms", () => {
  assertThrows(() => stackSamples([[1, 2], [1]]), RangeError, "Cannot stack samples: got an array");
  assertThrows(() => stackSamples([{ x: 1 }, { y: 1 } as never]), RangeError, "got an Object");
  assertThrows(() => stackSamples([tensor([1]), tensor([1, 2])]), RangeError);
});

Deno.test("TensorDataset gives single samples", () => {
  const data = new TensorDataset(tensor([[1, 2], [3, 4]]), tensor([5, 6]));
  assertEquals(data.length, 2);
  assertEquals(data.get(1).map((x) => x.toArray()), [[3, 4], 6]);
  for (const index of [-1, 2, 0.5, NaN]) {
    assertThrows(() => data.get(index), RangeError, `got index ${index}, expected one of 0 … 1`);
  }
});

Deno.test("TensorDataset refuses what has no rows in common", () => {
  assertThrows(() => new TensorDataset(), RangeError, "got no tensors");
  assertThrows(
    () => new TensorDataset([1] as never),
    TypeError,
    "Cannot make a TensorDataset: got tensors[0] an array of 1, expected a Tensor",
  );
  assertThrows(
    () => new TensorDataset(tensor(1)),
    RangeError,
    "of shape [], expected at least one",
  );
  assertThrows(
    () => new TensorDataset(zeros([2]), zeros([3, 2])),
    RangeError,
    "got tensors[1] of shape [3, 2], expected 2 rows as the first",
  );
});

Deno.test("batches() refuses wrong arguments", () => {
  const data = new TensorDataset(arange(3));
  const wrong: [unknown, BatchOptions, typeof TypeError, string][] = [
    [null, {}, TypeError, "Cannot make batches: got dataset null"],
    [arange(3), {}, TypeError, "got dataset a Tensor of shape [3], expected a TensorDataset"],
    [[1, 2], {}, TypeError, "got dataset an array of 2"],
    [data, { batchSize: 0 }, RangeError, "got batchSize 0"],
    [data, { batchSize: 1.5 }, RangeError, "got batchSize 1.5"],
    [data, { batchSize: NaN }, RangeError, "got batchSize NaN"],
    [data, { batchSize: "2" as never }, TypeError, "got batchSize string 2"],
    [data, { shuffle: 1 as never }, TypeError, "got shuffle number 1"],
    [data, { dropLast: "no" as never }, TypeError, "got dropLast string no"],
    [data, { generator: 3 as never }, TypeError, "got generator number"],
  ];
  for (const [dataset, options, error, message] of wrong) {
    assertThrows(() => batches(dataset as TensorDataset, options), error, message);
  }
});

Deno.test("a pass goes on in the middle of an epoch with the batches that were left", () => {
  const generator = new Generator(4);
  const loader = batches(new TensorDataset(arange(10)), { batchSize: 3, shuffle: true, generator });
  const began = generator.getState();
  const whole = [...loader].map(([x]) => x.toArray());
  const after = generator.getState();
  for (const first of [0, 2, 4]) {
    generator.setState(began);
    const rest = [...loader.from(first)].map(([x]) => x.toArray());
    assertEquals(rest, whole.slice(first));
    assertEquals(generator.getState(), after);
  }
  assertThrows(() => loader.from(5), RangeError, "got first 5, expected an integer from 0 to 4");
});
