/**
 * Averaged models, and groups without decay.
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Tensor, tensor, zeros } from "../../autograd/mod.ts";
import * as nn from "../../nn/mod.ts";
import { paramGroups, SGD, swa } from "../../optim/mod.ts";

/** A net with parameters and running statistics. */
function net(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
}

function set(model: nn.Module, value: number): void {
  for (const param of model.parameters()) param.detach().copy_(value);
  for (const buffer of model.buffers()) buffer.copy_(value);
}

function values(model: nn.Module): Record<string, number> {
  return Object.fromEntries([...model.stateDict()].map(([name, x]) => [name, x.data[0]]));
}

Deno.test("AveragedModel holds the plain mean of all updates and the last buffers", () => {
  const model = net();
  const averaged = new swa.AveragedModel(model);
  for (const value of [1, 2, 6]) {
    set(model, value);
    averaged.updateParameters(model);
  }
  assertEquals(values(averaged), {
    "n_averaged": 3,
    "module.0.weight": 3,
    "module.0.bias": 3,
    "module.1.weight": 3,
    "module.1.bias": 3,
    "module.1.running_mean": 6,
    "module.1.running_var": 6,
    "module.1.num_batches_tracked": 6,
  });
});

Deno.test("AveragedModel with useBuffers averages buffers too, counters to integers", () => {
  const model = net();
  const averaged = new swa.AveragedModel(model, { useBuffers: true });
  for (const value of [1, 2]) {
    set(model, value);
    averaged.updateParameters(model);
  }
  const { "module.1.running_mean": mean, "module.1.num_batches_tracked": batches } = values(
    averaged,
  );
  assertEquals([mean, batches], [1.5, 1]);
});

Deno.test("AveragedModel takes a mean of its own", () => {
  const model = net();
  const averaged = new swa.AveragedModel(model, { avgFn: swa.getEmaAvgFn(0.9) });
  const counts: number[] = [];
  const counting = new swa.AveragedModel(model, {
    avgFn: (average, _, count) => (counts.push(count), average),
  });
  for (const value of [1, 2]) {
    set(model, value);
    averaged.updateParameters(model);
    counting.updateParameters(model);
  }
  assertAlmostEquals(averaged.module.parameters()[0].data[0], 0.9 * 1 + 0.1 * 2, 1e-15);
  assertEquals(counts, [1, 1, 1, 1]);
});

Deno.test("AveragedModel shares nothing with its model, and runs, saves and copies itself", () => {
  const model = net();
  const averaged = new swa.AveragedModel(model);
  set(model, 5);
  assert(values(averaged)["module.0.weight"] !== 5);
  averaged.updateParameters(model);
  averaged.eval();
  model.eval();
  const x = tensor([[1, 2]]);
  assertEquals(averaged.forward(x).toArray(), model.forward(x).toArray());

  const other = new swa.AveragedModel(net());
  other.loadStateDict(averaged.stateDict());
  assertEquals(values(other), values(averaged));
  const copy = averaged.deepCopy();
  set(model, 7);
  copy.updateParameters(model);
  assertEquals([values(copy)["module.0.weight"], values(averaged)["module.0.weight"]], [6, 5]);
});

Deno.test("AveragedModel refuses what is no model, or another one, and changes nothing", () => {
  assertThrows(
    () => new swa.AveragedModel(3 as unknown as nn.Module),
    TypeError,
    "Cannot make an AveragedModel: got model number 3, expected a Module",
  );
  assertThrows(
    () => new swa.AveragedModel(net(), { avgFn: 3 as never }),
    TypeError,
    "got avgFn number 3",
  );
  assertThrows(
    () => new swa.AveragedModel(net(), { useBuffers: 1 as never }),
    TypeError,
    "got useBuffers number 1",
  );
  assertThrows(() => swa.getEmaAvgFn(NaN), RangeError, "got decay number NaN");
  const averaged = new swa.AveragedModel(net());
  const before = values(averaged);
  assertThrows(() => averaged.updateParameters(null as never), TypeError, "got model null");
  assertThrows(
    () => averaged.updateParameters(new nn.Linear(2, 2)),
    RangeError,
    "got a model with 2 parameters, expected 4",
  );
  assertThrows(
    () => averaged.updateParameters(new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(3))),
    RangeError,
    "got 1.weight of shape [3], expected [2] as 1.weight",
  );
  assertEquals(values(averaged), before);
});

Deno.test("updateBn gives an averaged model the statistics that it lacks", () => {
  const model = net();
  const averaged = new swa.AveragedModel(model);
  averaged.updateParameters(model);
  const data = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 9]])];
  swa.updateBn(data, averaged);
  const bn = averaged.module.children()[1] as nn.BatchNorm1d;
  assertEquals(bn.numBatchesTracked!.item(), 2);
  assert(bn.runningMean!.data.every((mean) => mean !== 0));
});

function sizes(groups: readonly { params: Tensor[]; weightDecay: number }[]): unknown[] {
  return groups.map((group) => [group.params.length, group.weightDecay]);
}

Deno.test("paramGroups keeps norms and biases out of the decay", () => {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 2, 3),
    new nn.BatchNorm2d(2),
    new nn.GroupNorm(1, 2),
    new nn.Sequential(new nn.LayerNorm([2]), new nn.RMSNorm([2]), new nn.Linear(2, 2)),
  );
  const groups = paramGroups(model, { weightDecay: 0.1 });
  assertEquals(sizes(groups), [[2, 0.1], [9, 0]]);
  assertEquals(groups[0].params.map((param) => param.ndim), [4, 2]);
  assertEquals(new Set(groups.flatMap((group) => group.params)).size, model.parameters().length);

  const optimizer = new SGD(groups, { lr: 1 });
  for (const param of model.parameters()) {
    param.detach().copy_(1);
    param.grad = zeros(param.shape);
  }
  optimizer.step();
  const moved = model.namedParameters().filter(([, param]) => param.data[0] !== 1);
  assertEquals(moved.map(([name]) => name), ["0.weight", "3.2.weight"]);
});

Deno.test("paramGroups leaves out what exclude names, and lists shared parameters once", () => {
  const shared = new nn.Linear(2, 2);
  const model = new nn.Sequential(shared, shared, new nn.Linear(2, 1, { bias: false }));
  assertEquals(sizes(paramGroups(model, { weightDecay: 0.1 })), [[2, 0.1], [1, 0]]);
  const exclude = (name: string) => name === "2.weight";
  assertEquals(sizes(paramGroups(model, { weightDecay: 0.1, exclude })), [[1, 0.1], [2, 0]]);
});

Deno.test("paramGroups refuses what is no module, and a decay below 0", () => {
  assertThrows(
    () => paramGroups([] as never, { weightDecay: 1 }),
    TypeError,
    "Cannot make paramGroups: got model an array of 0, expected a Module",
  );
  assertThrows(() => paramGroups(net(), undefined as never), TypeError, "got undefined in place");
  assertThrows(() => paramGroups(net(), {} as never), TypeError, "got weightDecay undefined");
  assertThrows(() => paramGroups(net(), { weightDecay: -1 }), RangeError, "got weightDecay -1");
  assertThrows(() => paramGroups(net(), { weightDecay: NaN }), RangeError, "got weightDecay NaN");
  assertThrows(
    () => paramGroups(net(), { weightDecay: 1, exclude: "bias" as never }),
    TypeError,
    "got exclude string bias",
  );
});
