import { storageOf } from "../../../autograd/tensor.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  Generator,
  nn,
  noGrad,
  optim,
  rand,
  randn,
  silenceWarnings,
  type Tensor,
} from "../../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { BatchNorm1d, auditTrainEval, formatAudit } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

function causes(row: nn.AuditRow): nn.AuditCause[] {
  return row.reasons.map(({ cause }) => cause);
}

/** A layer that has seen enough batches of the standard normal distribution. */
function settled(options: nn.BatchNormLayerOptions = {}): nn.BatchNorm1d {
  const bn = new BatchNorm1d(4, options);
  for (let i = 0; i < 60; i++) bn.forward(batch([256, 4], 100 + i));
  return bn;
}

class Net extends nn.Module {
  fc1 = new nn.Linear(3, 4);
  bn1 = new BatchNorm1d(4);
  drop = new nn.Dropout(0.5);
  fc2 = new nn.Linear(4, 4);
  bn2 = new BatchNorm1d(4);
  override forward(x: Tensor): Tensor {
    const h = this.drop.forward(this.bn1.forward(this.fc1.forward(x)).relu());
    return this.bn2.forward(this.fc2.forward(h));
  }
}

Deno.test("a layer with settled statistics shows nothing on data like its own", () => {
  const [row] = auditTrainEval(settled(), batch([512, 4], 3));
  assertEquals(row.reasons, []);
  assert(row.distance < 0.1, `${row.distance}`);
});

Deno.test("the distance is the root mean square of train − eval over that of train", () => {
  const bn = settled();
  const x = batch([64, 4], 3).mul(3).add(1);
  const [{ distance }] = auditTrainEval(bn, x);
  const [train, evaluated] = nn.noStatsUpdate(() => [
    bn.train().forward(x),
    bn.eval().forward(x),
  ]);
  const apart = train.sub(evaluated).square().mean().sqrt();
  assertAlmostEquals(distance, apart.div(train.square().mean().sqrt()).item(), 1e-12);
});

const cases: Record<nn.AuditCause, () => nn.AuditRow> = {
  "broken-statistics": () => {
    const bn = settled();
    bn.runningVar!.copy_(NaN);
    return auditTrainEval(bn, batch([512, 4], 3))[0];
  },
  "non-finite-batch": () => auditTrainEval(settled(), batch([512, 4], 3).div(0))[0],
  "never-updated": () => auditTrainEval(new BatchNorm1d(4), batch([64, 4]).mul(5))[0],
  "too-few-batches": () => {
    const bn = new BatchNorm1d(4, { momentum: 0.01 });
    for (let i = 0; i < 20; i++) bn.forward(batch([64, 4], i).add(3));
    return auditTrainEval(bn, batch([64, 4], 30).add(3))[0];
  },
  "tiny-batch": () => auditTrainEval(settled(), batch([4, 4], 3))[0],
  "eps-dominated": () => {
    const bn = new BatchNorm1d(4, { momentum: 0.5 });
    for (let i = 0; i < 60; i++) bn.forward(batch([64, 4], i).mul(1e-4));
    return auditTrainEval(bn, batch([64, 4], 99).mul(1e-4))[0];
  },
  "frozen": () => auditTrainEval(settled().freeze(), batch([512, 4], 3))[0],
  "shifted-data": () => auditTrainEval(settled(), batch([512, 4], 3).add(2))[0],
  "untracked": () => {
    const bn = new BatchNorm1d(4, { trackRunningStats: false });
    return auditTrainEval(bn, batch([64, 4]))[0];
  },
};

for (const [cause, run] of Object.entries(cases)) {
  Deno.test(`the audit finds ${cause}, and that alone`, () => {
    const row = run();
    assertEquals(causes(row), [cause]);
    assert(row.reasons[0].detail.length > 20);
  });
}

Deno.test("the numbers behind a cause are those of the layer", () => {
  const { detail } = cases["too-few-batches"]().reasons[0];
  assertEquals(
    detail,
    `after 20 batches with momentum 0.01 the initial 0 and 1 still weigh ${
      (100 * 0.99 ** 20).toFixed(0)
    } %`,
  );
  assertEquals(
    cases["eps-dominated"]().reasons[0].detail,
    "4 of 4 channels have a variance below eps 0.00001",
  );
});

Deno.test("a small share of the initial variance counts where the data's is smaller still", () => {
  const bn = new BatchNorm1d(4);
  for (let i = 0; i < 60; i++) bn.forward(batch([512, 4], i).mul(0.01));
  const [row] = auditTrainEval(bn, batch([512, 4], 99).mul(0.01));
  assertEquals(causes(row), ["too-few-batches"]);
  assert(row.reasons[0].detail.endsWith("5 % of the running variance in 4 of 4 channels"));
});

Deno.test("statistics from a recalibration are settled, however few its batches", () => {
  for (const exact of [true, false]) {
    const bn = new BatchNorm1d(4);
    optim.swa.updateBn([batch([2048, 4])], bn, { exact });
    assertEquals(auditTrainEval(bn, batch([512, 4], 2))[0].reasons, []);
    assertEquals(auditTrainEval(bn.deepCopy(), batch([512, 4], 2))[0].reasons, []);
    bn.resetRunningStats();
    assertEquals(causes(auditTrainEval(bn, batch([512, 4], 2))[0]), ["never-updated"]);
  }
});

