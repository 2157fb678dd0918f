/**
 * What learning rate schedules refuse.
 */
import { assertThrows } from "@std/assert";
import { zeros } from "../../autograd/mod.ts";
import { Adadelta, lrScheduler, type Optimizer, SGD, swa } from "../../optim/mod.ts";

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

function optimizer(...lrs: number[]): Optimizer {
  return new SGD((lrs.length === 0 ? [1] : lrs).map((lr) => ({ params: [zeros([1])], lr })), {
    momentum: 0.9,
  });
}

// Calls that are refused, and what the error says.
const refusals: [what: string, call: () => unknown, error: typeof TypeError, message: string][] = [
  ["no optimizer", () => new StepLR({} as Optimizer, 3), TypeError, "Cannot make StepLR: got a"],
  ["no stepSize", () => new StepLR(optimizer(), {}), TypeError, "got no stepSize, expected one"],
  ["a stepSize of 0", () => new StepLR(optimizer(), 0), RangeError, "got stepSize 0"],
  ["half a stepSize", () => new StepLR(optimizer(), 1.5), RangeError, "got stepSize 1.5"],
  [
    "a stepSize that is no number",
    () => new StepLR(optimizer(), "3" as unknown as number),
    TypeError,
    'got stepSize "3"',
  ],
  ["a gamma of NaN", () => new StepLR(optimizer(), 3, { gamma: NaN }), RangeError, "got gamma NaN"],
  [
    "an unknown option",
    () => new StepLR(optimizer(), 3, { decay: 3 } as object),
    TypeError,
    "Cannot make StepLR: got an option decay, expected one of gamma, lastEpoch",
  ],
  ["no milestones", () => new MultiStepLR(optimizer(), {}), TypeError, "got no milestones"],
  [
    "half a milestone",
    () => new MultiStepLR(optimizer(), [1.5]),
    RangeError,
    "got milestones [1.5], expected integers of at least 0",
  ],
  ["no gamma", () => new ExponentialLR(optimizer(), {}), TypeError, "got no gamma"],
  [
    "a factor of 0",
    () => new ConstantLR(optimizer(), { factor: 0 }),
    RangeError,
    "got factor 0, expected a number above 0 and at most 1",
  ],
  [
    "a factor above 1",
    () => new ConstantLR(optimizer(), { factor: 1.5 }),
    RangeError,
    "got factor 1.5",
  ],
  [
    "a startFactor of 0",
    () => new LinearLR(optimizer(), { startFactor: 0 }),
    RangeError,
    "got startFactor 0",
  ],
  [
    "an endFactor above 1",
    () => new LinearLR(optimizer(), { endFactor: 2 }),
    RangeError,
    "got endFactor 2",
  ],
  [
    "a totalIters of 0",
    () => new PolynomialLR(optimizer(), { totalIters: 0 }),
    RangeError,
    "got totalIters 0",
  ],
  ["no function", () => new LambdaLR(optimizer(), {}), TypeError, "got no lrLambda"],
  [
    "a number for a function",
    () => new LambdaLR(optimizer(), 3 as unknown as () => number),
    TypeError,
    "got lrLambda number 3",
  ],
  [
    "one function for two groups",
    () => new MultiplicativeLR(optimizer(1, 2), [() => 1]),
    RangeError,
    "got 1 functions in lrLambda, expected 2",
  ],
  [
    "a function that returns no number",
    () => new LambdaLR(optimizer(), () => "1" as unknown as number),
    TypeError,
    "lrLambda returned string 1 for epoch 0",
  ],
  ["a tMax of 0", () => new CosineAnnealingLR(optimizer(), 0), RangeError, "got tMax 0"],
  ["a t0 of 0", () => new CosineAnnealingWarmRestarts(optimizer(), 0), RangeError, "got t0 0"],
  [
    "half a tMult",
    () => new CosineAnnealingWarmRestarts(optimizer(), 2, { tMult: 1.5 }),
    RangeError,
    "got tMult 1.5",
  ],
  [
    "one cycle without steps",
    () => new OneCycleLR(optimizer(), 1, { epochs: 3 }),
    TypeError,
    "got totalSteps null, epochs 3 and stepsPerEpoch null",
  ],
  [
    "one cycle of 0 steps",
    () => new OneCycleLR(optimizer(), 1, { totalSteps: 0 }),
    RangeError,
    "got totalSteps 0",
  ],
  [
    "a pctStart above 1",
    () => new OneCycleLR(optimizer(), 1, { totalSteps: 9, pctStart: 2 }),
    RangeError,
    "got pctStart 2",
  ],
  [
    "another way to anneal",
    () => new OneCycleLR(optimizer(), 1, { totalSteps: 9, annealStrategy: "log" as "cos" }),
    RangeError,
    'got annealStrategy "log", expected "cos" or "linear"',
  ],
  [
    "too many values of maxLr",
    () => new OneCycleLR(optimizer(), [1, 2], { totalSteps: 9 }),
    RangeError,
    "got 2 values of maxLr, expected 1",
  ],
  [
    "one cycle of a momentum that is not there",
    () => new OneCycleLR(new Adadelta([zeros([1])]), 1, { totalSteps: 9 }),
    TypeError,
    "expected cycleMomentum: false",
  ],
  [
    "another mode",
    () => new ReduceLROnPlateau(optimizer(), "mean" as "min"),
    RangeError,
    'got mode "mean", expected "min" or "max"',
  ],
  [
    "a factor of 1",
    () => new ReduceLROnPlateau(optimizer(), { factor: 1 }),
    RangeError,
    "got factor 1, expected a number below 1",
  ],
  [
    "too few values of minLr",
    () => new ReduceLROnPlateau(optimizer(1, 2), { minLr: [0] }),
    RangeError,
    "got 1 values of minLr, expected 2",
  ],
  [
    "no measure",
    () => new ReduceLROnPlateau(optimizer()).step(undefined as unknown as number),
    TypeError,
    "got metrics undefined",
  ],
  [
    "a sequence of nothing",
    () => new SequentialLR(optimizer(), [], []),
    RangeError,
    "got an empty list of schedulers",
  ],
  [
    "a plateau in a sequence",
    () => {
      const o = optimizer();
      return new SequentialLR(o, [new ReduceLROnPlateau(o) as never], []);
    },
    TypeError,
    "got schedulers[0] a ReduceLROnPlateau, expected a schedule whose step takes no measure",
  ],
  [
    "a schedule of another optimizer",
    () => new SequentialLR(optimizer(), [new StepLR(optimizer(), 3)], []),
    RangeError,
    "got schedulers[0] of another optimizer",
  ],
  [
    "as many milestones as schedules",
    () => {
      const o = optimizer();
      return new SequentialLR(o, [new StepLR(o, 3)], [4]);
    },
    RangeError,
    "got 1 schedulers and 1 milestones, expected one milestone less",
  ],
  [
    "milestones that do not ascend",
    () => {
      const o = optimizer();
      const make = () => new StepLR(o, 3);
      return new SequentialLR(o, [make(), make(), make()], [4, 4]);
    },
    RangeError,
    "got milestones [4, 4], expected ascending epochs",
  ],
  [
    "schedules of two optimizers at once",
    () => new ChainedScheduler([new StepLR(optimizer(), 3), new StepLR(optimizer(), 3)]),
    RangeError,
    "got schedulers[1] of another optimizer",
  ],
  [
    "no rate to average at",
    () => new swa.SWALR(optimizer(), {}),
    TypeError,
    "got no swaLr, expected one",
  ],
  [
    "going on without initialLr",
    () => new StepLR(optimizer(), 3, { lastEpoch: 4 }),
    RangeError,
    "got lastEpoch 4 and group 0 without initialLr",
  ],
  [
    "half a lastEpoch",
    () => new StepLR(optimizer(), 3, { lastEpoch: 0.5 }),
    RangeError,
    "got lastEpoch 0.5",
  ],
  ["half an epoch", () => new StepLR(optimizer(), 3).step(0.5), RangeError, "got epoch 0.5"],
  ["an epoch of NaN", () => new StepLR(optimizer(), 3).step(NaN), RangeError, "got epoch NaN"],
  [
    "a negative epoch",
    () => new CosineAnnealingWarmRestarts(optimizer(), 3).step(-1),
    RangeError,
    "got epoch -1, expected a number of at least 0",
  ],
];

for (const [what, call, error, message] of refusals) {
  Deno.test(`a schedule refuses ${what}`, () => {
    assertThrows(call, error, message);
  });
}
