/**
 * Runs what a seed gives: draws, fresh modules' weights, initialisers.
 *
 * @module
 */
import { noGrad, type Tensor, zeros } from "../../autograd/mod.ts";
import { compareState, compareTensor, type Tolerance } from "./compare.ts";
import { makeModule, nnFunction, topLevel } from "./library.ts";
import type { RecordedState, RecordedTensor } from "./recorded.ts";

/** Everything that one seed gives. */
export interface SeedCase {
  seed: number;
  rand5: RecordedTensor;
  rand3x40: RecordedTensor;
  randn5: RecordedTensor;
  randn16: RecordedTensor;
  randn37: RecordedTensor;
  randn4x50: RecordedTensor;
  randint: RecordedTensor;
  randperm10: RecordedTensor;
  randperm1000: RecordedTensor;
  sequence: RecordedTensor[];
  uniform: RecordedTensor;
  normal: RecordedTensor;
  modules: Record<string, RecordedState>;
  inits: Record<string, RecordedTensor>;
}

/** One kind of draw from one seed. */
export interface Draw {
  /** What is drawn. */
  name: string;
  seed: number;
  run: () => void;
}

// Bit for bit where the arithmetic allows; log and cos differ in the last place between libraries.
const drawTolerance: Tolerance = { absolute: 1e-15, relative: 1e-15 };

const modules: Record<string, [string, unknown[]]> = {
  Linear: ["Linear", [7, 5]],
  LinearNoBias: ["Linear", [3, 4, { bias: false }]],
  Conv2d: ["Conv2d", [3, 4, 3]],
  Conv1dGroups: ["Conv1d", [4, 6, 3, { groups: 2 }]],
  ConvT2d: ["ConvTranspose2d", [3, 4, 2]],
  Embedding: ["Embedding", [6, 5]],
  PReLU: ["PReLU", []],
};

const initialisers: Record<string, [string, Record<string, unknown>]> = {
  kaiming_uniform_: ["kaimingUniform_", {}],
  kaiming_uniform_a5: ["kaimingUniform_", { a: Math.sqrt(5) }],
  kaiming_normal_: ["kaimingNormal_", { mode: "fan_out", nonlinearity: "relu" }],
  xavier_uniform_: ["xavierUniform_", { gain: 1.5 }],
  xavier_normal_: ["xavierNormal_", {}],
};

function makeRecordedModule(name: string): ReturnType<typeof makeModule> {
  if (name === "Seq") {
    return makeModule("Sequential", [
      makeModule("Linear", [4, 6]),
      makeModule("BatchNorm1d", [6]),
      makeModule("ReLU", []),
      makeModule("Linear", [6, 3]),
    ]);
  }
  return makeModule(...modules[name]);
}

function drawn(name: string, ...args: unknown[]): Tensor {
  return topLevel(name)(...args) as Tensor;
}

function initialised(name: string, shape: number[], options: Record<string, unknown>): Tensor {
  const weight = zeros(shape);
  noGrad(() => nnFunction(`init.${name}`)(weight, options));
  return weight;
}

/** Splits what a seed gives into its draws. */
export function draws(recorded: SeedCase): Draw[] {
  const { seed } = recorded;
  const found: Draw[] = [];
  const add = (name: string, run: () => void) =>
    found.push({
      name,
      seed,
      run: () => {
        topLevel("manualSeed")(seed);
        run();
      },
    });
  const one = (name: string, draw: () => Tensor, expected: RecordedTensor) =>
    add(name, () => compareTensor(name, draw(), expected, drawTolerance));

  one("rand [5]", () => drawn("rand", [5]), recorded.rand5);
  one("rand [3, 40]", () => drawn("rand", [3, 40]), recorded.rand3x40);
  one("randn [5]", () => drawn("randn", [5]), recorded.randn5);
  one("randn [16]", () => drawn("randn", [16]), recorded.randn16);
  one("randn [37]", () => drawn("randn", [37]), recorded.randn37);
  one("randn [4, 50]", () => drawn("randn", [4, 50]), recorded.randn4x50);
  one("randint", () => drawn("randint", 0, 10, [20]), recorded.randint);
  one("randperm 10", () => drawn("randperm", 10), recorded.randperm10);
  one("randperm 1000", () => drawn("randperm", 1000), recorded.randperm1000);
  add("sequence", () => {
    const sequence = [
      () => drawn("rand", [3]),
      () => drawn("randn", [4]),
      () => drawn("randperm", 7),
      () => drawn("randn", [20]),
      () => drawn("rand", [2, 2]),
    ];
    for (const [i, draw] of sequence.entries()) {
      compareTensor(`draw ${i}`, draw(), recorded.sequence[i], drawTolerance);
    }
  });
  one("uniform_", () => initialised("uniform_", [9], { a: -2, b: 3 }), recorded.uniform);
  one("normal_", () => initialised("normal_", [33], { mean: 1.5, std: 0.25 }), recorded.normal);
  for (const [name, state] of Object.entries(recorded.modules)) {
    add(`module ${name}`, () => {
      compareState(name, makeRecordedModule(name).stateDict(), state, drawTolerance);
    });
  }
  for (const [name, expected] of Object.entries(recorded.inits)) {
    const [ours, options] = initialisers[name];
    one(`init ${name}`, () => initialised(ours, [6, 5], options), expected);
  }
  return found;
}
