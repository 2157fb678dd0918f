import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Generator,
  nn,
  noGrad,
  ones,
  onWarning,
  optim,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  type Warning,
  type WarningCode,
  WARNINGS,
  zeros,
} from "../../mod.ts";

const { BatchNorm1d } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

/** What a program is warned of. */
function warningsOf(program: () => void): Warning[] {
  const seen: Warning[] = [];
  const restore = onWarning((warning) => seen.push(warning));
  try {
    program();
  } finally {
    restore();
  }
  return seen;
}

function twice(run: () => unknown): void {
  run();
  run();
}

function net(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(3, 4), new BatchNorm1d(4), new nn.ReLU());
}

function lossOf(model: nn.Module, seed = 1): Tensor {
  return model.forward(batch([16, 3], seed)).square().mean();
}

function sgd(model: nn.Module): optim.SGD {
  return new optim.SGD(model.parameters(), { lr: 0.01 });
}

// The place is a pair of shapes, so each program with the mistake has another.
let sizes = 1;

function silenceDuring(code: WarningCode, run: () => void): void {
  const restore = silenceWarnings(code);
  run();
  restore();
}

// The place is an operation, so each program with the mistake makes it with another one.
const methods: ("exp" | "sin" | "cos" | "tanh" | "erf" | "neg" | "sqrt" | "square")[] = [
  "exp",
  "sin",
  "cos",
  "tanh",
  "erf",
  "neg",
  "sqrt",
  "abs" as "neg",
];

/** For each code a program with that mistake, made twice at the same place. */
const mistakes: Record<WarningCode, () => void> = {
  "loss-broadcast": () => {
    const n = ++sizes;
    twice(() => nn.functional.mseLoss(zeros([n, 1]), zeros([n])));
  },
  "module-in-plain-container": () => {
    class Net extends nn.Module {
      blocks = [new BatchNorm1d(2)];
      override forward(x: Tensor): Tensor {
        return this.blocks[0].eval().forward(x);
      }
    }
    const net = new Net();
    silenceDuring("bn-eval-before-training", () => twice(() => net.forward(zeros([2, 2]))));
  },
  "grad-of-non-leaf": () => {
    const name = methods.shift()!;
    const y = tensor([1, 2], { requiresGrad: true })[name]();
    y.sum().backward();
    twice(() => y.grad);
    methods.push(name);
  },
  "bn-update-under-no-grad": () => {
    const model = net();
    twice(() => noGrad(() => lossOf(model)));
  },
  "bn-frozen-in-training": () => {
    const [teacher, student] = [net().requiresGrad_(false), net()];
    twice(() => {
      const x = batch([16, 3]);
      student.forward(x).sub(teacher.forward(x)).square().mean();
    });
  },
  "bn-eval-before-training": () => {
    const model = net().eval();
    twice(() => lossOf(model));
  },
  "bn-batch-statistics-in-eval": () => {
    const bn = new BatchNorm1d(3, { trackRunningStats: false }).eval();
    twice(() => bn.forward(batch([16, 3])));
  },
  "bn-large-momentum": () => {
    const bn = new BatchNorm1d(3, { momentum: 0.99 });
    twice(() => bn.forward(batch([16, 3])));
  },
  "bn-few-values": () => {
    const bn = new BatchNorm1d(3);
    twice(() => bn.forward(batch([4, 3])));
  },
  "bn-non-finite": () => {
    const bn = new BatchNorm1d(3);
    const x = batch([16, 3]);
    x.copy_(x.div(0));
    twice(() => bn.forward(x));
  },
  "optim-grad-not-cleared": () => {
    const model = net();
    const optimizer = sgd(model);
    for (let step = 0; step < 4; step++) {
      lossOf(model, step).backward();
      nn.utils.clipGradNorm_(model.parameters(), 1);
      optimizer.step();
    }
  },
  "optim-scheduler-first": () => {
    const model = net();
    const optimizer = sgd(model);
    const scheduler = new optim.lrScheduler.StepLR(optimizer, 1);
    for (let epoch = 0; epoch < 3; epoch++) {
      scheduler.step();
      optimizer.zeroGrad();
      lossOf(model, epoch).backward();
      optimizer.step();
    }
  },
};

for (const code of Object.keys(WARNINGS) as WarningCode[]) {
  Deno.test(`${code} is given once for its place, with what to do`, () => {
    const seen = warningsOf(mistakes[code]);
    assertEquals(seen.map((warning) => warning.code), [code]);
    // The layer or optimizer first, then a sentence that tells what to do.
    assertMatch(seen[0].message, /^(BatchNorm1d\(\d\)|SGD|StepLR|Net|\w+\(\)) .{20,}[.]$/);
  });

  Deno.test(`${code} is not given while it is silenced`, () => {
    const restore = silenceWarnings(code);
    assertEquals(warningsOf(mistakes[code]), []);
    restore();
    assertEquals(warningsOf(mistakes[code]).length, 1);
  });
}

