import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Generator, manualSeed, nn, optim, randn, type Tensor } from "../../mod.ts";
import {
  encodeCheckpoint,
  loadCheckpoint,
  loadState,
  saveCheckpoint,
  saveTorch,
} from "../../io/mod.ts";

/** A run with everything that has a state: BatchNorm, dropout, momentum, a schedule, shuffling. */
class Training {
  readonly model: nn.Sequential;
  readonly generator = new Generator(5);
  step = 0;

  readonly makeOptimizer: (parameters: Tensor[]) => optim.Optimizer;
  readonly makeScheduler: (optimizer: optim.Optimizer) => optim.lrScheduler.LRScheduler;

  constructor(
    makeOptimizer: (parameters: Tensor[]) => optim.Optimizer,
    makeScheduler: (optimizer: optim.Optimizer) => optim.lrScheduler.LRScheduler,
  ) {
    this.makeOptimizer = makeOptimizer;
    this.makeScheduler = makeScheduler;
    manualSeed(7);
    this.model = new nn.Sequential(
      new nn.Linear(4, 6),
      new nn.BatchNorm1d(6),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(6, 3),
    );
    this.optimizer = makeOptimizer(this.model.parameters());
    this.scheduler = makeScheduler(this.optimizer);
  }

  readonly optimizer: optim.Optimizer;
  readonly scheduler: optim.lrScheduler.LRScheduler;

  run(steps: number): number[] {
    return Array.from({ length: steps }, () => {
      const x = randn([8, 4], { generator: this.generator });
      this.optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(this.model.forward(x), [0, 1, 2, 0, 1, 2, 0, 1]);
      loss.backward();
      this.optimizer.step();
      this.scheduler.step();
      this.step++;
      return loss.item();
    });
  }

  /** Every number of the run. */
  numbers(): string {
    const tensors = [...this.model.stateDict()].map(([name, x]) => `${name} ${x.data.join()}`);
    const state = JSON.stringify(
      this.optimizer.stateDict(),
      (_, value) => value?.storage === undefined ? value : value.data.join(),
    );
    return [...tensors, state, JSON.stringify(this.scheduler.stateDict())].join("\n");
  }
}

const kinds: Record<string, [
  (parameters: Tensor[]) => optim.Optimizer,
  (optimizer: optim.Optimizer) => optim.lrScheduler.LRScheduler,
]> = {
  "SGD with momentum and StepLR": [
    (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
    (o) => new optim.lrScheduler.StepLR(o, 3, { gamma: 0.5 }),
  ],
  "Adam and CosineAnnealingLR": [
    (p) => new optim.Adam(p, { lr: 0.01, amsgrad: true }),
    (o) => new optim.lrScheduler.CosineAnnealingLR(o, 20),
  ],
  "AdamW and OneCycleLR": [
    (p) => new optim.AdamW(p, { lr: 0.01 }),
    (o) => new optim.lrScheduler.OneCycleLR(o, 0.1, { totalSteps: 30 }),
  ],
  "RMSprop and SequentialLR": [
    (p) => new optim.RMSprop(p, { lr: 0.01, momentum: 0.5, centered: true }),
    (o) =>
      new optim.lrScheduler.SequentialLR(o, [
        new optim.lrScheduler.LinearLR(o, { totalIters: 4 }),
        new optim.lrScheduler.ExponentialLR(o, 0.9),
      ], [4]),
  ],
};

async function withTempFile(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".pt" });
  try {
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

for (const [name, kind] of Object.entries(kinds)) {
  Deno.test(`a resumed run equals one that never stopped: ${name}`, async () => {
    await withTempFile(async (path) => {
      const whole = new Training(...kind);
      const losses = whole.run(17);
      for (const stop of [0, 1, 9]) {
        const first = new Training(...kind);
        first.run(stop);
        const saving = saveCheckpoint(path, { ...first, extra: { losses: [1, 2.5] } });
        // What happens while the file is written does not reach it.
        first.run(2);
        await saving;
        const second = new Training(...kind);
        second.run(2);
        const { step, extra } = await loadCheckpoint(path, second);
        assertEquals(step, stop);
        assertEquals(extra.get("losses"), [1, 2.5]);
        assertEquals(second.run(17 - stop), losses.slice(stop));
        assertEquals(second.numbers(), whole.numbers());
      }
    });
  });
}

Deno.test("loadCheckpoint changes nothing where a part does not fit", async () => {
  await withTempFile(async (path) => {
    const saved = new Training(...kinds["Adam and CosineAnnealingLR"]);
    saved.run(3);
    await saveCheckpoint(path, saved);
    const other = new Training(...kinds["SGD with momentum and StepLR"]);
    other.run(2);
    const before = other.numbers();
    const random = other.generator.getState();
    await assertRejects(() => loadCheckpoint(path, other), RangeError, "state of SGD");
    assertEquals(other.numbers(), before);
    assertEquals(other.generator.getState(), random);
  });
});

Deno.test("loadCheckpoint says which part is missing", async () => {
  await withTempFile(async (path) => {
    const { model, optimizer } = new Training(...kinds["Adam and CosineAnnealingLR"]);
    await saveCheckpoint(path, { model });
    await assertRejects(
      () => loadCheckpoint(path, { model, optimizer }),
      RangeError,
      `Cannot resume from ${path}: got a checkpoint without "optimizer", expected its state`,
    );
    await saveTorch(path, { model: model.stateDict() });
    await assertRejects(() => loadCheckpoint(path, { model }), RangeError, "saveCheckpoint");
  });
});

Deno.test("loading a model alone leaves the default generator", async () => {
  await withTempFile(async (path) => {
    const { model } = new Training(...kinds["Adam and CosineAnnealingLR"]);
    await saveCheckpoint(path, { model });
    const state = manualSeed(3).getState();
    await loadCheckpoint(path, { model });
    assertEquals((await import("../../mod.ts")).defaultGenerator.getState(), state);
    assert((await loadState(path)).has("0.weight"));
  });
});

Deno.test("encodeCheckpoint refuses a step that is no count and parts without a state", () => {
  assertThrows(() => encodeCheckpoint({ step: 1.5 }), RangeError, "got step 1.5");
  assertThrows(() => encodeCheckpoint({ model: {} as never }), TypeError, "got model an Object");
});
