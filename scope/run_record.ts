/**
 * The record of a run: what learned, what was tracked, and by what. It is plain JSON and the only input
 * of every page, so a report, a live page at its end and the lab show the same.
 *
 * One axis orders everything. An event is a forward pass (of all recorded layers together), an optimizer
 * step, or a write from elsewhere; `at` counts them from 1. `at: 0` is the state in which recording began.
 */

import type { TapeRecord } from "./tape/tape_record.ts";

/** A number as JSON can hold it; read it with {@linkcode numberOf}. */
export type JsonNumber = number | "NaN" | "Infinity" | "-Infinity";

/** What a layer has in the two lanes, and the batch statistics behind them. */
export type Quantity =
  | "gamma"
  | "beta"
  | "runningMean"
  | "runningVar"
  | "batchMean"
  | "batchVar"
  | "zDrift"
  | "fDrift";

/** The quantities, those that are learned first. */
export const QUANTITIES: readonly Quantity[] = [
  "gamma",
  "beta",
  "runningMean",
  "runningVar",
  "batchMean",
  "batchVar",
  "zDrift",
  "fDrift",
];

/** Who moved something: an optimizer step, a forward pass, or anything else. */
export type Mover = "step" | "forward" | "other";

/** One number for each mover. */
export type ByMover = Record<Mover, number>;

/** A table of two rows: what is learned (γ, β) and what is tracked (running mean and variance). */
export interface MoverTable {
  /** γ and β. */
  readonly learned: ByMover;
  /** The running mean and the running variance. */
  readonly tracked: ByMover;
}

/** A quantity over the events. */
export interface Series {
  /** The events, in ascending order. */
  readonly at: readonly number[];
  /** A row for each event; a row has a number for each of the layer's recorded `channels`. */
  readonly values: readonly (readonly JsonNumber[])[];
  /**
   * Older points stand for several events, of which `values` has the last. Row i of `min` is the least of
   * the events after `at[i - 1]` up to `at[i]`, to six digits; rows end where every event is there.
   */
  readonly min?: readonly (readonly JsonNumber[])[];
  /** As `min`, the largest. */
  readonly max?: readonly (readonly JsonNumber[])[];
}

/** The state of all channels; `null` for what a layer does not have. */
export interface LayerState {
  /** γ. */
  readonly gamma: readonly JsonNumber[] | null;
  /** β. */
  readonly beta: readonly JsonNumber[] | null;
  /** The running mean. */
  readonly runningMean: readonly JsonNumber[] | null;
  /** The running variance, unbiased. */
  readonly runningVar: readonly JsonNumber[] | null;
}

/** One BatchNorm. */
export interface LayerRecord {
  /** Its dotted name in the model; "" if it is the model. */
  readonly path: string;
  /** Its class: "BatchNorm2d". */
  readonly kind: string;
  /** The number of channels. */
  readonly features: number;
  /** Added to the variance. */
  readonly eps: number;
  /** The weight of a batch in the running statistics; `null` for their plain average. */
  readonly momentum: number | null;
  /** Forwards until an old batch weighs half as much, ln 2 / −ln(1 − momentum); `null` for an average. */
  readonly halfLife: JsonNumber | null;
  /** Whether it has γ and β. */
  readonly affine: boolean;
  /** Whether it has running statistics. */
  readonly tracks: boolean;
  /** The channels that the series have, the one with the worst drift first. */
  readonly channels: readonly number[];
  /**
   * How often a tensor moved: every event is looked at, whatever is drawn. γ and β are two tensors, and so
   * are the running mean and variance.
   */
  readonly counts: MoverTable;
  /** How far they moved: the sum over events and tensors of the root mean square of the change. */
  readonly distance: MoverTable;
  /** What the initial 0 and 1 still weigh in the running statistics. */
  readonly initialShare: number;
  /** All channels when recording began. */
  readonly start: LayerState;
  /** All channels now. */
  readonly final: LayerState;
  /**
   * The quantities over the events. `gamma`, `beta`, `runningMean` and `runningVar` begin at 0;
   * `batchMean` and `batchVar` (unbiased, as it is blended in) are those of forwards in training. For
   * these, against the running statistics that they met:
   * zDrift = (batchMean − runningMean) / √(runningVar + eps), fDrift = (batchVar + eps) / (runningVar + eps).
   */
  readonly series: Readonly<Record<Quantity, Series>>;
  /** The channel whose drift is the worst now; `null` before the first forward in training. */
  readonly worst:
    | { readonly channel: number; readonly z: JsonNumber; readonly f: JsonNumber }
    | null;
  /** What moved each tensor, the latest first. */
  readonly causes?: Readonly<Record<StateName, readonly Change[]>>;
}

/** How a layer ran. */
export type LayerMode = "train" | "eval" | "frozen" | "noGrad";