Deno.test("silenceWarnings() without codes silences all, one inside another keeps its own", () => {
  const outer = silenceWarnings("bn-few-values");
  const inner = silenceWarnings();
  assertEquals(Object.values(mistakes).flatMap(warningsOf), []);
  inner();
  assertEquals(warningsOf(mistakes["bn-few-values"]), []);
  assertEquals(warningsOf(mistakes["bn-non-finite"]).length, 1);
  outer();
  assertEquals(warningsOf(mistakes["bn-few-values"]).length, 1);
});

Deno.test("silenceWarnings() refuses an unknown code", () => {
  assertThrows(
    () => silenceWarnings("bn-typo" as WarningCode),
    RangeError,
    "expected one of bn-update-under-no-grad",
  );
});

Deno.test("every layer is a place of its own", () => {
  const seen = warningsOf(() => {
    for (const bn of [new BatchNorm1d(2), new BatchNorm1d(2)]) {
      twice(() => bn.forward(ones([4, 2])));
    }
  });
  assertEquals(seen.map(({ code }) => code), ["bn-few-values", "bn-few-values"]);
});

Deno.test("warnings go to the console with their code unless someone receives them", () => {
  const lines: unknown[][] = [];
  const { warn } = console;
  console.warn = (...line: unknown[]) => void lines.push(line);
  try {
    mistakes["bn-few-values"]();
  } finally {
    console.warn = warn;
  }
  assertEquals(lines.length, 1);
  assertMatch(String(lines[0][0]), /^tapegrad \[bn-few-values\]: BatchNorm1d\(3\) takes/);
});

