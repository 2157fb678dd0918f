/**
 * One run: its clock, its streams of random numbers, its end.
 */
import { manualSeed, onWarning, type Warning } from "../mod.ts";
import { type BatchNormState, Recorders } from "./batch_norm_state.ts";
import type { Clock, Experiment, Metrics, RunContext } from "./experiment.ts";
import type { EndEvent, RunEvent, RunState, WarningCount } from "./record/record.ts";
import type { Config } from "./space.ts";
import { streamsOf } from "./streams.ts";

/** One config with one seed. */
export interface Task {
  /** Its identity. */
  readonly id: string;
  /** The config, `fixed` included. */
  readonly config: Config;
  /** The seed. */
  readonly seed: number;
}

/** How long a run may go without looking at signals. */
const TURN_MS = 50;

class RunClock implements Clock {
  #train = 0;
  #evaluate = 0;
  #since: number | null = null;
  #paused = 0;

  start(): void {
    this.#since = performance.now();
  }

  stop(): void {
    if (this.#since !== null) this.#train += performance.now() - this.#since;
    this.#since = null;
  }

  get seconds(): number {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return (this.#train + running) / 1000;
  }

  get evaluation(): number {
    return this.#evaluate / 1000;
  }

  pausedWhile<T>(fn: () => T): T {
    if (this.#paused++ === 0) this.stop();
    const since = performance.now();
    const go = () => {
      if (--this.#paused > 0) return;
      this.#evaluate += performance.now() - since;
      this.start();
    };
    let result: T;
    try {
      result = fn();
    } catch (error) {
      go();
      throw error;
    }
    if (result instanceof Promise) return result.finally(go) as T;
    go();
    return result;
  }
}

/** The metrics that were measured. */
function measured(metrics: Readonly<Record<string, number | undefined>>): Metrics {
  const entries = Object.entries(metrics).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Metrics;
}

function allFinite(metrics: Metrics): boolean {
  return Object.values(metrics).every(Number.isFinite);
}

/** What a run reports to. */
export interface Watch {
  /** Hears of every event. */
  readonly onEvent: (event: RunEvent) => void;
  /** Stops between two observations. */
  readonly signal?: AbortSignal;
  /** Whether nothing else runs beside it. */
  readonly alone: boolean;
  /** Whether networks are recorded that the run hands over. */
  readonly record: boolean;
}

/** Runs one task to its end. Whatever happens in it becomes part of the end. */
export async function execute(
  experiment: Experiment,
  { id, config, seed }: Task,
  data: unknown,
  { onEvent, signal, alone, record }: Watch,
): Promise<EndEvent> {
  const clock = new RunClock();
  const warnings: Record<string, WarningCount> = {};
  let summary: Metrics = {};
  let state: RunState = "completed";
  let error: string | null = null;
  const recorders = new Recorders();
  let batchNorm: readonly BatchNormState[] = [];
  const context: RunContext<Config, unknown> = {
    config,
    seed,
    data,
    clock,
    ...(record && { record: recorders.record }),
    generator: streamsOf(seed),
  };
  const restore = onWarning(({ code, message }: Warning) => {
    warnings[code] = {
      count: (warnings[code]?.count ?? 0) + 1,
      message: warnings[code]?.message ?? message,
    };
  });
  onEvent({ t: "start", id, config, seed, at: new Date().toISOString() });
  manualSeed(seed);
  let turned = performance.now();
  try {
    const steps = experiment.run(context);
    for (;;) {
      // A run that never waits would keep signals and messages waiting until its end.
      if (performance.now() - turned > TURN_MS) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        turned = performance.now();
      }
      clock.start();
      const { done, value } = await steps.next();
      clock.stop();
      if (done) {
        if (value) summary = { ...summary, ...measured(value) };
        if (!allFinite(summary)) state = "diverged";
        break;
      }
      const { step, loss } = value;
      const metrics = measured(value.metrics ?? {});
      summary = { ...summary, ...metrics };
      if (Object.keys(metrics).length > 0) {
        onEvent({ t: "observe", id, step, metrics, seconds: clock.seconds });
      }
      if (!allFinite(metrics) || (loss !== undefined && !Number.isFinite(loss))) {
        state = "diverged";
      } else if (signal?.aborted) {
        state = "stopped";
      }
      if (state !== "completed") {
        await steps.return(undefined);
        break;
      }
    }
  } catch (thrown) {
    clock.stop();
    state = "failed";
    error = thrown instanceof Error ? thrown.stack ?? String(thrown) : String(thrown);
  } finally {
    batchNorm = recorders.stop();
    restore();
  }
  const seconds = { train: clock.seconds, evaluate: clock.evaluation };
  const end: EndEvent = {
    t: "end",
    id,
    state,
    summary,
    seconds,
    alone,
    error,
    warnings,
    ...(batchNorm.length > 0 && { batchNorm }),
  };
  onEvent(end);
  return end;
}
