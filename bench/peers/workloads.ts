/**
 * What is timed, as data: every row of the tables, the inputs it starts from, the results in which the
 * peers must agree, and what is asked of it.
 *
 * @module
 */
import type { InputSpec } from "./inputs.ts";

/** A piece of work. Every adapter knows every kind, or says that its library lacks it. */
export type Work =
  /** a·b. */
  | { readonly kind: "matmul"; readonly m: number; readonly n: number; readonly k: number }
  /** One operation without gradient. */
  | { readonly kind: "elementwise"; readonly op: "add" | "relu" | "exp" | "sum"; size: number }
  /** Training forward and backward of weight, bias and input. */
  | { readonly kind: "batchNorm"; readonly shape: readonly number[] }
  /** Forward and backward of weight and input; no bias, stride 1, `same` padding. */
  | {
    readonly kind: "conv";
    readonly shape: readonly number[];
    readonly channels: number;
    readonly kernel: number;
  }
  /** A step of SGD: linear layers, between them BatchNorm and ReLU, cross-entropy. */
  | { readonly kind: "mlp"; readonly batch: number; readonly widths: readonly number[] }
  /** A step of SGD: conv 3×3, BatchNorm, ReLU, max-pool 2 for each of the channels, then linear. */
  | {
    readonly kind: "cnn";
    readonly batch: number;
    readonly side: number;
    readonly channels: readonly number[];
    readonly classes: number;
  }
  /** `times` additions of a leaf that requires a gradient, each with its node on the tape. */
  | { readonly kind: "trackedAdd"; readonly size: number; readonly times: number }
  /** x ← x·a + b, `operations` in all, then the sum and its backward. */
  | { readonly kind: "tiny"; readonly size: number; readonly operations: number }
  /** x ← relu(x·a + b), `operations` in all without gradient, then the sum is read. */
  | { readonly kind: "chain"; readonly size: number; readonly operations: number };

/**
 * SGD's learning rate in every training step: small, so that many steps stay in a plain range, and a
 * power of two, which is the same number in float32.
 */
export const LEARNING_RATE = 2 ** -10;

/** What is asked of a row. */
export type Ask =
  /**
   * `peer` takes at most `atMost` times what `against` takes; "javascript" is the best other JavaScript
   * library in float64.
   */
  | { readonly peer: string; readonly against: string; readonly atMost: number }
  /** So many operations in a nanosecond, or this part of what 128-bit vectors can do here. */
  | { readonly peer: string; readonly gflops: number; readonly ofLimit: number }
  /** The peak memory of `peer` is at most `part` of that of another. */
  | { readonly peer: string; readonly lessMemoryThan: string; readonly part: number };

/** A row of the table. */
export interface Row {
  readonly name: string;
  /** `asked`: there is a demand; `kernel`: there is none; `scaling`: how the cost grows. */
  readonly group: "asked" | "kernel" | "scaling";
  readonly work: Work;
  readonly asks: readonly Ask[];
}

const ours = "tapegrad";
const tenTimes: Ask = { peer: ours, against: "javascript", atMost: 0.1 };
const against = (peer: string, atMost: number): Ask => ({ peer: ours, against: peer, atMost });
const withBlas = (atMost: number): Ask => ({ peer: "tapegrad-blas", against: "torch", atMost });

function conv(shape: readonly number[], channels: number, ...asks: Ask[]): Row {
  return {
    name: `conv 3×3 of ${shape.join("×")}→${channels}`,
    group: "asked",
    work: { kind: "conv", shape, channels, kernel: 3 },
    asks,
  };
}

function batchNorm(shape: readonly number[], ...asks: Ask[]): Row {
  const group = asks.length > 0 ? "asked" : "scaling";
  return {
    name: `batch norm ${shape.join("×")}`,
    group,
    work: { kind: "batchNorm", shape },
    asks,
  };
}

function matmul(size: number): Row {
  return {
    name: `matmul ${size}`,
    group: "asked",
    work: { kind: "matmul", m: size, n: size, k: size },
    // The limit of the machine is the measure: ten times what a plain loop reaches lies beyond it.
    asks: [{ peer: ours, gflops: 25, ofLimit: 0.88 }, withBlas(1.15), against("javascript", 1)],
  };
}