/** Programs that look like mistakes and are none. */
const correct: Record<string, () => void> = {
  "training with zeroGrad": () => {
    const model = net();
    const optimizer = sgd(model);
    const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 4);
    for (let step = 0; step < 4; step++) {
      optimizer.zeroGrad();
      lossOf(model, step).backward();
      nn.utils.clipGradValue_(model.parameters(), 0.1);
      optimizer.step();
      scheduler.step();
    }
    noGrad(() => lossOf(model.eval()));
  },
  "training with zeroGrad of the model after the step": () => {
    const model = net();
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      lossOf(model, step).backward();
      optimizer.step();
      model.zeroGrad();
    }
  },
  "zeroGrad to zeros": () => {
    const model = net();
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad({ setToNone: false });
      lossOf(model, step).backward();
      optimizer.step();
    }
  },
  "gradients cleared by hand": () => {
    const model = net();
    const optimizer = sgd(model);
    const clear: ((p: Tensor) => void)[] = [
      (p) => p.grad = null,
      (p) => void p.grad?.copy_(0),
      (p) => p.grad = p.grad && zeros(p.shape),
      (p) => void p.grad?.data.fill(0),
    ];
    for (const way of clear) {
      lossOf(model).backward();
      optimizer.step();
      model.parameters().forEach(way);
    }
    lossOf(model).backward();
    optimizer.step();
  },
  "gradients written by hand": () => {
    const model = net();
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      lossOf(model, step).backward();
      // A decayed sum of gradients, on purpose.
      optimizer.step();
      for (const p of model.parameters()) p.grad!.copy_(p.grad!.mul(0.9));
    }
  },
  "gradient accumulation": () => {
    const model = net();
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      for (let part = 0; part < 4; part++) lossOf(model, part).div(4).backward();
      optimizer.step();
      optimizer.zeroGrad();
    }
  },
  "several steps on the same gradients": () => {
    const model = net();
    const optimizer = sgd(model);
    lossOf(model).backward();
    for (let step = 0; step < 3; step++) optimizer.step();
  },
  "two optimizers over the same parameters": () => {
    const model = net();
    const [first, second] = [sgd(model), new optim.Adam(model.parameters())];
    for (let step = 0; step < 3; step++) {
      first.zeroGrad();
      lossOf(model, step).backward();
      first.step();
      second.step();
    }
  },
  "two losses, two optimizers, one backward into both": () => {
    const [encoder, decoder] = [net(), new nn.Linear(4, 2)];
    const [first, second] = [sgd(encoder), sgd(decoder)];
    for (let step = 0; step < 3; step++) {
      first.zeroGrad();
      decoder.forward(encoder.forward(batch([16, 3], step))).square().mean().backward();
      first.step();
      // Reaches the encoder too, whose optimizer clears before it steps again.
      second.zeroGrad();
      decoder.forward(encoder.forward(batch([16, 3], step))).abs().mean().backward();
      second.step();
    }
  },
  "a step with a closure": () => {
    const model = net();
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = lossOf(model, step);
        loss.backward();
        return loss;
      });
    }
  },
  "a gradient with a graph of its own": () => {
    const w = tensor([2], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 0.1 });
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      w.mul(w).mul(w).sum().backward(null, { createGraph: true });
      w.grad!.square().sum().backward();
      optimizer.step();
    }
  },
  "a look at the rates of a schedule": () => {
    const scheduler = new optim.lrScheduler.StepLR(sgd(net()), 2);
    for (let epoch = 0; epoch < 5; epoch++) scheduler.step();
  },
  "a schedule of schedules": () => {
    const model = net();
    const optimizer = sgd(model);
    const { LinearLR, ExponentialLR, SequentialLR } = optim.lrScheduler;
    const parts = [
      new LinearLR(optimizer, { totalIters: 2 }),
      new ExponentialLR(optimizer, { gamma: 0.9 }),
    ];
    const scheduler = new SequentialLR(optimizer, parts, [2]);
    for (let epoch = 0; epoch < 4; epoch++) {
      optimizer.zeroGrad();
      lossOf(model, epoch).backward();
      optimizer.step();
      scheduler.step();
    }
  },
  "a run that goes on": () => {
    const model = net();
    const [before, after] = [sgd(model), sgd(model)];
    const schedule = (optimizer: optim.SGD) => new optim.lrScheduler.StepLR(optimizer, 2);
    const first = schedule(before);
    lossOf(model).backward();
    before.step();
    first.step();
    after.loadStateDict(before.stateDict());
    const second = schedule(after);
    second.loadStateDict(first.stateDict());
    second.step();
    after.step();
  },
  "a frozen teacher in evaluation": () => {
    const teacher = net();
    lossOf(teacher);
    teacher.requiresGrad_(false).eval();
    const student = net();
    const optimizer = sgd(student);
    for (let step = 0; step < 3; step++) {
      const x = batch([16, 3], step);
      optimizer.zeroGrad();
      student.forward(x).sub(noGrad(() => teacher.forward(x))).square().mean().backward();
      optimizer.step();
    }
  },
  "fine-tuning with frozen statistics": () => {
    const model = net();
    lossOf(model);
    (model.at(1) as nn.BatchNorm1d).freeze({ affine: true });
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      model.train();
      optimizer.zeroGrad();
      lossOf(model, step).backward();
      optimizer.step();
    }
  },
  "frozen parameters whose statistics are to follow": () => {
    const model = net();
    (model.at(1) as nn.BatchNorm1d).freeze({ stats: false, affine: true });
    lossOf(model).backward();
  },
  "recalibration of a fresh network, both ways": () => {
    const data = [batch([16, 3]), batch([3, 3], 2)];
    optim.swa.updateBn(data, net());
    optim.swa.updateBn(data, net(), { exact: true });
  },
  "an audit of a fresh network, and its health": () => {
    const model = net();
    nn.auditTrainEval(model, batch([4, 3]));
    nn.healthReport(model);
  },
  "a forward that is run again without updates": () => {
    const model = net();
    lossOf(model);
    nn.noStatsUpdate(() => noGrad(() => lossOf(model)));
  },
  "evaluation with a loaded state, also of files without a counter": () => {
    const trained = net();
    lossOf(trained);
    const plain = new Map(trained.stateDict());
    plain.delete("1.num_batches_tracked");
    const model = net();
    model.loadStateDict(plain);
    lossOf(model.eval());
  },
  "Keras's momentum, translated": () => {
    new BatchNorm1d(3, nn.BatchNorm.fromKeras()).forward(batch([16, 3]));
  },
  "a conversion and a copy of what was warned of already": () => {
    const restore = silenceWarnings("bn-large-momentum");
    const bn = new BatchNorm1d(3, { momentum: 0.99 });
    restore();
    nn.SyncBatchNorm.convertSyncBatchnorm(new nn.Sequential(bn)).deepCopy();
  },
  "averaged weights": () => {
    const model = net();
    const averaged = new optim.swa.AveragedModel(model);
    const optimizer = sgd(model);
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      lossOf(model, step).backward();
      optimizer.step();
      averaged.updateParameters(model);
    }
    optim.swa.updateBn([batch([16, 3])], averaged);
    noGrad(() => lossOf(averaged.eval()));
  },
};

for (const [name, program] of Object.entries(correct)) {
  Deno.test(`no warning: ${name}`, () => {
    assertEquals(warningsOf(program), []);
  });
}

Deno.test("zeroGrad that is forgotten is seen also where a graph is made", () => {
  const w = tensor([2], { requiresGrad: true });
  const optimizer = new optim.SGD([w], { lr: 0.1 });
  const seen = warningsOf(() => {
    for (let step = 0; step < 3; step++) {
      w.mul(w).sum().backward(null, { createGraph: true });
      optimizer.step();
    }
  });
  assertEquals(seen.map(({ code }) => code), ["optim-grad-not-cleared"]);
  assert(seen[0].message.includes("1 of 1"));
});

Deno.test("each optimizer is judged by its own steps", () => {
  const w = tensor([2], { requiresGrad: true });
  const [first, second] = [new optim.SGD([w], { lr: 0.1 }), new optim.SGD([w], { lr: 0.1 })];
  const seen = warningsOf(() => {
    w.mul(w).sum().backward();
    first.step();
    w.mul(w).sum().backward();
    // It has never used the first gradient.
    second.step();
  });
  assertEquals(seen, []);
  assertEquals(warningsOf(() => first.step()).length, 1);
});
