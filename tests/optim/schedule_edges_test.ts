/**
 * Learning rate schedules: arguments, resuming, nesting, state.
 */
import { within } from "../assert_close.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Tensor, tensor, zeros } from "../../autograd/mod.ts";
import { Adam, lrScheduler, type Optimizer, SGD, swa } from "../../optim/mod.ts";

const {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  ExponentialLR,
  MultiStepLR,
  OneCycleLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
} = lrScheduler;

function optimizer(...lrs: number[]): Optimizer {
  return new SGD((lrs.length === 0 ? [1] : lrs).map((lr) => ({ params: [zeros([1])], lr })), {
    momentum: 0.9,
  });
}

function rates(schedule: lrScheduler.LRScheduler, steps: number): number[] {
  return Array.from({ length: steps }, () => (schedule.step(), schedule.getLastLr()[0]));
}

const assertClose = within(1e-15);

Deno.test("a refused schedule leaves the optimizer as it was", () => {
  const o = optimizer();
  const before = o.toString();
  for (const call of [() => new OneCycleLR(o, NaN, { totalSteps: 9 }), () => new StepLR(o, 0)]) {
    assertThrows(call, RangeError);
  }
  assertEquals(o.toString(), before);
});

Deno.test("a schedule that fails in its first step leaves the optimizer as it was", () => {
  const o = optimizer();
  assertThrows(() => new swa.SWALR(o, -Infinity), RangeError, "expected a finite one");
  assertEquals(o.paramGroups.map(({ initialLr }) => initialLr), o.paramGroups.map(() => undefined));
});

Deno.test("OneCycleLR refuses steps beyond the last and stays where it is", () => {
  const o = optimizer();
  const schedule = new OneCycleLR(o, 1, { totalSteps: 3 });
  rates(schedule, 3);
  const before = o.toString();
  for (let i = 0; i < 2; i++) {
    assertThrows(() => schedule.step(), RangeError, "got step 4, expected at most 3 steps");
  }
  assertEquals([schedule.lastEpoch, o.toString()], [3, before]);
});

Deno.test("the main argument may stand in front or among the options", () => {
  const pairs: [lrScheduler.LRScheduler, lrScheduler.LRScheduler][] = [
    [new StepLR(optimizer(), 2), new StepLR(optimizer(), { stepSize: 2 })],
    [new MultiStepLR(optimizer(), [2, 3]), new MultiStepLR(optimizer(), { milestones: [2, 3] })],
    [new ExponentialLR(optimizer(), 0.5), new ExponentialLR(optimizer(), { gamma: 0.5 })],
    [new CosineAnnealingLR(optimizer(), 4), new CosineAnnealingLR(optimizer(), { tMax: 4 })],
    [
      new CosineAnnealingWarmRestarts(optimizer(), 3, { tMult: 2 }),
      new CosineAnnealingWarmRestarts(optimizer(), { t0: 3, tMult: 2 }),
    ],
    [
      new OneCycleLR(optimizer(), 2, { totalSteps: 5 }),
      new OneCycleLR(optimizer(), { maxLr: 2, totalSteps: 5 }),
    ],
    [new swa.SWALR(optimizer(), 0.5), new swa.SWALR(optimizer(), { swaLr: 0.5 })],
  ];
  for (const [first, second] of pairs) assertEquals(rates(first, 5), rates(second, 5));
  const o = optimizer();
  const parts = [new ConstantLR(o), new ExponentialLR(o, 0.5)];
  const sequence = new SequentialLR(o, { schedulers: parts, milestones: [2] });
  assertClose(rates(sequence, 3), [1 / 3, 1, 0.5]);
});

Deno.test("a schedule writes into a rate that is a tensor", () => {
  const lr: Tensor = tensor(1);
  const o = new SGD([zeros([1])], { lr });
  const schedule = new ExponentialLR(o, 0.5);
  schedule.step();
  assertEquals([lr.item(), schedule.getLastLr()], [0.5, [0.5]]);
  assertEquals(o.paramGroups[0].lr === lr, true);
});

Deno.test("groups remember the rate that the first schedule found", () => {
  const o = optimizer(1, 0.1);
  new ConstantLR(o, { factor: 0.5 });
  assertEquals(o.paramGroups.map((group) => [group.initialLr, group.lr]), [[1, 0.5], [0.1, 0.05]]);
  const second = new ExponentialLR(o, 0.5);
  assertEquals(second.baseLrs, [1, 0.1]);
});

Deno.test("a run that goes on with lastEpoch begins with the rate that it left", () => {
  const first = optimizer(0.4);
  const schedule = new ExponentialLR(first, 0.5);
  const expected = rates(schedule, 5);
  const second = optimizer(expected[2]);
  second.paramGroups[0].initialLr = 0.4;
  const resumed = new ExponentialLR(second, 0.5, { lastEpoch: 2 });
  assertEquals(resumed.getLastLr(), [expected[2]]);
  assertEquals(rates(resumed, 2), expected.slice(3));
});

Deno.test("CosineAnnealingWarmRestarts finds its period again with lastEpoch", () => {
  const expected = rates(new CosineAnnealingWarmRestarts(optimizer(), 2, { tMult: 2 }), 20);
  for (const lastEpoch of [0, 3, 7, 12]) {
    const o = optimizer(9);
    o.paramGroups[0].initialLr = 1;
    const resumed = new CosineAnnealingWarmRestarts(o, 2, { tMult: 2, lastEpoch });
    assertEquals(resumed.getLastLr()[0], expected[lastEpoch]);
    assertEquals(rates(resumed, 5), expected.slice(lastEpoch + 1, lastEpoch + 6));
  }
});

