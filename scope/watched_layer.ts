/**
 * One BatchNorm under watch: its last state, who moved it, and its points.
 */
import {
  type BatchMoments,
  kindOf,
  PooledMoments,
  storageOf,
  valuesOf,
} from "../autograd/internal.ts";
import type { Tensor } from "../autograd/mod.ts";
import type { BatchNorm } from "../nn/norm/batch_norm.ts";
import { Causes } from "./causes.ts";
import { Lane } from "./lane.ts";
import {
  type Change,
  type JsonNumber,
  jsonNumber,
  type LayerRecord,
  type LayerState,
  type Mover,
  type MoverTable,
  type Quantity,
  type Series,
  type StateName,
  type Writer,
} from "./run_record.ts";

/** The tensors that are compared: field, PyTorch's name, row of the table. */
const TENSORS = [
  { field: "weight", name: "weight", row: "learned" },
  { field: "bias", name: "bias", row: "learned" },
  { field: "runningMean", name: "running_mean", row: "tracked" },
  { field: "runningVar", name: "running_var", row: "tracked" },
] as const;

/** How much a new batch weighs in the average by which channels are ranked. */
const RANK_RATE = 0.1;

/** Who moves something now, and where. */
export interface Move {
  readonly mover: Mover;
  readonly by: Writer;
  /** The line; `null` where lines are not recorded. */
  readonly site: string | null;
  /** The event. */
  at: number;
  /** Called before a move is booked, with the root mean square of the change; may set `at`. */
  readonly onMove?: (name: StateName, distance: number, move: Move) => void;
}

/** The memory of a layer's tensor: each tensor that shares it writes into the layer. */
type Memory = ReturnType<typeof storageOf>;

/** Where a quantity stands: which lane, and which place in its rows. */
const PLACES: Readonly<Record<Quantity, readonly ["learned" | "tracked" | "batch", number]>> = {
  gamma: ["learned", 0],
  beta: ["learned", 1],
  runningMean: ["tracked", 0],
  runningVar: ["tracked", 1],
  batchMean: ["batch", 0],
  batchVar: ["batch", 1],
  zDrift: ["batch", 2],
  fDrift: ["batch", 3],
};

/** What a recorder keeps of a layer. */
export class WatchedLayer {
  readonly path: string;
  readonly layer: BatchNorm;
  /** The channels in the rows of the lanes. */
  channels: number[] = [];
  private readonly wanted: readonly number[] | "worst" | "all";
  private last: (Float64Array | null)[] = [];
  private readonly causes = TENSORS.map(() => new Causes());
  private counts = emptyTable();
  private distance = emptyTable();
  private start: LayerState;
  private rank = new Float64Array(0);
  private latest: { z: Float64Array; f: Float64Array } | null = null;
  private lanes = { learned: new Lane(2), tracked: new Lane(2), batch: new Lane(4) };

  /** Takes the state as it is now. */
  constructor(path: string, layer: BatchNorm, wanted: readonly number[] | "worst" | "all") {
    this.path = path;
    this.layer = layer;
    this.wanted = wanted;
    this.start = this.restart(0);
  }

  /** Begins with the layer's present channels. */
  private restart(at: number): LayerState {
    const { layer, wanted } = this;
    const count = layer.numFeatures;
    this.last = TENSORS.map(({ field }) => copyOf(layer[field]));
    this.channels = typeof wanted === "string"
      ? Array.from({ length: count }, (_, c) => c)
      : wanted.filter((c) => c < count);
    this.rank = new Float64Array(count);
    this.latest = null;
    this.lanes = { learned: new Lane(2), tracked: new Lane(2), batch: new Lane(4) };
    this.drawLearned(at);
    this.drawTracked(at);
    return this.state();
  }

  /** Whether memory is that of one of the tensors. */
  owns(memory: Memory): boolean {
    const { weight, bias, runningMean, runningVar } = this.layer;
    return (weight !== null && storageOf(weight) === memory) ||
      (bias !== null && storageOf(bias) === memory) ||
      (runningMean !== null && storageOf(runningMean) === memory) ||
      (runningVar !== null && storageOf(runningVar) === memory);
  }

