/**
 * The recorder: looks on while a model trains and keeps what moved, by what, and how far.
 */
import {
  assertFunction,
  assertOptions,
  type BatchMoments,
  describe,
  type Known,
} from "../autograd/internal.ts";
import { isGradEnabled, type Tensor } from "../autograd/mod.ts";
import { assertModule } from "../nn/module/arguments.ts";
import { auditTrainEval, BatchNorm, healthReport, type Module } from "../nn/mod.ts";
import { Optimizer } from "../optim/mod.ts";
import { Lane } from "./lane.ts";
import {
  type AuditRecord,
  jsonNumber,
  type LayerMode,
  type MetricRecord,
  type ModeSpan,
  type Mover,
  QUANTITIES,
  type Quantity,
  type RunRecord,
  type Series,
  type Writer,
  type WriteRecord,
} from "./run_record.ts";
import { watchNorms } from "./watchers.ts";
import { WatchedLayer } from "./watched_layer.ts";

/** Options of {@linkcode record}. */
export interface RecordOptions {
  /** What the run is called. */
  readonly title?: string;
  /** Draw every so-manieth step; all are counted. */
  readonly every?: number;
  /** Which channels have series: the four with the worst drift in each layer, some, or all. */
  readonly channels?: "worst" | "all" | readonly number[];
  /** Whether the lines are kept that run forwards, step and write; that costs time. */
  readonly callSites?: boolean;
}

const KNOWN: Known<RecordOptions> = ["title", "every", "channels", "callSites"];

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

/**
 * Records a model in training. Nothing that it computes changes: the losses are the same to the last bit.
 *
 * Each forward of a BatchNorm, each step of the optimizer, and each write from elsewhere is compared with
 * the state before it. A deep copy of the model is another model and is not recorded.
 *
 * @param model The model; its BatchNorms are recorded, those that it holds now.
 * @param optimizer The one that moves it; `null` for none.
 * @param options every = 1, channels = "worst", callSites = false.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
 *
 * @example
 * ```ts
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { record, sentenceOf } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const sgd = new optim.SGD(bn.parameters(), { lr: 0.1 });
 * const recorder = record(bn, sgd, { title: "one step" });
 * bn.forward(randn([8, 3])).square().sum().backward();
 * sgd.step();
 * recorder.stop();
 * assertEquals(
 *   sentenceOf(recorder.toJSON()),
 *   "In 1 step the optimizer moved γ and β 2 times and forward passes 0 times. Forward passes moved " +
 *     "the running mean and variance 2 times and the optimizer 0 times.",
 * );
 * ```
 */
export function record(
  model: Module,
  optimizer: Optimizer | null,
  options: RecordOptions = {},
): Recorder {
  const action = "record";
  assertModule(action, "model", model);
  if (optimizer !== null && !(optimizer instanceof Optimizer)) {
    throw new TypeError(
      `Cannot ${action}: got optimizer ${describe(optimizer)}, expected an Optimizer or null`,
    );
  }
  assertOptions(action, options, KNOWN);
  const { title = "", every = 1, channels = "worst", callSites = false } = options;
  if (typeof title !== "string") {
    throw new TypeError(`Cannot ${action}: got title ${describe(title)}, expected a string`);
  }
  if (!Number.isInteger(every) || every < 1) {
    throw new RangeError(
      `Cannot ${action}: got every ${describe(every)}, expected an integer of at least 1`,
    );
  }
  const isList = Array.isArray(channels) && channels.every((c) => Number.isInteger(c) && c >= 0);
  if (channels !== "worst" && channels !== "all" && !isList) {
    throw new RangeError(
      `Cannot ${action}: got channels ${
        describe(channels)
      }, expected "worst", "all" or a list of ` +
        `channels`,
    );
  }
  return new Recorder(model, optimizer, { title, every, channels, callSites });
}

/** A recording in progress; made by {@linkcode record}. */
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
  #count = 0;
  #forwards = 0;
  #steps = 0;
  #inStep = false;
  /** While the recorder itself runs the model. */
  #isPaused = false;
  /** The layers that the forward pass in progress has run; `null` between passes. */
  #pass: Set<BatchNorm> | null = null;

  /** @internal */
  constructor(model: Module, optimizer: Optimizer | null, settings: Required<RecordOptions>) {
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
        if (!this.#isPaused) this.#lookAround(this.#watched.get(layer)!);
      },
      after: (layer, moments) => {
        if (!this.#isPaused) this.#noteForward(this.#watched.get(layer)!, moments);
      },
    }));
    if (optimizer === null) return;
    this.#handles.push(
      optimizer.registerStepPreHook(() => {
        for (const layer of this.#watched.values()) this.#lookAround(layer);
        this.#inStep = true;
      }),
      optimizer.registerStepPostHook(() => this.#noteStep()),
    );
  }

  /** How many events there have been: forward passes, steps, and writes from elsewhere. */
  get events(): number {
    return this.#count;
  }

  /** How many optimizer steps there have been. */
  get stepCount(): number {
    return this.#steps;
  }

  /** Books what has changed since the last event, and was neither a forward nor a step. */
  #lookAround(watched: WatchedLayer): void {
    const mover: Mover = this.#inStep ? "step" : "other";
    watched.book(
      mover,
      mover === "other"
        ? (name, distance) => {
          if (this.#writes.at(-1)?.at !== this.#count) this.#next("write");
          this.#noteWrite(watched, name, "edit", distance);
        }
        : null,
    );
  }

  #noteWrite(watched: WatchedLayer, name: string, by: Writer, distance: number): void {
    const [writes, at] = [this.#writes, this.#count];
    writes.push({ at, layer: watched.path, name, by, distance: jsonNumber(distance) });
    if (writes.length > MOST_WRITES) writes.shift();
    watched.drawLearned(at);
    watched.drawTracked(at);
  }

  #next(kind: RecordedEvent["kind"]): void {
    this.#count++;
    if (kind !== "forward") this.#pass = null;
    this.#tell(kind);
  }

  #tell(kind: RecordedEvent["kind"]): void {
    for (const listener of this.#listeners) {
      listener({ at: this.#count, kind, steps: this.#steps });
    }
  }

  #noteForward(watched: WatchedLayer, moments: readonly (BatchMoments | null)[]): void {
    const { layer } = watched;
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
    this.#noteMode(watched, mode);
    watched.absorb(at, moments, draw);
    watched.book("forward", null);
    if (draw) watched.drawTracked(at);
  }

  #noteMode(watched: WatchedLayer, mode: LayerMode): void {
    const spans = this.#spans.get(watched) ?? [];
    this.#spans.set(watched, spans);
    const last = spans.at(-1);
    if (last?.mode === mode) {
      last.to = this.#count;
      return;
    }
    spans.push({ layer: watched.path, from: this.#count, to: this.#count, mode });
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
    for (const watched of this.#watched.values()) {
      watched.book("step", null);
      if (draw) watched.drawLearned(this.#count);
    }
    if (this.#steps % 64 === 0) this.#makeRoom();
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
   * Calls `listener` after each event and metric.
   *
   * @returns A handle whose `remove()` takes it off.
   */
  subscribe(listener: (event: RecordedEvent) => void): { remove(): void } {
    assertFunction("subscribe to a recorder", listener, "listener");
    const own = (event: RecordedEvent) => listener(event);
    this.#listeners.add(own);
    return { remove: () => void this.#listeners.delete(own) };
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
      warnings: [...this.#warnings],
    };
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