Deno.test("loaded statistics are judged by their counter; without one they are taken as they are", () => {
  const state = settled().stateDict();
  const bn = new BatchNorm1d(4);
  bn.loadStateDict(state);
  assertEquals(auditTrainEval(bn, batch([512, 4], 3))[0].reasons, []);
  const few = new BatchNorm1d(4);
  for (let i = 0; i < 3; i++) few.forward(batch([512, 4], i).add(5));
  const young = new BatchNorm1d(4);
  young.loadStateDict(few.stateDict());
  assertEquals(causes(auditTrainEval(young, batch([512, 4], 3).add(5))[0]), ["too-few-batches"]);
  const plain = new Map(state);
  plain.delete("num_batches_tracked");
  const old = new BatchNorm1d(4);
  old.loadStateDict(plain);
  assertEquals(auditTrainEval(old, batch([512, 4], 3))[0].reasons, []);
});

Deno.test("a cumulative average is settled after its first batch", () => {
  const bn = new BatchNorm1d(4, { momentum: null });
  bn.forward(batch([2048, 4]));
  assertEquals(auditTrainEval(bn, batch([512, 4], 2))[0].reasons, []);
});

Deno.test("a variance of another size is a shift as well as a mean", () => {
  assertEquals(causes(auditTrainEval(settled(), batch([512, 4], 3).mul(3))[0]), ["shifted-data"]);
  // What chance can do in a small batch is none.
  for (let seed = 0; seed < 40; seed++) {
    assertEquals(causes(auditTrainEval(settled(), batch([48, 4], 500 + seed))[0]), []);
  }
});

Deno.test("the audit changes nothing: no statistics, modes, gradients, hooks, nor draws of chance", () => {
  const net = new Net();
  net.forward(batch([32, 3])).sum().backward();
  net.bn1.eval();
  net.bn2.accumulateStats(2);
  const state = () => ({
    values: [...net.stateDict()].map(([name, value]) => [name, value.toArray()]),
    versions: [...net.buffers(), ...net.parameters()].map((value) => storageOf(value).version),
    modes: net.modules().map((module) => module.training),
    grads: net.parameters().map((p) => p.grad?.toArray()),
    hooks: net.modules().map((module) => Object.hasOwn(module, "forward")),
  });
  const x = batch([32, 3], 2).requiresGrad_();
  const before = state();
  const generator = new Generator(5);
  auditTrainEval(net, x);
  assertEquals(state(), before);
  assertEquals(x.grad, null);
  assertEquals(rand([1], { generator }).item(), rand([1], { generator: new Generator(5) }).item());
  // Nor what was gathered towards an update.
  net.bn2.forward(batch([8, 4]));
  assertEquals(net.bn2.numBatchesTracked!.item(), 1);
  net.bn2.forward(batch([8, 4]));
  assertEquals(net.bn2.numBatchesTracked!.item(), 2);
});

Deno.test("modes and hooks are put back also when the model throws", () => {
  const net = new Net();
  assertThrows(() => auditTrainEval(net, batch([32, 5])), RangeError);
  assert(net.modules().every((module) => module.training && !Object.hasOwn(module, "forward")));
});

Deno.test("a row for each layer that runs, by its dotted name", () => {
  const net = new nn.Sequential(new Net(), new nn.ReLU());
  const rows = auditTrainEval(net, batch([32, 3]));
  assertEquals(rows.map(({ name }) => name), ["0.bn1", "0.bn2"]);
  const [first] = net.children() as Net[];
  assertEquals(rows.map(({ layer }) => layer), [first.bn1, first.bn2]);
});

Deno.test("deeper layers are judged on what they get in evaluation", () => {
  const net = new Net();
  noGrad(() => net.fc2.bias!.copy_(50));
  for (let i = 0; i < 60; i++) net.forward(batch([256, 3], i));
  const [, row] = auditTrainEval(net.eval(), batch([512, 3], 99));
  // Dropout is off in evaluation, so the spread is another one than in training.
  assert(row.distance < 1);
  assertEquals(causes(auditTrainEval(net, batch([512, 3], 99).add(9))[0]), ["shifted-data"]);
});

Deno.test("one value in a channel has no training output: the distance is NaN", () => {
  const [row] = auditTrainEval(settled(), batch([1, 4]));
  assertEquals(row.distance, NaN);
  assertEquals(causes(row), ["tiny-batch"]);
});

Deno.test("outputs that are zero in both modes do not lie apart", () => {
  const bn = settled();
  noGrad(() => bn.weight!.copy_(0));
  assertEquals(auditTrainEval(bn, batch([64, 4]))[0].distance, 0);
});

Deno.test("the audit refuses what is no tensor", () => {
  assertThrows(
    () => auditTrainEval(new Net(), [1] as unknown as Tensor),
    TypeError,
    "got batch an array of 1",
  );
});

Deno.test("formatAudit() writes a line for each layer", () => {
  const model = new nn.Sequential(settled(), new BatchNorm1d(4));
  const lines = formatAudit(auditTrainEval(model, batch([512, 4], 3))).split("\n");
  assertEquals(lines.length, 2);
  assert(/^0: train and eval differ by [\d.]+ %$/.test(lines[0]), lines[0]);
  assert(
    /^1: train and eval differ by [\d.]+ % \(never-updated: its running .*\)$/.test(lines[1]),
    lines[1],
  );
  assert(formatAudit(auditTrainEval(settled(), batch([64, 4]))).startsWith("BatchNorm1d: train"));
});