  /**
   * Books everything that differs from the last look.
   *
   * @param only Looks at this memory alone.
   */
  book(move: Move, only: Memory | null = null): void {
    for (let i = 0; i < TENSORS.length; i++) {
      const { field, name, row } = TENSORS[i];
      const tensor = this.layer[field];
      if (only !== null && (tensor === null || storageOf(tensor) !== only)) continue;
      const before = this.last[i];
      if (tensor === null) {
        this.last[i] = null;
        continue;
      }
      const values = valuesOf(tensor);
      if (before === null || before.length !== values.length) {
        // A lazy layer has got its channels, or tensors have come or gone.
        if (before === null) this.last[i] = values.slice();
        else this.start = this.restart(0);
        continue;
      }
      const moved = moveTo(before, values);
      if (moved === 0) continue;
      move.onMove?.(name, moved, move);
      this.counts[row][move.mover]++;
      if (Number.isFinite(moved)) this.distance[row][move.mover] += moved;
      this.causes[i].note(move.by, move.site, move.at, moved);
    }
  }

  /** Takes in the moments of a forward, against the running statistics that it met. */
  absorb(at: number, batches: readonly (BatchMoments | null)[], draw: boolean): void {
    const moments = pooled(batches);
    if (moments === null) return;
    const { count, mean, variance } = moments;
    const { eps } = this.layer;
    const [, , runningMean, runningVar] = this.last;
    const size = mean.length;
    const unbiased = count / (count - 1);
    const z = new Float64Array(size);
    const f = new Float64Array(size);
    for (let c = 0; c < size; c++) {
      const against = (runningVar === null ? NaN : runningVar[c]) + eps;
      z[c] = (mean[c] - (runningMean === null ? NaN : runningMean[c])) / Math.sqrt(against);
      f[c] = (variance[c] * unbiased + eps) / against;
      const logF = Math.log(f[c]);
      const apart = z[c] * z[c] + 0.5 * logF * logF;
      if (runningMean !== null) this.rank[c] += RANK_RATE * (apart - this.rank[c]);
    }
    this.latest = { z, f };
    if (!draw) return;
    const { channels } = this;
    const k = channels.length;
    const row = new Float64Array(4 * k);
    for (let i = 0; i < k; i++) {
      const c = channels[i];
      row[i] = mean[c];
      row[k + i] = variance[c] * unbiased;
      row[2 * k + i] = z[c];
      row[3 * k + i] = f[c];
    }
    this.lanes.batch.push(at, row);
  }

  /** A point of γ and β. */
  drawLearned(at: number): void {
    this.lanes.learned.push(at, this.pair(0, 1));
  }

  /** A point of the running statistics. */
  drawTracked(at: number): void {
    this.lanes.tracked.push(at, this.pair(2, 3));
  }

  private pair(a: number, b: number): Float64Array {
    const { channels, last } = this;
    const k = channels.length;
    const row = new Float64Array(2 * k);
    for (const [q, i] of [a, b].entries()) {
      const values = last[i];
      for (let j = 0; j < k; j++) row[q * k + j] = values === null ? NaN : values[channels[j]];
    }
    return row;
  }

  /** How many numbers the lanes hold. */
  get size(): number {
    const { learned, tracked, batch } = this.lanes;
    return learned.size + tracked.size + batch.size;
  }

  /** Keeps the series of the `most` worst channels only. */
  narrow(most: number): void {
    if (this.wanted !== "worst" || this.channels.length <= most) return;
    const positions = this.worstFirst().slice(0, most).sort((a, b) => a - b);
    for (const lane of Object.values(this.lanes)) lane.narrow(positions);
    this.channels = positions.map((position) => this.channels[position]);
  }

  /** The positions of the channels, the one with the worst drift first. */
  private worstFirst(): number[] {
    const { channels, rank } = this;
    const weight = (i: number): number => {
      const value = rank[channels[i]];
      return Number.isNaN(value) ? Infinity : value;
    };
    return channels.map((_, i) => i).sort((a, b) => {
      const [x, y] = [weight(a), weight(b)];
      return x === y ? a - b : y - x;
    });
  }

  /** One quantity of all channels that are kept. */
  series(quantity: Quantity): Series {
    return this.quantity(quantity, this.channels.map((_, i) => i), -1);
  }

