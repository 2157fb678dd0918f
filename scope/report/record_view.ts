/**
 * A record as the figures want it.
 */
import { ledgerOf, sentenceOf } from "../ledger.ts";
import {
  type JsonNumber,
  type LayerRecord,
  numberOf,
  type Quantity as Recorded,
  type RunRecord,
} from "../run_record.ts";
import type { TapeRecord } from "../tape/tape_record.ts";
import type {
  ChannelView,
  GapView,
  GradientParts,
  LayerView,
  Matrix,
  Mode,
  Quantity,
  RunView,
  Series,
  TapeNode,
} from "./view.ts";

/** What a report can show beside the record. */
export interface Extras {
  /** The statistics computed again from the data, and what they are worth. */
  readonly recalibration?: Recalibration;
  /** The parts of the input's gradient, by the layer's path. */
  readonly gradients?: Readonly<Record<string, GradientParts>>;
}

/** What the model is worth with running statistics, and with statistics computed again. */
export interface Recalibration {
  /** The score in evaluation with the running statistics, a share of 1. */
  readonly running: number;
  /** The same with recalibrated ones. */
  readonly recalibrated: number;
  /** The distance of train and eval outputs after recalibration, by the layer's path. */
  readonly distances: Readonly<Record<string, number>>;
}

const DRAWN: readonly Quantity[] = ["gamma", "beta", "runningMean", "runningVar"];

/** The calls of a tape, each with the module that it belongs to. */
function nodesOf({ calls, groups }: TapeRecord): TapeNode[] {
  const modules = new Map(groups.flatMap(({ module, calls }) => calls.map((id) => [id, module])));
  const shown = (shape: readonly number[] | null): string =>
    shape === null ? "none" : `[${shape.join(", ")}]`;
  return calls.map(({ id, primitive, inputs, outputs, savedBytes, gradNorm }) => ({
    primitive,
    path: modules.get(id) ?? "",
    shapes: `${inputs.map(({ shape }) => shown(shape)).join(" ")} → ${
      outputs.map(shown).join(" ")
    }`,
    bytes: savedBytes,
    gradient: gradNorm === null ? null : numberOf(gradNorm),
  }));
}

/** The view of a record. */
export function viewOf(record: RunRecord, extras: Extras = {}): RunView {
  // The record has each layer's channels with the worst drift first.
  const worst = ({ worst }: LayerRecord) => worst === null ? 0 : Math.abs(Number(worst.z));
  const channels = record.layers.map((layer, index) => ({ layer, index }))
    .toSorted((a, b) => worst(b.layer) - worst(a.layer))
    .flatMap(({ layer, index }) => channelsOf(layer, index));
  const shown = channels[0]?.layer ?? record.layers[0]?.path;
  const stretches = record.modes.map(({ layer, from, to, mode, site }) => ({
    layer,
    from,
    to,
    mode: mode as Mode,
    site: site ?? null,
  }));
  const modes = stretches.filter(({ layer }) => layer === shown);
  const isEvaluation = (event: number) =>
    modes.some(({ from, to, mode }) => mode === "eval" && from <= event && event <= to);
  const ledger = ledgerOf(record);
  return {
    sentence: sentenceOf(record),
    otherMoves: ledger.learned.other.count + ledger.tracked.other.count,
    matrix: record.layers.map(movesOf).reduce(added, NOTHING),
    axis: {
      length: record.events,
      steps: record.marks.step,
      forwards: record.marks.forward.filter((event) => !isEvaluation(event)),
      evaluations: record.marks.forward.filter(isEvaluation),
      modes,
      counts: { steps: record.steps, forwards: record.forwards },
    },
    channels,
    layers: record.layers.map((layer) => layerView(layer, extras.gradients?.[layer.path] ?? null)),
    metrics: record.metrics.map(({ name, unit, at, values }) => ({
      name,
      isShare: unit === "%",
      series: { at, value: values.map(Number) },
    })),
    gaps: record.audit.map(({ layer, distance, reasons }): GapView => ({
      layer,
      distance: Number(distance),
      recalibrated: extras.recalibration?.distances[layer] ?? null,
      reasons: reasons.map(({ message }) => message),
    })),
    scores: extras.recalibration ?? null,
    findings: record.health.map(({ layer, message }) => ({ layer, message })),
    writes: record.writes.map(({ at, layer, name, by, distance, site }) => ({
      at,
      layer,
      name,
      by,
      distance: Number(distance),
      site: site ?? null,
    })),
    stretches,
    warnings: record.warnings,
    tape: record.tape === undefined ? [] : nodesOf(record.tape),
  };
}

const NONE = { times: 0, distance: 0 };
const NOTHING: Matrix = {
  learned: { step: NONE, forward: NONE },
  tracked: { step: NONE, forward: NONE },
};

function movesOf({ counts, distance }: LayerRecord): Matrix {
  const row = (kind: "learned" | "tracked") => ({
    step: { times: counts[kind].step, distance: distance[kind].step },
    forward: { times: counts[kind].forward, distance: distance[kind].forward },
  });
  return { learned: row("learned"), tracked: row("tracked") };
}

function added(a: Matrix, b: Matrix): Matrix {
  const sum = (kind: keyof Matrix, mover: "step" | "forward") => ({
    times: a[kind][mover].times + b[kind][mover].times,
    distance: a[kind][mover].distance + b[kind][mover].distance,
  });
  return {
    learned: { step: sum("learned", "step"), forward: sum("learned", "forward") },
    tracked: { step: sum("tracked", "step"), forward: sum("tracked", "forward") },
  };
}

function channelsOf(layer: LayerRecord, layerIndex: number): ChannelView[] {
  return layer.channels.map((channel, place) => {
    const series = (quantity: Recorded): Series => ({
      at: layer.series[quantity].at,
      value: layer.series[quantity].values.map((row) => Number(row[place])),
    });
    return {
      layer: layer.path,
      layerIndex,
      place,
      channel,
      drift: lastOf(layer, "zDrift", place),
      series: Object.fromEntries(DRAWN.map((quantity) => [quantity, series(quantity)])) as Record<
        Quantity,
        Series
      >,
      batch: { runningMean: series("batchMean"), runningVar: series("batchVar") },
    };
  });
}

function lastOf(layer: LayerRecord, quantity: Recorded, place: number): number | null {
  const row = layer.series[quantity].values.at(-1);
  return row === undefined ? null : Number(row[place]);
}

function layerView(layer: LayerRecord, gradient: GradientParts | null): LayerView {
  const { path, features, eps, momentum, tracks, initialShare, final } = layer;
  const numbers = (values: readonly JsonNumber[] | null) => (values ?? []).map(Number);
  return {
    name: path,
    channels: features,
    eps,
    momentum,
    tracks,
    initialShare,
    moves: movesOf(layer),
    final: {
      gamma: numbers(final.gamma),
      beta: numbers(final.beta),
      runningMean: numbers(final.runningMean),
      runningVar: numbers(final.runningVar),
    },
    drift: layer.channels.flatMap((channel, place) => {
      const [z, f] = [lastOf(layer, "zDrift", place), lastOf(layer, "fDrift", place)];
      return z === null || f === null ? [] : [{ channel, z, f }];
    }),
    gradient,
  };
}