function elementwise(op: "add" | "relu" | "exp" | "sum"): Row {
  return {
    name: `${op} of 131072`,
    group: "kernel",
    work: { kind: "elementwise", op, size: 131072 },
    asks: [],
  };
}

function chain(size: number): Row {
  return {
    name: `chain on ${size}`,
    group: "asked",
    work: { kind: "chain", size, operations: 12 },
    asks: [against("torch", 1)],
  };
}

function mlp(name: string, batch: number, widths: readonly number[], asks: readonly Ask[]): Row {
  const group = asks.length > 0 ? "asked" : "scaling";
  return { name, group, work: { kind: "mlp", batch, widths }, asks };
}

const deep = [1, 2, 4, 8, 16].map((depth) => {
  const widths = [64, ...Array<number>(depth).fill(128), 10];
  return mlp(`MLP of ${depth} hidden layers`, 64, widths, []);
});

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  batchNorm([64, 32, 28, 28], against("torch", 0.65), tenTimes),
  batchNorm([256, 512], against("torch", 0.9), tenTimes),
  batchNorm([4096, 512], against("torch", 1.2), tenTimes),
  batchNorm([32, 64, 56, 56], against("torch", 0.65), tenTimes),
  matmul(64),
  matmul(256),
  matmul(512),
  matmul(1024),
  conv([32, 16, 28, 28], 32, against("torch", 0.65), tenTimes),
  conv([16, 64, 28, 28], 64, against("torch", 0.8), withBlas(1), tenTimes),
  mlp("MLP step", 128, [784, 256, 256, 10], [
    against("torch", 2.2),
    withBlas(0.9),
    { peer: "tapegrad-2", against: "torch-2", atMost: 1 },
    tenTimes,
  ]),
  {
    name: "CNN step",
    group: "asked",
    work: { kind: "cnn", batch: 64, side: 28, channels: [16, 32], classes: 10 },
    asks: [
      against("torch", 0.6),
      { peer: "tapegrad-2", against: ours, atMost: 0.6 },
      tenTimes,
      { peer: ours, lessMemoryThan: "torch", part: 0.4 },
    ],
  },
  {
    name: "tracked add of 10",
    group: "asked",
    work: { kind: "trackedAdd", size: 10, times: 1000 },
    asks: [against("torch", 0.1), against("javascript", 1)],
  },
  {
    name: "1000 tiny operations",
    group: "asked",
    work: { kind: "tiny", size: 10, operations: 1000 },
    asks: [against("torch", 0.2), against("javascript", 1)],
  },
  ...[8192, 65536, 1048576].map(chain),
  ...(["add", "relu", "exp", "sum"] as const).map(elementwise),
  ...[8, 16, 32, 64, 128].map((n) => batchNorm([n, 32, 14, 14])),
  ...[8, 16, 64, 128].map((c) => batchNorm([32, c, 14, 14])),
  ...[7, 28, 56].map((side) => batchNorm([32, 32, side, side])),
  ...deep,
];

const UNIFORM = { low: -1, high: 1 } as const;

/** The layers of a CNN's parameters, in order. */
function cnnShapes(work: Work & { kind: "cnn" }): [name: string, shape: number[]][] {
  const found: [string, number[]][] = [];
  let before = 1;
  for (const [i, channels] of work.channels.entries()) {
    found.push([`convWeight${i}`, [channels, before, 3, 3]]);
    found.push([`normWeight${i}`, [channels]], [`normBias${i}`, [channels]]);
    before = channels;
  }
  const positions = (work.side >> work.channels.length) ** 2;
  found.push([`weight`, [work.classes, before * positions]], [`bias`, [work.classes]]);
  return found;
}

function mlpShapes(work: Work & { kind: "mlp" }): [name: string, shape: number[]][] {
  const found: [string, number[]][] = [];
  const layers = work.widths.length - 1;
  for (let i = 0; i < layers; i++) {
    const [before, width] = work.widths.slice(i, i + 2);
    found.push([`weight${i}`, [width, before]], [`bias${i}`, [width]]);
    if (i < layers - 1) found.push([`normWeight${i}`, [width]], [`normBias${i}`, [width]]);
  }
  return found;
}

