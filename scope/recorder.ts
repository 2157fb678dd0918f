/**
 * The recorder: looks on while a model trains and keeps what moved, by what, and how far.
 */
import {
  assertFunction,
  assertList,
  assertOptions,
  type BatchMoments,
  describe,
  type EditWatcher,
} from "../autograd/internal.ts";
import { isGradEnabled, type Tensor } from "../autograd/mod.ts";
import { auditTrainEval, BatchNorm, healthReport, type Module } from "../nn/mod.ts";
import type { Optimizer } from "../optim/mod.ts";
import { assertModule } from "../nn/module/arguments.ts";
import { editCause } from "../nn/module/cause.ts";
import { callSite } from "./call_site.ts";
import { Lane } from "./lane.ts";
import { type NotebookOutput, notebookOutput } from "./notebook.ts";
import {
  type AuditRecord,
  type Change,
  jsonNumber,
  type LayerMode,
  type MetricRecord,
  type ModeSpan,
  numberOf,
  QUANTITIES,
  type Quantity,
  type RunRecord,
  type Series,
  type StateName,
  type Writer,
  type WriteRecord,
} from "./run_record.ts";
import { tapeOf } from "./tape/tape_of.ts";
import type { TapeRecord } from "./tape/tape_record.ts";
import { watchNorms } from "./watchers.ts";
import { type Move, WatchedLayer } from "./watched_layer.ts";

/** Options of `record`. */
export interface RecordOptions {
  /** What the run is called. */
  readonly title?: string;
  /** Draw every so-manieth step; all are counted. */
  readonly every?: number;
  /** Which channels have series: the four with the worst drift in each layer, some, or all. */
  readonly channels?: "worst" | "all" | readonly number[];
  /**
   * Whether the lines are kept that run forwards, step and write; that costs time. The line that ran the
   * first forward in another mode is kept in any case.
   */
  readonly callSites?: boolean;
}

/** How many numbers the lanes may hold before each layer keeps but its worst channels. */
const BUDGET = 250_000;
/** So many of the worst channels are kept then, and so many are in the record. */
const [KEPT, SHOWN] = [8, 4];
/** So many spans of modes of a layer, and so many writes, are kept. */
const MOST_SPANS = 1000;
const MOST_WRITES = 1000;

/** What a listener is told. */
export interface RecordedEvent {
  /** The event's number. */
  readonly at: number;
  /** What it was. */
  readonly kind: "forward" | "step" | "write" | "metric";
  /** The optimizer steps so far. */
  readonly steps: number;
}

/** How much of a record {@linkcode Recorder.toJSON} gives. */
export interface RecordPart {
  /** Only points after this event; everything else is whole. */
  readonly since?: number;
}

/** A recording in progress; made by `record`. */
export class Recorder {
  readonly #model: Module;
  readonly #settings: Required<RecordOptions>;
  readonly #watched: ReadonlyMap<BatchNorm, WatchedLayer>;
  readonly #handles: { remove(): void }[] = [];
  readonly #listeners = new Set<(event: RecordedEvent) => void>();
  readonly #forwardMarks = new Lane(1);
  readonly #stepMarks = new Lane(1);
  readonly #spans = new Map<
    WatchedLayer,
    { -readonly [K in keyof ModeSpan]: ModeSpan[K] }[]
  >();
  readonly #metrics = new Map<string, { unit: string; lane: Lane }>();
  readonly #writes: WriteRecord[] = [];
  readonly #audits = new Map<string, AuditRecord>();
  readonly #warnings = new Set<string>();
  #tape: TapeRecord | null = null;
  #count = 0;
  #forwards = 0;
  #steps = 0;
  #inStep = false;
  /** While a layer runs, from before it until after it. */
  #inForward = false;
  /** While the recorder itself runs the model. */
  #isPaused = false;
  /** The layers that the forward pass in progress has run; `null` between passes. */
  #pass: Set<BatchNorm> | null = null;

