/**
 * Schedules beside what happens to their optimizer: groups that come later, states that are loaded in any
 * order, rates that are not finite.
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { zeros } from "../../mod.ts";
import { lrScheduler, type Optimizer, SGD, swa } from "../../optim/mod.ts";

const {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
} = lrScheduler;

const optimizer = (lr = 1): SGD => new SGD([zeros([1])], { lr, momentum: 0.9 });

type Schedule = lrScheduler.LRScheduler;

const schedules: Record<string, (o: Optimizer) => Schedule> = {
  ChainedScheduler: (o) => new ChainedScheduler([new ExponentialLR(o, 0.5), new StepLR(o, 2)]),
  ConstantLR: (o) => new ConstantLR(o),
  CosineAnnealingLR: (o) => new CosineAnnealingLR(o, 2),
  CosineAnnealingWarmRestarts: (o) => new CosineAnnealingWarmRestarts(o, 2),
  ExponentialLR: (o) => new ExponentialLR(o, 0.5),
  LambdaLR: (o) => new LambdaLR(o, (epoch) => 1 / (1 + epoch)),
  LinearLR: (o) => new LinearLR(o),
  MultiplicativeLR: (o) => new MultiplicativeLR(o, () => 0.5),
  MultiStepLR: (o) => new MultiStepLR(o, [1, 3, 3]),
  OneCycleLR: (o) => new OneCycleLR(o, 1, { totalSteps: 10 }),
  PolynomialLR: (o) => new PolynomialLR(o),
  SequentialLR: (o) => new SequentialLR(o, [new ConstantLR(o), new ExponentialLR(o, 0.5)], [2]),
  StepLR: (o) => new StepLR(o, 2),
  SWALR: (o) => new swa.SWALR(o, 0.05),
};

for (const [name, make] of Object.entries(schedules)) {
  Deno.test(`${name} sets a finite rate for a group that was added after it, at every epoch`, () => {
    for (let added = 0; added < 5; added++) {
      const [o, alone] = [optimizer(), optimizer()];
      const [scheduler, other] = [make(o), make(alone)];
      for (let epoch = 0; epoch < 9; epoch++) {
        if (epoch === added) o.addParamGroup({ params: [zeros([1])], lr: 0.5 });
        scheduler.step();
        other.step();
        for (const { lr } of o.paramGroups) assert(Number.isFinite(lr), `${lr} in ${epoch}`);
        assertEquals(o.paramGroups[0].lr, alone.paramGroups[0].lr);
        assertEquals(scheduler.getLastLr(), o.paramGroups.map((group) => group.lr));
      }
    }
  });

  Deno.test(`${name} gives the same rates after a resume in every order`, () => {
    const o = optimizer();
    const scheduler = make(o);
    for (let i = 0; i < 4; i++) scheduler.step();
    const saved = [o.stateDict(), scheduler.stateDict()] as const;
    const expected = Array.from({ length: 4 }, () => {
      scheduler.step();
      return [o.paramGroups[0].lr, o.paramGroups[0].momentum];
    });
    const orders: ((p: SGD) => Schedule)[] = [
      (p) => {
        const resumed = make(p);
        p.loadStateDict(saved[0]);
        resumed.loadStateDict(saved[1]);
        return resumed;
      },
      (p) => {
        p.loadStateDict(saved[0]);
        const resumed = make(p);
        resumed.loadStateDict(saved[1]);
        return resumed;
      },
      (p) => {
        const resumed = make(p);
        resumed.loadStateDict(new Map(Object.entries(saved[1])) as unknown as typeof saved[1]);
        p.loadStateDict(saved[0]);
        return resumed;
      },
    ];
    for (const order of orders) {
      const p = optimizer();
      const resumed = order(p);
      assertEquals(resumed.getLastLr(), [p.paramGroups[0].lr]);
      for (const [lr, momentum] of expected) {
        resumed.step();
        assertAlmostEquals(p.paramGroups[0].lr as number, lr as number, 1e-15);
        assertEquals(p.paramGroups[0].momentum, momentum);
      }
    }
  });
}

Deno.test("LinearLR made after the optimizer's state was loaded goes on at the saved rate", () => {
  const o = optimizer();
  const scheduler = new LinearLR(o, { startFactor: 0.1, totalIters: 2 });
  for (let i = 0; i < 3; i++) scheduler.step();
  const [state, schedule] = [o.stateDict(), scheduler.stateDict()];
  const p = optimizer();
  p.loadStateDict(state);
  const resumed = new LinearLR(p, { startFactor: 0.1, totalIters: 2 });
  resumed.loadStateDict(schedule);
  resumed.step();
  assertEquals([resumed.getLastLr(), p.paramGroups[0].lr], [[1], 1]);
});

Deno.test("SequentialLR with a milestone of 0 begins with the second schedule", () => {
  const o = optimizer();
  const parts = [new ConstantLR(o, { factor: 0.1 }), new ExponentialLR(o, 0.5)];
  const scheduler = new SequentialLR(o, parts, [0]);
  const rates = [o.paramGroups[0].lr];
  for (let i = 0; i < 2; i++) {
    scheduler.step();
    rates.push(o.paramGroups[0].lr);
  }
  assertEquals(rates, [1, 0.5, 0.25]);
});

Deno.test("SequentialLR with lastEpoch goes on at the epoch after it", () => {
  const make = (o: SGD, lastEpoch: number) =>
    new SequentialLR(
      o,
      [new ConstantLR(o, { factor: 0.25, totalIters: 2 }), new ExponentialLR(o, 0.5)],
      [2],
      { lastEpoch },
    );
  const whole = optimizer();
  const scheduler = make(whole, -1);
  for (let i = 0; i < 5; i++) scheduler.step();
  const o = optimizer();
  o.paramGroups[0].initialLr = 1;
  const resumed = make(o, 4);
  assertEquals([resumed.lastEpoch, resumed.getLastLr()], [5, scheduler.getLastLr()]);
  resumed.step();
  scheduler.step();
  assertEquals(resumed.getLastLr(), scheduler.getLastLr());
});

Deno.test("ReduceLROnPlateau reduces on a constant measure, whatever its sign and mode", () => {
  for (const mode of ["min", "max"] as const) {
    for (const thresholdMode of ["rel", "abs"] as const) {
      for (const measure of [-1, 1, 0]) {
        const o = optimizer();
        const scheduler = new ReduceLROnPlateau(o, mode, {
          patience: 2,
          factor: 0.5,
          thresholdMode,
        });
        for (let i = 0; i < 4; i++) scheduler.step(measure);
        assertEquals(o.paramGroups[0].lr, 0.5, `${mode} ${thresholdMode} ${measure}`);
        // Progress of more than the threshold counts.
        scheduler.step(mode === "min" ? measure - 0.5 : measure + 0.5);
        assertEquals(scheduler.numBadEpochs, 0);
        assertEquals(scheduler.best, mode === "min" ? measure - 0.5 : measure + 0.5);
      }
    }
  }
});

Deno.test("ReduceLROnPlateau that is refused a step has counted nothing", () => {
  const o = optimizer();
  const scheduler = new ReduceLROnPlateau(o);
  o.addParamGroup({ params: [zeros([1])] });
  const before = scheduler.stateDict();
  assertThrows(() => scheduler.step(1), RangeError, "got 2 groups, expected 1");
  assertEquals(scheduler.stateDict(), before);
});

Deno.test("ReduceLROnPlateau sets the rate of its state", () => {
  const o = optimizer();
  const scheduler = new ReduceLROnPlateau(o, "min", { patience: 0, factor: 0.5 });
  for (const measure of [1, 2, 3]) scheduler.step(measure);
  const p = optimizer();
  new ReduceLROnPlateau(p, "min", { patience: 0, factor: 0.5 }).loadStateDict(
    scheduler.stateDict(),
  );
  assertEquals(p.paramGroups[0].lr, 0.25);
});

Deno.test("no schedule sets a rate that is not finite, and a step that fails changes nothing", () => {
  const wild = (epoch: number) => epoch < 2 ? 1 : epoch === 2 ? NaN : Infinity;
  const failing: ((o: Optimizer) => Schedule)[] = [
    (o) => new LambdaLR(o, wild),
    (o) => new MultiplicativeLR(o, wild),
    (o) => new ChainedScheduler([new ExponentialLR(o, 0.5), new LambdaLR(o, wild)]),
    (o) => new ExponentialLR(o, 1e200),
  ];
  for (const make of failing) {
    const o = optimizer();
    const scheduler = make(o);
    scheduler.step();
    const before = [o.stateDict(), scheduler.stateDict()];
    for (let i = 0; i < 2; i++) {
      assertThrows(() => scheduler.step(), RangeError, "expected a finite one");
      assertEquals([o.stateDict(), scheduler.stateDict()], before);
    }
  }
});

Deno.test("MultiStepLR reads and writes its milestones as PyTorch's Counter", () => {
  const [o, p] = [optimizer(), optimizer()];
  const scheduler = new MultiStepLR(o, [3, 1, 3], { gamma: 0.5 });
  const saved = scheduler.stateDict();
  assertEquals([...saved.milestones as Map<number, number>].sort(), [[1, 1], [3, 2]]);
  assertEquals(JSON.stringify(saved.milestones), '{"1":1,"3":2}');
  for (
    const milestones of [saved.milestones, new Map([[3, 2], [1, 1]]), { 1: 1, 3: 2 }, [1, 3, 3]]
  ) {
    const other = new MultiStepLR(p, [7], { gamma: 0.1 });
    other.loadStateDict({ ...saved, milestones });
    assertEquals([other.milestones, other.gamma], [[1, 3, 3], 0.5]);
  }
  const wrong = new MultiStepLR(p, [7]);
  assertThrows(() => wrong.loadStateDict({ ...saved, milestones: 3 }), TypeError, "milestones");
  assertThrows(() => wrong.loadStateDict({ ...saved, milestones: { x: 1 } }), Error, "milestones");
  assertEquals(wrong.milestones, [7]);
});

Deno.test("a place within a period that is set by hand wraps around", () => {
  const scheduler = new CosineAnnealingWarmRestarts(optimizer(), 3);
  scheduler.tCur = 7;
  scheduler.step();
  assertEquals(scheduler.tCur, 2);
});

Deno.test("a state of SWALR as PyTorch writes it keeps the rates of the constructor", () => {
  const o = optimizer();
  const scheduler = new swa.SWALR(o, 0.5, { annealEpochs: 2 });
  const { swa_lrs: _, ...saved } = new swa.SWALR(optimizer(), 0.5, { annealEpochs: 2 }).stateDict();
  scheduler.loadStateDict(saved);
  assertEquals(scheduler.swaLrs, [0.5]);
});