/** The names and shapes of what a training step learns, in the order of its layers. */
export function parameterShapes(work: Work): [name: string, shape: number[]][] {
  if (work.kind === "mlp") return mlpShapes(work);
  return work.kind === "cnn" ? cnnShapes(work) : [];
}

/** A parameter's values: about as spread as a fresh layer's, scales around one. */
function parameterSpec([name, shape]: [string, number[]]): InputSpec {
  if (name.startsWith("normWeight")) return { name, shape, low: 0.5, high: 1.5 };
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const bound = shape.length === 1 ? 0.1 : 1 / Math.sqrt(fanIn);
  return { name, shape, low: -bound, high: bound };
}

/** The arrays that a piece of work starts from. */
export function inputsOf(work: Work): InputSpec[] {
  switch (work.kind) {
    case "matmul":
      return [
        { name: "a", shape: [work.m, work.k], ...UNIFORM },
        { name: "b", shape: [work.k, work.n], ...UNIFORM },
      ];
    case "elementwise":
      return [
        { name: "x", shape: [work.size], ...UNIFORM },
        { name: "y", shape: [work.size], ...UNIFORM },
      ];
    case "batchNorm": {
      const channels = [work.shape[1]];
      return [
        { name: "x", shape: work.shape, low: -2, high: 3 },
        { name: "weight", shape: channels, low: 0.5, high: 1.5 },
        { name: "bias", shape: channels, ...UNIFORM },
        { name: "g", shape: work.shape, ...UNIFORM },
      ];
    }
    case "conv": {
      const [n, c, ...sides] = work.shape;
      const kernel = sides.map(() => work.kernel);
      return [
        { name: "x", shape: work.shape, ...UNIFORM },
        { name: "weight", shape: [work.channels, c, ...kernel], low: -0.2, high: 0.2 },
        { name: "g", shape: [n, work.channels, ...sides], ...UNIFORM },
      ];
    }
    case "mlp":
    case "cnn": {
      const x = work.kind === "mlp"
        ? [work.batch, work.widths[0]]
        : [work.batch, 1, work.side, work.side];
      const classes = work.kind === "mlp" ? work.widths.at(-1)! : work.classes;
      return [
        { name: "x", shape: x, ...UNIFORM },
        { name: "target", shape: [work.batch], low: 0, high: classes, whole: true },
        ...parameterShapes(work).map(parameterSpec),
      ];
    }
    case "trackedAdd":
      return [
        { name: "x", shape: [work.size], ...UNIFORM },
        { name: "y", shape: [work.size], ...UNIFORM },
      ];
    case "tiny":
    case "chain":
      return [
        { name: "x", shape: [work.size], ...UNIFORM },
        { name: "a", shape: [work.size], low: 0.9, high: 1.1 },
        { name: "b", shape: [work.size], low: -0.1, high: 0.1 },
      ];
  }
}

/**
 * The results in which the peers must agree. A training step tells the loss and every gradient of the
 * first step, and the loss after it.
 */
export function resultsOf(work: Work): string[] {
  switch (work.kind) {
    case "matmul":
    case "elementwise":
    case "chain":
      return ["out"];
    case "batchNorm":
      return ["y", "dx", "dweight", "dbias"];
    case "conv":
      return ["y", "dx", "dweight"];
    case "mlp":
    case "cnn":
      return ["loss", ...parameterShapes(work).map(([name]) => `d${name}`), "lossAfter"];
    case "trackedAdd":
      return ["out", "dx"];
    case "tiny":
      return ["out", "dx"];
  }
}

/** How many units of work one run does; times are told for one unit. */
export function unitsOf(work: Work): number {
  if (work.kind === "chain") return work.operations;
  return work.kind === "trackedAdd" ? work.times : 1;
}

/** Floating-point operations of one run, where that is a common measure. */
export function flopsOf(work: Work): number | null {
  return work.kind === "matmul" ? 2 * work.m * work.n * work.k : null;
}

/** Whether a row is chosen by names, parts of names or groups; all but `scaling` by default. */
export function isChosen(row: Row, choice: readonly string[]): boolean {
  if (choice.length === 0) return row.group !== "scaling";
  return choice.some((part) => row.group === part || part === "all" || row.name.includes(part));
}