/** A run of forward passes in one mode. */
export interface ModeSpan {
  /** The layer's path. */
  readonly layer: string;
  /** The first forward. */
  readonly from: number;
  /** The last forward. */
  readonly to: number;
  /** "noGrad" is training mode without recording: buffers move, and nothing can learn. */
  readonly mode: LayerMode;
  /** The line that called the first forward, where call sites are recorded. */
  readonly site?: string;
}

/** A number that the program reported: a loss, an accuracy. */
export interface MetricRecord {
  /** Its name. */
  readonly name: string;
  /** What it is measured in: "%", "s"; "" for none. */
  readonly unit: string;
  /** The last event before each value. */
  readonly at: readonly number[];
  /** The optimizer steps before each value. */
  readonly step: readonly number[];
  /** The values. */
  readonly values: readonly JsonNumber[];
}

/** What wrote into a layer's state. */
export type Writer =
  | "forward"
  | "optimizer"
  | "load"
  | "reset"
  | "recalibration"
  | "accumulated"
  | "copy_"
  | "edit";

/** A write that neither a forward nor the optimizer made. */
export interface WriteRecord {
  /** Its event. */
  readonly at: number;
  /** The layer's path. */
  readonly layer: string;
  /** The tensor. */
  readonly name: StateName;
  /**
   * `load` is a state dict; `accumulated` the common update of `accumulateStats`, where it is taken in
   * early; `edit` a change that nothing announced, as through `data`.
   */
  readonly by: Writer;
  /** The root mean square of the change. */
  readonly distance: JsonNumber;
  /** The line that did it, where call sites are recorded. */
  readonly site?: string;
}

/** All moves of a tensor by one kind of writer, from one line where call sites are recorded. */
export interface Change {
  /** What moved it. */
  readonly by: Writer;
  /** How often. */
  readonly times: number;
  /** The event of the first time. */
  readonly first: number;
  /** The event of the last time. */
  readonly last: number;
  /** The sum of the root mean squares of the changes. */
  readonly distance: JsonNumber;
  /** The line. */
  readonly site?: string;
}

/** PyTorch's names of the tensors that are compared. */
export type StateName = "weight" | "bias" | "running_mean" | "running_var";

/** A finding about a layer, in words. */
export interface FindingRecord {
  /** The module's path. */
  readonly layer: string;
  /** A stable code: those of `nn.healthReport` and `nn.auditTrainEval`. */
  readonly code: string;
  /** What was seen. */
  readonly message: string;
}

/** How far a layer's outputs in training and evaluation lie apart, from `Recorder.audit`. */
export interface AuditRecord {
  /** The layer's path. */
  readonly layer: string;
  /** The last event before the audit. */
  readonly at: number;
  /** Root mean square of the difference, over that of the output in training. */
  readonly distance: JsonNumber;
  /** The likely causes, the strongest first. */
  readonly reasons: readonly FindingRecord[];
}

/**
 * A run. Version 1: later fields will be optional, so a reader ignores what it does not know.
 */
export interface RunRecord {
  /** The version of the layout. */
  readonly v: 1;
  /** What the run is called. */
  readonly title: string;
  /** Every so-manieth step is drawn; all are counted. */
  readonly every: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Forward passes. */
  readonly forwards: number;
  /** All events: the axis runs from 0 to this. */
  readonly events: number;
  /** The layers, in the order of the model. */
  readonly layers: readonly LayerRecord[];
  /** Which events were what, for ticks; of older ones some. */
  readonly marks: { readonly forward: readonly number[]; readonly step: readonly number[] };
  /** The modes in which layers ran, in order; the last 1,000 of each layer. */
  readonly modes: readonly ModeSpan[];
  /** What the program reported. */
  readonly metrics: readonly MetricRecord[];
  /** Writes from elsewhere, the last 1,000. */
  readonly writes: readonly WriteRecord[];
  /** What `nn.healthReport` says of the model now. */
  readonly health: readonly FindingRecord[];
  /** The last audit of each layer; empty without one. */
  readonly audit: readonly AuditRecord[];
  /** The tape of a loss, from `Recorder.noteTape`. */
  readonly tape?: TapeRecord;
  /** What a reader of the record should know: what is missing, and why. */
  readonly warnings: readonly string[];
}

/**
 * A number for JSON: NaN and the infinities become their names.
 *
 * @example
 * ```ts
 * import { jsonNumber, numberOf } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(jsonNumber(0 / 0), "NaN");
 * assertEquals(numberOf("-Infinity"), -Infinity);
 * ```
 */
export function jsonNumber(value: number): JsonNumber {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot write a number as JSON: got ${typeof value}, expected a number`);
  }
  return Number.isFinite(value) ? value : String(value) as JsonNumber;
}

/** The number that {@linkcode jsonNumber} wrote. */
export function numberOf(value: JsonNumber): number {
  if (typeof value !== "number" && typeof value !== "string") {
    throw new TypeError(
      `Cannot read a number of JSON: got ${typeof value}, expected what jsonNumber wrote`,
    );
  }
  return Number(value);
}