Deno.test("sequences nest: each begins where its turn comes", () => {
  const o = optimizer();
  const inner = new SequentialLR(o, [new ConstantLR(o, { factor: 0.5 }), new StepLR(o, 9)], [2]);
  const outer = new SequentialLR(o, [inner, new ExponentialLR(o, 0.5)], [4]);
  assertEquals(outer.getLastLr(), [0.5]);
  assertClose(rates(outer, 6), [0.5, 1, 1, 1, 0.5, 0.25]);

  const p = optimizer();
  const chained = new ChainedScheduler([new ExponentialLR(p, 0.5), new ConstantLR(p)]);
  const second = new SequentialLR(p, [new StepLR(p, 9), chained], [2]);
  assertClose(rates(second, 4), [1, 1 / 3, 1 / 6, 1 / 12]);

  const q = optimizer();
  const late = new SequentialLR(q, [new ConstantLR(q, { factor: 0.5 }), new StepLR(q, 9)], [1]);
  const third = new SequentialLR(q, [new ExponentialLR(q, 0.1), late], [2]);
  assertClose(rates(third, 4), [0.1, 0.5, 1, 1]);
});

Deno.test("ReduceLROnPlateau takes tensors, and counts NaN as no progress", () => {
  const o = optimizer();
  const schedule = new ReduceLROnPlateau(o, { patience: 1, factor: 0.5 });
  schedule.step(tensor(1));
  schedule.step(NaN);
  schedule.step(NaN);
  assertEquals([schedule.best, schedule.getLastLr()], [1, [0.5]]);
});

Deno.test("ReduceLROnPlateau says what to do when a group was added", () => {
  const o = optimizer();
  const schedule = new ReduceLROnPlateau(o, { patience: 0, factor: 0.5 });
  schedule.step(1);
  o.addParamGroup({ params: [zeros([1])] });
  assertThrows(() => schedule.step(1), RangeError, "got 2 groups, expected 1");
  schedule.minLrs = [0, 0];
  schedule.step(1);
  assertEquals(o.paramGroups.map((group) => group.lr), [0.5, 5e-4]);
});

Deno.test("a schedule's state has PyTorch's names", () => {
  const names = Object.keys(new CosineAnnealingWarmRestarts(optimizer(), 3).stateDict());
  assertEquals(names, [
    "T_0",
    "T_mult",
    "eta_min",
    "T_i",
    "T_cur",
    "base_lrs",
    "last_epoch",
    "_step_count",
    "_last_lr",
  ]);
  assertEquals(Object.keys(new CosineAnnealingLR(optimizer(), 3).stateDict())[0], "T_max");
  const plateau = Object.keys(new ReduceLROnPlateau(optimizer()).stateDict());
  assertEquals(plateau.includes("num_bad_epochs"), true);
});

Deno.test("loadStateDict of a schedule refuses what does not fit and changes nothing", () => {
  const schedule = new StepLR(optimizer(), 3);
  schedule.step();
  const saved = schedule.stateDict();
  const { gamma: _, ...lacking } = saved;
  const name = "Cannot load the state of StepLR: got ";
  const wrong: [unknown, typeof TypeError, string][] = [
    [null, TypeError, `${name}null`],
    [[], TypeError, `${name}an array of 0`],
    [lacking, RangeError, `${name}no gamma`],
    [{ ...saved, gamma: "0.1" }, TypeError, `${name}gamma string 0.1, expected a number`],
    [{ ...saved, base_lrs: 3 }, TypeError, `${name}base_lrs number 3, expected a list`],
    [{ ...saved, step_size: 9, base_lrs: [1, 2] }, RangeError, `${name}2 base_lrs, expected 1`],
  ];
  for (const [state, error, message] of wrong) {
    assertThrows(() => schedule.loadStateDict(state as typeof saved), error, message);
    assertEquals(schedule.stateDict(), saved);
  }
});

Deno.test("loadStateDict of a sequence changes nothing where one part does not fit", () => {
  const o = optimizer();
  const sequence = new SequentialLR(o, [new ConstantLR(o), new StepLR(o, 3)], [2]);
  const saved = sequence.stateDict();
  rates(sequence, 3);
  const before = sequence.stateDict();
  const parts = saved._schedulers as lrScheduler.SchedulerStateDict[];
  for (
    const wrong of [
      { ...saved, _schedulers: [parts[0], {}] },
      { ...saved, _schedulers: [parts[0]] },
      { ...saved, _schedulers: null },
      { ...saved, _milestones: [1, 2] },
      { ...saved, last_epoch: "3" },
    ]
  ) {
    assertThrows(() => sequence.loadStateDict(wrong));
    assertEquals(sequence.stateDict(), before);
  }
  sequence.loadStateDict(saved);
  assertEquals(sequence.stateDict(), saved);
});

Deno.test("OneCycleLR cycles β₁ of Adam and keeps β₂", () => {
  const o = new Adam([zeros([1])], { betas: [0.5, 0.7] });
  const schedule = new OneCycleLR(o, 1, { totalSteps: 10 });
  rates(schedule, 2);
  assertAlmostEquals(o.paramGroups[0].betas[0] as number, 0.85, 1e-15);
  assertEquals(o.paramGroups[0].betas[1], 0.7);
});
