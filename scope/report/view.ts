/**
 * What the report draws from: plain data, whatever it was recorded with.
 */

/** How often something was moved, and the length of the way. */
export interface Move {
  readonly times: number;
  /** The sum of the root mean squares of its steps. */
  readonly distance: number;
}

/** What moved: by optimizer steps, and by forward passes. */
export interface Moves {
  readonly step: Move;
  readonly forward: Move;
}

/** The two kinds of state, and the two ways in which it moves. */
export interface Matrix {
  readonly learned: Moves;
  readonly tracked: Moves;
}

/** Values at events, which are counted from 1; 0 is the start. */
export interface Series {
  readonly at: readonly number[];
  readonly value: readonly number[];
}

/** The quantities that are drawn, in this order everywhere. */
export const QUANTITIES = ["gamma", "beta", "runningMean", "runningVar"] as const;
/** γ and β are learned, running mean and variance are tracked. */
export type Quantity = typeof QUANTITIES[number];

/** The names of the quantities for people. */
export const NAMES: Readonly<Record<Quantity, string>> = {
  gamma: "γ",
  beta: "β",
  runningMean: "running mean",
  runningVar: "running variance",
};

/** One channel of a layer. */
export interface ChannelView {
  readonly layer: string;
  /** Where the record has it: which layer, and which of its recorded channels. */
  readonly layerIndex: number;
  readonly place: number;
  readonly channel: number;
  /** How far the running mean is from the batches', in standard deviations; `null` if unknown. */
  readonly drift: number | null;
  readonly series: Readonly<Record<Quantity, Series>>;
  /** The statistics of the batches themselves. */
  readonly batch: { readonly runningMean: Series; readonly runningVar: Series };
}

/** In which mode a forward ran. */
export type Mode = "train" | "eval" | "frozen" | "noGrad";

/** A stretch of events of one mode. */
export interface Stretch {
  readonly mode: Mode;
  readonly from: number;
  /** The last event of the stretch. */
  readonly to: number;
  /** Where in the program the mode was set, if known. */
  readonly site: string | null;
}

/** The axis that all series share. */
export interface Axis {
  /** How many events there are: the axis runs from 0 to this. */
  readonly length: number;
  /** The events at which the optimizer stepped. */
  readonly steps: readonly number[];
  /** The events that were forward passes in training mode, and those in evaluation. */
  readonly forwards: readonly number[];
  readonly evaluations: readonly number[];
  /** The modes of the layer that is drawn first. */
  readonly modes: readonly Stretch[];
  /** How many there were, also where not all were kept. */
  readonly counts: { readonly steps: number; readonly forwards: number };
}

/** Loss, accuracy and whatever else was recorded at events. */
export interface MetricView {
  readonly name: string;
  /** A share of 1, shown in per cent. */
  readonly isShare: boolean;
  readonly series: Series;
}

/** A layer as it is at the end. */
export interface LayerView {
  readonly name: string;
  readonly channels: number;
  readonly eps: number;
  /** The weight of a batch in the running statistics; `null` for the cumulative mean. */
  readonly momentum: number | null;
  /** Whether it has running statistics. */
  readonly tracks: boolean;
  /** What the initial 0 and 1 still weigh in them. */
  readonly initialShare: number;
  readonly moves: Matrix;
  /** The four quantities at the end, channel by channel; empty where there are none. */
  readonly final: Readonly<Record<Quantity, readonly number[]>>;
  /** The last drift of each recorded channel. */
  readonly drift: readonly { readonly channel: number; readonly z: number; readonly f: number }[];
  /** The parts of dx; `null` where they were not taken. */
  readonly gradient: GradientParts | null;
}

/** dx in its three parts, channel by channel, as root mean squares over the samples of a batch. */
export interface GradientParts {
  /** Through x itself. */
  readonly direct: readonly number[];
  /** Through the batch's mean. */
  readonly mean: readonly number[];
  /** Through the batch's variance. */
  readonly variance: readonly number[];
  /** What they come to together. */
  readonly whole: readonly number[];
}

/** How far training and evaluation lie apart in a layer. */
export interface GapView {
  readonly layer: string;
  /** Root mean square of train − eval output over that of the train output. */
  readonly distance: number;
  /** The same after the statistics were computed again from the data; `null` if it was not tried. */
  readonly recalibrated: number | null;
  readonly reasons: readonly string[];
}

/** A write that neither a forward pass nor the optimizer made. */
export interface WriteView {
  readonly at: number;
  readonly layer: string;
  readonly name: string;
  readonly by: string;
  readonly distance: number;
  readonly site: string | null;
}

/** One finding of an audit of the model. */
export interface FindingView {
  readonly layer: string;
  readonly message: string;
}

/** A call on the tape, with those that it came from. */
export interface TapeNode {
  /** The name of the primitive. */
  readonly primitive: string;
  /** The module that called it. */
  readonly path: string;
  /** The shapes of inputs and outputs. */
  readonly shapes: string;
  /** What it saved for the backward pass. */
  readonly bytes: number;
  /** The norm of the gradient that arrived; `null` if none did. */
  readonly gradient: number | null;
}

/** A training run. */
export interface RunView {
  /** What happened, in one sentence. */
  readonly sentence: string;
  /** How often anything but steps and forward passes moved the state. */
  readonly otherMoves: number;
  readonly matrix: Matrix;
  readonly axis: Axis;
  /** The worst drift first. */
  readonly channels: readonly ChannelView[];
  readonly layers: readonly LayerView[];
  readonly metrics: readonly MetricView[];
  readonly gaps: readonly GapView[];
  /** The scores by running and by recalibrated statistics, if both were taken. */
  readonly scores: { readonly running: number; readonly recalibrated: number } | null;
  readonly findings: readonly FindingView[];
  readonly writes: readonly WriteView[];
  /** In which modes the layers ran. */
  readonly stretches: readonly (Stretch & { readonly layer: string })[];
  readonly warnings: readonly string[];
  readonly tape: readonly TapeNode[];
}
