import { within } from "../../assert_close.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  batches,
  Generator,
  nn,
  noGrad,
  optim,
  randn,
  randperm,
  silenceWarnings,
  type Tensor,
  tensor,
  TensorDataset,
} from "../../../mod.ts";
import { compareState } from "../../oracle/compare.ts";
import { makeCnn } from "../../oracle/nets.ts";
import {
  readCases,
  type RecordedState,
  type RecordedTensor,
  toState,
  toTensor,
} from "../../oracle/recorded.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { updateBn } = optim.swa;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

/** Convolution, residual block, linear layers: four BatchNorms, one of them without γ and β. */
class Net extends nn.Module {
  conv = new nn.Conv2d(2, 3, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(3);
  inner = new nn.Conv2d(3, 3, 3, { padding: 1, bias: false });
  bn2 = new nn.BatchNorm2d(3, { momentum: null });
  fc1 = new nn.Linear(27, 5);
  bn3 = new nn.BatchNorm1d(5, { affine: false, momentum: 0.3 });
  fc2 = new nn.Linear(5, 4);
  bn4 = new nn.BatchNorm1d(4);

  override forward(x: Tensor): Tensor {
    const h = this.bn1.forward(this.conv.forward(x)).relu();
    const block = this.bn2.forward(this.inner.forward(h)).relu().add(h);
    const z = this.bn3.forward(this.fc1.forward(block.flatten({ startDim: 1 }))).tanh();
    return this.bn4.forward(this.fc2.forward(z));
  }
}

function norms(model: nn.Module): nn.BatchNorm[] {
  return model.modules().filter((module) => module instanceof nn.BatchNorm);
}

function statistics(model: nn.Module): number[] {
  return norms(model).flatMap((bn) => [...bn.runningMean!.data, ...bn.runningVar!.data]);
}

/** Everything that recalibration could move. */
function snapshot(model: nn.Module): unknown {
  return {
    state: [...model.stateDict()].map(([name, value]) => [name, value.toArray()]),
    modes: model.modules().map((module) => module.training),
    momenta: norms(model).map((bn) => bn.momentum),
    grads: model.parameters().map(({ grad }) => grad),
  };
}

const assertClose = within(1e-12);

/** A model with new statistics from the data. */
function recalibrated(data: Iterable<optim.swa.Batch>, exact: boolean): Net {
  const model = fresh();
  updateBn(data, model, { exact });
  return model;
}

const original = new Net();
noGrad(() => {
  const generator = new Generator(7);
  for (const p of original.parameters()) p.copy_(randn(p.shape, { generator }).mul(0.4));
});
const fresh = (): Net => original.deepCopy();

Deno.test("updateBn() is PyTorch's update_bn", async () => {
  interface Recalibrating {
    arch: string;
    state: RecordedState;
    batches: RecordedTensor[];
    after: RecordedState;
  }
  const cases = (await readCases<Recalibrating>("trajectory"))
    .filter(({ arch }) => arch === "recalibrate");
  assert(cases.length > 0);
  for (const { state, batches, after } of cases) {
    const net = makeCnn() as unknown as nn.Module;
    net.loadStateDict(toState(state));
    net.eval();
    updateBn(batches.map((x) => toTensor(x)), net);
    compareState("state afterwards", net.stateDict(), after);
    assertEquals(net.training, false);
  }
});

Deno.test("updateBn() averages the batches, whatever their sizes; exact, the samples", () => {
  const data = [tensor([[1], [3]]), tensor([[5], [6], [7], [8]])];
  const [compatible, exact] = [new nn.BatchNorm1d(1), new nn.BatchNorm1d(1)];
  updateBn(data, compatible);
  updateBn(data, exact, { exact: true });
  assertClose(statistics(compatible), [(2 + 6.5) / 2, (2 + 5 / 3) / 2], 1e-15);
  assertClose(statistics(exact), [5, (16 + 4 + 0 + 1 + 4 + 9) / 5], 1e-15);
  assertEquals(compatible.numBatchesTracked!.item(), 2);
  assertEquals(exact.numBatchesTracked!.item(), 2);
});

/** Statistics layer by layer, from all data at once and in plain loops. */
function byHand(x: Tensor): number[] {
  const model = fresh().eval();
  for (const bn of norms(model)) {
    let input: Tensor | null = null;
    const hook = bn.registerForwardPreHook((_, [given]) => void (input = given));
    noGrad(() => model.forward(x));
    hook.remove();
    const { shape, data } = input! as Tensor;
    const positions = data.length / (shape[0] * shape[1]);
    for (let c = 0; c < shape[1]; c++) {
      const values = [...data].filter((_, i) => Math.floor(i / positions) % shape[1] === c);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      bn.runningMean!.data[c] = mean;
      bn.runningVar!.data[c] = squares / (values.length - 1);
    }
  }
  return statistics(model);
}

Deno.test("exact statistics are those of every layer's inputs, to 1e-12, for every split and order", () => {
  const x = batch([30, 2, 3, 3]).mul(2).add(3);
  const expected = byHand(x);
  const splits = [[30], [15, 15], [1, 29], [7, 11, 12], [10, 1, 1, 18], Array(30).fill(1)];
  for (const [i, sizes] of splits.entries()) {
    const order = randperm(30, { generator: new Generator(i) });
    for (const data of [x, x.indexSelect(0, order)]) {
      assertClose(statistics(recalibrated(data.split(sizes), true)), expected, 1e-12);
    }
  }
});

Deno.test("exact statistics keep 1e-12 also where the mean is large", () => {
  for (const offset of [1e3, 1e6, 1e8]) {
    const x = batch([240, 1]).add(offset);
    const run = (sizes: number | number[]): nn.BatchNorm1d => {
      const bn = new nn.BatchNorm1d(1);
      updateBn(x.split(sizes), bn, { exact: true });
      return bn;
    };
    const whole = run(240);
    for (const sizes of [1, 7, 80, [1, 239], [200, 40]]) {
      const parts = run(sizes);
      assertClose([...parts.runningMean!.data], [...whole.runningMean!.data], 1e-15);
      assertClose([...parts.runningVar!.data], [...whole.runningVar!.data], 1e-12);
    }
  }
});

Deno.test("compatible statistics depend on the split, exact ones do not depend on old statistics", () => {
  const x = batch([30, 2, 3, 3]);
  const [first, second] = [recalibrated([x], false), recalibrated(x.split([20, 10]), false)];
  assert(statistics(first).some((value, i) => Math.abs(value - statistics(second)[i]) > 1e-4));
  const model = fresh();
  for (const bn of norms(model)) bn.runningMean!.copy_(1e3);
  updateBn(x.split(10), model, { exact: true });
  assertClose(statistics(model), byHand(x), 1e-12);
});

Deno.test("batches come as lists, from a DataLoader's order, or from an iterator that is read once", () => {
  const x = batch([12, 2, 3, 3]);
  const labels = tensor([...Array(12).keys()]);
  const expected = byHand(x);
  const loader = batches(new TensorDataset(x, labels), {
    batchSize: 5,
    shuffle: true,
    generator: new Generator(3),
  });
  function* once(): Iterable<Tensor> {
    yield* x.split(4);
  }
  const sources: (() => Iterable<optim.swa.Batch>)[] = [
    () => x.split(4).map((part) => [part, "a label"] as const),
    () => loader as Iterable<optim.swa.Batch>,
    once,
    () => x.split(4).values(),
    () => new Set(x.split(4)),
  ];
  for (const source of sources) {
    assertClose(statistics(recalibrated(source(), true)), expected, 1e-12);
    const model = recalibrated(source(), false);
    assertEquals(norms(model).map((bn) => bn.numBatchesTracked!.item()), [3, 3, 3, 3]);
  }
});

Deno.test("data that end after the first reading are refused in exact mode", () => {
  const iterator = batch([8, 2, 3, 3]).split(4).values();
  const model = fresh();
  const before = snapshot(model);
  assertThrows(
    () => updateBn({ [Symbol.iterator]: () => iterator }, model, { exact: true }),
    RangeError,
    "got no batches",
  );
  assertEquals(snapshot(model), before);
});

for (const exact of [false, true]) {
  const mode = exact ? "exact" : "compatible";

  Deno.test(`a loader that throws leaves everything as it was (${mode})`, () => {
    const model = fresh();
    model.forward(batch([6, 2, 3, 3]));
    model.bn2.eval();
    model.bn3.accumulateStats(4);
    const before = snapshot(model);
    let readings = 0;
    const data: Iterable<Tensor> = {
      *[Symbol.iterator]() {
        yield batch([6, 2, 3, 3], 2);
        // In exact mode at the third layer, when two have their new statistics.
        if (++readings === (exact ? 3 : 1)) throw new Error("disk on fire");
        yield batch([6, 2, 3, 3], 3);
      },
    };
    assertThrows(() => updateBn(data, model, { exact }), Error, "disk on fire");
    assertEquals(snapshot(model), before);
    assertEquals(model.bn3.statsAccumulated, 4);
  });

  Deno.test(`a batch that is no tensor leaves everything as it was (${mode})`, () => {
    const model = fresh();
    const before = snapshot(model);
    const data = [batch([6, 2, 3, 3]), { x: 1 }] as unknown as Tensor[];
    assertThrows(() => updateBn(data, model, { exact }), TypeError, "a Tensor or a list");
    assertEquals(snapshot(model), before);
  });

  Deno.test(`weights, modes, momenta and gradients stay (${mode})`, () => {
    const model = fresh();
    model.forward(batch([6, 2, 3, 3])).sum().backward();
    model.bn3.eval();
    const { grad } = model.fc1.weight;
    const parameters = model.parameters().map((p) => p.toArray());
    const x = batch([6, 2, 3, 3], 2).requiresGrad_();
    updateBn([x], model, { exact });
    assertEquals(model.parameters().map((p) => p.toArray()), parameters);
    assertStrictEquals(model.fc1.weight.grad, grad);
    assertStrictEquals(x.grad, null);
    assertEquals(norms(model).map((bn) => bn.momentum), [0.1, null, 0.3, 0.1]);
    assertEquals(norms(model).map((bn) => bn.training), [true, true, false, true]);
  });

  Deno.test(`frozen layers, and layers in evaluation in a model in training, stay (${mode})`, () => {
    const model = fresh();
    model.forward(batch([6, 2, 3, 3]));
    model.bn1.freeze();
    model.bn3.eval();
    const held = () =>
      [model.bn1, model.bn3].map((bn) => [...bn.stateDict().values()].map((t) => t.toArray()));
    const [before, others] = [held(), model.bn2.runningMean!.toArray()];
    updateBn([batch([6, 2, 3, 3], 2)], model, { exact });
    assertEquals(held(), before);
    assert(String(model.bn2.runningMean!.toArray()) !== String(others));
    assertEquals([model.bn1.frozen, model.bn1.training], [true, false]);
    // Thawed, the layer is in the mode that its model is in.
    assertEquals(model.bn1.unfreeze().training, true);
  });

  Deno.test(`a model in evaluation is recalibrated as a whole and stays there (${mode})`, () => {
    const x = batch([6, 2, 3, 3], 2);
    const model = fresh().eval();
    updateBn([x], model, { exact });
    assertEquals(statistics(model), statistics(recalibrated([x], exact)));
    assertEquals(model.modules().some((module) => module.training), false);
  });

  Deno.test(`statistics that wait for several forwards do not wait here (${mode})`, () => {
    const x = batch([8, 2], 2);
    const [bn, plain] = [new nn.BatchNorm1d(2).accumulateStats(3), new nn.BatchNorm1d(2)];
    bn.forward(x);
    for (const layer of [bn, plain]) updateBn(x.split(4), layer, { exact });
    assertEquals(statistics(bn), statistics(plain));
    assertEquals(bn.statsAccumulated, 3);
    // What waited before is dropped: three more forwards make the update.
    const updated = bn.numBatchesTracked!.item();
    bn.forward(x);
    bn.forward(x);
    assertEquals(bn.numBatchesTracked!.item(), updated);
    bn.forward(x);
    assertEquals(bn.numBatchesTracked!.item(), updated + 1);
  });

  Deno.test(`positions under a mask do not count (${mode})`, () => {
    class Masked extends nn.Module {
      bn = new nn.BatchNorm1d(2);
      override forward(x: Tensor): Tensor {
        return this.bn.forward(x, { mask: x.ne(-9).amax({ dim: 1 }) });
      }
    }
    const x = tensor([[[1, 2, -9], [5, 7, -9]], [[4, -9, -9], [6, -9, -9]]]);
    const model = new Masked();
    updateBn([x], model, { exact });
    assertClose(statistics(model), [7 / 3, 6, 7 / 3, 1], 1e-14);
  });

  Deno.test(`layers without statistics, and models without layers, are passed over (${mode})`, () => {
    const untracked = new nn.BatchNorm1d(2, { trackRunningStats: false });
    updateBn([batch([4, 2])], new nn.Sequential(untracked), { exact });
    assertStrictEquals(untracked.runningMean, null);
    let read = false;
    const data: Iterable<Tensor> = {
      [Symbol.iterator]() {
        read = true;
        return [].values();
      },
    };
    updateBn(data, new nn.Linear(2, 2), { exact });
    assertEquals(read, false);
  });
}

for (const exact of [false, true]) {
  Deno.test(`updateBn() without data throws and leaves everything as it was, exact ${exact}`, async () => {
    const model = fresh();
    model.bn3.accumulateStats(2);
    model.forward(batch([6, 2, 3, 3]));
    const before = snapshot(model);
    assertThrows(() => updateBn([], model, { exact }), RangeError, "got no batches");
    await assertRejects(
      async () => {
        await updateBn((async function* () {})(), model, { exact });
      },
      RangeError,
      "got no batches",
    );
    assertThrows(
      () => updateBn(5 as unknown as Tensor[], model, { exact }),
      TypeError,
      "got batches number 5",
    );
    assertEquals(snapshot(model), before);
    // What waited for a common update still waits.
    model.forward(batch([6, 2, 3, 3]));
    assertEquals(model.bn3.numBatchesTracked!.item(), 1);
  });

  Deno.test(`updateBn() takes batches that arrive over time, exact ${exact}`, async () => {
    const parts = batch([12, 2, 3, 3], 2).split(4);
    const [model, awaited] = [fresh(), fresh()];
    updateBn(parts, model, { exact });
    async function* arriving() {
      for (const part of parts) yield await Promise.resolve(part);
    }
    await updateBn(arriving(), awaited, { exact });
    assertEquals(statistics(awaited), statistics(model));
    const again = fresh();
    await updateBn({ [Symbol.asyncIterator]: arriving }, again, { exact });
    assertEquals(statistics(again), statistics(model));
    const before = snapshot(again);
    async function* failing() {
      yield await Promise.resolve(parts[0]);
      throw new Error("disk on fire");
    }
    await assertRejects(async () => await updateBn(failing(), again, { exact }), Error, "disk");
    assertEquals(snapshot(again), before);
  });
}

Deno.test("one value in all has no variance: exact mode refuses and changes nothing", () => {
  const bn = new nn.BatchNorm1d(2);
  assertThrows(
    () => updateBn([batch([1, 2])], bn, { exact: true }),
    RangeError,
    "more than 1 value per channel",
  );
  assertEquals(statistics(bn), [0, 0, 1, 1]);
  assertEquals(bn.numBatchesTracked!.item(), 0);
});

Deno.test("a layer that does not run keeps its statistics in exact mode", () => {
  class TwoHeads extends nn.Module {
    used = new nn.BatchNorm1d(2);
    unused = new nn.BatchNorm1d(2);
    override forward(x: Tensor): Tensor {
      return this.used.forward(x);
    }
  }
  const model = new TwoHeads();
  model.unused.forward(batch([6, 2], 5));
  const before = model.unused.runningMean!.toArray();
  updateBn([batch([6, 2])], model, { exact: true });
  assertEquals(model.unused.runningMean!.toArray(), before);
  assertEquals(model.used.numBatchesTracked!.item(), 1);
});

Deno.test("layers are recalibrated in the order in which they run, not that of registration", () => {
  class Backwards extends nn.Module {
    last = new nn.BatchNorm1d(2);
    first = new nn.BatchNorm1d(2);
    override forward(x: Tensor): Tensor {
      return this.last.forward(this.first.forward(x).mul(3).tanh());
    }
  }
  const x = batch([20, 2]).add(4);
  const whole = new Backwards();
  const parts = new Backwards();
  updateBn([x], whole, { exact: true });
  updateBn(x.split(3), parts, { exact: true });
  assertClose(statistics(parts), statistics(whole), 1e-12);
  const z = noGrad(() => whole.first.eval().forward(x).mul(3).tanh());
  assertClose([...whole.last.runningMean!.data], [...z.mean({ dim: 0 }).data], 1e-14);
});