  private quantity(quantity: Quantity, positions: readonly number[], since: number): Series {
    const [lane, place] = PLACES[quantity];
    const { affine, runningMean } = this.layer;
    const absent = lane === "learned" ? !affine : lane === "tracked" && runningMean === null;
    if (absent || (quantity.endsWith("Drift") && runningMean === null)) {
      return { at: [], values: [] };
    }
    const digits = quantity.endsWith("Drift") ? 6 : null;
    return this.lanes[lane].series(place, positions, since, digits);
  }

  /** What moved a tensor; `null` if there is none of that name. */
  why(name: string): Change[] | null {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const key = ({ gamma: "weight", beta: "bias" } as Record<string, string>)[snake] ?? snake;
    const i = TENSORS.findIndex(({ name }) => name === key);
    return i < 0 ? null : this.causes[i].list();
  }

  private state(): LayerState {
    const [gamma, beta, runningMean, runningVar] = this.last.map((values) =>
      values === null ? null : Array.from(values, jsonNumber)
    );
    return { gamma, beta, runningMean, runningVar };
  }

  /** As JSON, with the `most` worst channels where nothing else was asked for. */
  toJSON(most: number, since: number): LayerRecord {
    const { layer, path, wanted, channels } = this;
    const order = wanted === "worst" ? this.worstFirst().slice(0, most) : this.worstFirst();
    const all = Object.keys(PLACES) as Quantity[];
    return {
      path,
      kind: kindOf(layer),
      features: layer.numFeatures,
      eps: layer.eps,
      momentum: layer.momentum,
      halfLife: halfLife(layer.momentum),
      affine: layer.affine,
      tracks: layer.runningMean !== null,
      channels: order.map((i) => channels[i]),
      counts: copyTable(this.counts),
      distance: copyTable(this.distance),
      initialShare: layer.statistics.initialShare().share,
      start: this.start,
      final: this.state(),
      series: Object.fromEntries(
        all.map((quantity) => [quantity, this.quantity(quantity, order, since)]),
      ) as Record<Quantity, Series>,
      worst: this.worst(),
      causes: Object.fromEntries(
        TENSORS.map(({ name }, i) => [name, this.causes[i].list()]),
      ) as Record<StateName, Change[]>,
    };
  }

  /** The channel with the worst drift, whether or not it is drawn. */
  worst(): LayerRecord["worst"] {
    const { latest, rank } = this;
    if (latest === null || this.last[2] === null) return null;
    let channel = 0;
    for (let c = 1; c < rank.length; c++) {
      if (rank[c] > rank[channel] || (Number.isNaN(rank[c]) && !Number.isNaN(rank[channel]))) {
        channel = c;
      }
    }
    return { channel, z: jsonNumber(latest.z[channel]), f: jsonNumber(latest.f[channel]) };
  }
}

/** ln 2 / −ln(1 − momentum): infinite for 0, which forgets nothing. */
function halfLife(momentum: number | null): JsonNumber | null {
  return momentum === null ? null : jsonNumber(Math.LN2 / -Math.log1p(-momentum));
}

function emptyTable(): MoverTable {
  const row = () => ({ step: 0, forward: 0, other: 0 });
  return { learned: row(), tracked: row() };
}

function copyTable({ learned, tracked }: MoverTable): MoverTable {
  return { learned: { ...learned }, tracked: { ...tracked } };
}

/** A plain array: one in the memory of the kernels would keep that from being given back. */
function copyOf(tensor: Tensor | null): Float64Array | null {
  return tensor === null ? null : valuesOf(tensor).slice();
}

/** Makes `kept` what `values` are; the root mean square of the change, 0 if there was none. */
function moveTo(kept: Float64Array, values: Float64Array): number {
  let squares = 0;
  let moved = false;
  for (let c = 0; c < kept.length; c++) {
    const [before, after] = [kept[c], values[c]];
    if (before === after || (before !== before && after !== after)) continue;
    moved = true;
    squares += (after - before) ** 2;
    kept[c] = after;
  }
  // A change may be too small to have a square.
  return moved ? Math.sqrt(squares / kept.length) || Number.MIN_VALUE : 0;
}

/** The moments of all virtual batches of a forward. */
function pooled(batches: readonly (BatchMoments | null)[]): BatchMoments | null {
  const taken = batches.filter((moments) => moments !== null);
  if (taken.length < 2) return taken[0] ?? null;
  const all = new PooledMoments(taken[0].mean.length);
  for (const moments of taken) all.add(moments);
  return all;
}