  /** @internal */
  constructor(model: Module, optimizers: readonly Optimizer[], settings: Required<RecordOptions>) {
    assertModule("record", "model", model);
    assertList("record", optimizers, "optimizers", "optimizers");
    for (const given of Array.from(optimizers)) {
      if (typeof given?.registerStepPreHook === "function") continue;
      throw new TypeError(`Cannot record: got optimizer ${describe(given)}, expected an Optimizer`);
    }
    this.#model = model;
    this.#settings = settings;
    const layers = model.namedModules().filter((entry): entry is [string, BatchNorm] =>
      entry[1] instanceof BatchNorm
    );
    this.#watched = new Map(
      layers.map(([path, layer]) => [layer, new WatchedLayer(path, layer, settings.channels)]),
    );
    this.#handles.push(watchNorms([...this.#watched.keys()], {
      before: (layer) => {
        if (this.#isPaused) return;
        this.#lookAround(this.#watched.get(layer)!);
        this.#inForward = true;
      },
      after: (layer, moments) => {
        if (this.#isPaused) return;
        this.#inForward = false;
        this.#noteForward(this.#watched.get(layer)!, moments);
      },
      edited: (memory, editedBy) => {
        if (!this.#isPaused && !this.#inStep && !this.#inForward) this.#noteEdit(memory, editedBy);
      },
    }));
    for (const optimizer of optimizers) {
      this.#handles.push(
        optimizer.registerStepPreHook(() => {
          for (const layer of this.#watched.values()) this.#lookAround(layer);
          this.#inForward = false;
          this.#inStep = true;
        }),
        optimizer.registerStepPostHook(() => this.#noteStep()),
      );
    }
  }

  /** How many events there have been: forward passes, steps, and writes from elsewhere. */
  get events(): number {
    return this.#count;
  }

  /** How many optimizer steps there have been. */
  get stepCount(): number {
    return this.#steps;
  }

  /** Books what has changed since the last event and nothing has announced. */
  #lookAround(watched: WatchedLayer): void {
    if (this.#inStep) {
      // The closure of a step runs forwards after the optimizer has moved something.
      watched.book({ mover: "step", by: "optimizer", site: null, at: this.#count });
    } else {
      this.#bookWrite(watched, "edit", null);
    }
  }

  /** Books a write as it happens. */
  #noteEdit(memory: Parameters<EditWatcher>[0], editedBy: string | undefined): void {
    for (const watched of this.#watched.values()) {
      if (!watched.owns(memory)) continue;
      const by = editCause() ?? (editedBy === undefined ? "copy_" : "optimizer");
      const site = this.#settings.callSites ? callSite() : null;
      this.#bookWrite(watched, by, site, memory);
    }
  }

  /** Books what has changed on a writer; writes of one cause in a row are one event. */
  #bookWrite(
    watched: WatchedLayer,
    by: Writer,
    site: string | null,
    memory: Parameters<EditWatcher>[0] | null = null,
  ): void {
    let moved = false;
    const onMove = (name: StateName, distance: number, move: Move): void => {
      const last = this.#writes.at(-1);
      if (last?.at !== this.#count || last.by !== by || last.site !== (site ?? undefined)) {
        this.#next("write");
      }
      move.at = this.#count;
      moved = true;
      this.#writes.push({
        at: move.at,
        layer: watched.path,
        name,
        by,
        distance: jsonNumber(distance),
        ...(site === null ? {} : { site }),
      });
      if (this.#writes.length > MOST_WRITES) this.#writes.shift();
    };
    watched.book({ mover: "other", by, site, at: this.#count, onMove }, memory);
    if (!moved) return;
    watched.drawLearned(this.#count);
    watched.drawTracked(this.#count);
    this.#tell("write");
  }

  #next(kind: RecordedEvent["kind"]): void {
    this.#count++;
    if (kind !== "forward") this.#pass = null;
  }

  #tell(kind: RecordedEvent["kind"]): void {
    for (const listener of this.#listeners) {
      listener({ at: this.#count, kind, steps: this.#steps });
    }
  }

  #noteForward(watched: WatchedLayer, moments: readonly (BatchMoments | null)[]): void {
    const { layer } = watched;
    const cause = editCause();
    const site = this.#settings.callSites ? callSite(true) : null;
    if (cause !== null) {
      this.#bookWrite(watched, cause, site);
      return;
    }
    if (this.#pass === null || this.#pass.has(layer)) {
      this.#pass = new Set();
      this.#forwards++;
      this.#next("forward");
      this.#forwardMarks.push(this.#count, new Float64Array(1));
    }
    this.#pass.add(layer);
    const at = this.#count;
    const draw = this.#steps % this.#settings.every === 0;
    const mode = modeOf(layer);
    this.#noteMode(watched, mode, site);
    watched.absorb(at, moments, draw);
    watched.book({ mover: "forward", by: "forward", site, at });
    if (draw) watched.drawTracked(at);
    this.#tell("forward");
  }

  #noteMode(watched: WatchedLayer, mode: LayerMode, site: string | null): void {
    const spans = this.#spans.get(watched) ?? [];
    this.#spans.set(watched, spans);
    const last = spans.at(-1);
    if (last?.mode === mode) {
      last.to = this.#count;
      return;
    }
    const [from, to] = [this.#count, this.#count];
    // A change of mode is rare enough to ask for its line each time.
    const line = site ?? callSite(true);
    spans.push({ layer: watched.path, from, to, mode, ...(line === null ? {} : { site: line }) });
    if (spans.length <= MOST_SPANS) return;
    spans.shift();
    this.#warnings.add(`Of the modes of a layer only the last ${MOST_SPANS} changes are kept.`);
  }

  #noteStep(): void {
    this.#inStep = false;
    const draw = this.#steps % this.#settings.every === 0;
    this.#steps++;
    this.#next("step");
    this.#stepMarks.push(this.#count, new Float64Array(1));
    const site = this.#settings.callSites ? callSite() : null;
    for (const watched of this.#watched.values()) {
      watched.book({ mover: "step", by: "optimizer", site, at: this.#count });
      if (draw) watched.drawLearned(this.#count);
    }
    if (this.#steps % 64 === 0) this.#makeRoom();
    this.#tell("step");
  }

  /** Narrows the layers to their worst channels once all of them would take too much memory. */
  #makeRoom(): void {
    let size = 0;
    for (const watched of this.#watched.values()) size += watched.size;
    if (size <= BUDGET) return;
    for (const watched of this.#watched.values()) watched.narrow(KEPT);
  }

  /**
   * One quantity of a layer over the events, for all channels that are kept.
   *
   * @param layer The layer's path, or the layer.
   * @param quantity "gamma", "runningMean", …
   * @throws {RangeError} if the layer is not recorded, or there is no such quantity.
   */
  series(layer: string | BatchNorm, quantity: Quantity): Series {
    const watched = this.#find("read a series", layer);
    if (!QUANTITIES.includes(quantity)) {
      throw new RangeError(
        `Cannot read a series: got quantity ${describe(quantity)}, expected one of ${
          QUANTITIES.join(", ")
        }`,
      );
    }
    return watched.series(quantity);
  }

  /**
   * What has moved a tensor while it was recorded: forward passes, the optimizer, a loaded state, a reset,
   * recalibration, accumulated statistics, `copy_`, or an edit that nothing announced. With
   * `callSites: true` by line.
   *
   * @param layer The layer's path, or the layer.
   * @param name "weight", "bias", "running_mean" or "running_var".
   * @returns The latest first; {@linkcode formatChanges} makes lines of text of it.
   * @throws {RangeError} if the layer is not recorded, or has no such tensor.
   */
  whyDidThisChange(layer: string | BatchNorm, name: string): Change[] {
    const action = "tell why it changed";
    const found = this.#find(action, layer).why(String(name));
    if (found !== null) return found;
    throw new RangeError(
      `Cannot ${action}: got name ${
        describe(name)
      }, expected "weight", "bias", "running_mean" or ` +
        `"running_var"`,
    );
  }

  #find(action: string, layer: string | BatchNorm): WatchedLayer {
    for (const watched of this.#watched.values()) {
      if (watched.path === layer || watched.layer === layer) return watched;
    }
    const known = [...this.#watched.values()].map(({ path }) => JSON.stringify(path)).join(", ");
    throw new RangeError(
      `Cannot ${action}: got layer ${describe(layer)}, expected one of ${known || "no layers"}`,
    );
  }

  /**
   * Notes a number that the program knows: a loss, an accuracy.
   *
   * @param name Its name.
   * @param value Its value now.
   * @param options `unit`: "%" or "s", as the axis shows it.
   */
  metric(name: string, value: number, options: { readonly unit?: string } = {}): void {
    const action = "note a metric";
    assertOptions(action, options, ["unit"]);
    if (typeof name !== "string" || typeof value !== "number") {
      throw new TypeError(
        `Cannot ${action}: got ${describe(name)} and ${
          describe(value)
        }, expected a name and a number`,
      );
    }
    const found = this.#metrics.get(name) ?? { unit: options.unit ?? "", lane: new Lane(2) };
    this.#metrics.set(name, found);
    found.lane.push(this.#count, Float64Array.of(value, this.#steps));
    this.#tell("metric");
  }

  /**
   * Compares training and evaluation of each layer on a batch, as `nn.auditTrainEval` does, and keeps the
   * result in the record.
   *
   * @param batch A batch as in training.
   */
  audit(batch: Tensor): void {
    const running = this.#isPaused;
    this.#isPaused = true;
    try {
      for (const { name, distance, reasons } of auditTrainEval(this.#model, batch)) {
        this.#audits.set(name, {
          layer: name,
          at: this.#count,
          distance: jsonNumber(distance),
          reasons: reasons.map(({ cause, detail }) => ({
            layer: name,
            code: cause,
            message: detail,
          })),
        });
      }
    } finally {
      this.#isPaused = running;
    }
  }

  /**
   * Keeps the tape of a loss in the record: {@linkcode tapeOf} with the names of the model. Call it before
   * `backward()`.
   *
   * @param loss What was computed.
   */
  noteTape(loss: Tensor): void {
    this.#tape = tapeOf(loss, { model: this.#model, gradients: true }).toJSON();
  }

  /**
   * Calls `listener` after each step, write and metric, and after each layer's forward: a forward pass is
   * one event and complete once another has begun.
   *
   * @returns A handle whose `remove()` takes it off.
   */
  subscribe(listener: (event: RecordedEvent) => void): { remove(): void } {
    assertFunction("subscribe to a recorder", listener, "listener");
    const own = (event: RecordedEvent) => listener(event);
    this.#listeners.add(own);
    return { remove: () => void this.#listeners.delete(own) };
  }

  /**
   * The channel whose running mean lies furthest from that of the last batch, in running standard deviations;
   * `null` before the first forward pass.
   */
  worstDrift(): { readonly layer: string; readonly channel: number; readonly z: number } | null {
    let worst: { layer: string; channel: number; z: number } | null = null;
    for (const watched of this.#watched.values()) {
      const found = watched.worst();
      if (found === null) continue;
      const z = numberOf(found.z);
      if (worst === null || !(Math.abs(z) <= Math.abs(worst.z))) {
        worst = { layer: watched.path, channel: found.channel, z };
      }
    }
    return worst;
  }

  /** The record as it is now. */
  toJSON(part: RecordPart | string = {}): RunRecord {
    // JSON.stringify hands over a key.
    const since = typeof part === "string" ? -1 : part.since ?? -1;
    const { title, every } = this.#settings;
    const layers = [...this.#watched.values()];
    const most = Math.max(1, Math.min(SHOWN, Math.floor(64 / Math.max(1, layers.length))));
    return {
      v: 1,
      title,
      every,
      steps: this.#steps,
      forwards: this.#forwards,
      events: this.#count,
      layers: layers.map((watched) => watched.toJSON(most, since)),
      marks: { forward: this.#forwardMarks.events(since), step: this.#stepMarks.events(since) },
      modes: [...this.#spans.values()].flat().map((span) => ({ ...span })),
      metrics: [...this.#metrics].map(([name, { unit, lane }]): MetricRecord => {
        const { at, values } = lane.series(0, [0], since);
        const step = lane.series(1, [0], since).values.map(([step]) => Number(step));
        return { name, unit, at, step, values: values.map(([value]) => value) };
      }),
      writes: [...this.#writes],
      health: healthReport(this.#model).map(({ name, code, message }) => ({
        layer: name,
        code,
        message,
      })),
      audit: [...this.#audits.values()],
      ...(this.#tape === null ? {} : { tape: this.#tape }),
      warnings: [...this.#warnings],
    };
  }

  /** What a notebook shows: the sentence and the matrix. */
  [Symbol.for("Jupyter.display")](): NotebookOutput {
    return notebookOutput(this.toJSON());
  }

  /** Ends the recording; what was recorded stays. */
  stop(): this {
    for (const handle of this.#handles.splice(0)) handle.remove();
    return this;
  }

  /** {@linkcode stop}, for `using`. */
  [Symbol.dispose](): void {
    this.stop();
  }
}

function modeOf(layer: BatchNorm): LayerMode {
  if (layer.frozen) return "frozen";
  if (!layer.training) return "eval";
  return isGradEnabled() ? "train" : "noGrad";
}
