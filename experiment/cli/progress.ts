/**
 * What is shown while runs go on: a line for each that has ended.
 */
import type { Experiment } from "../experiment.ts";
import { describeConfig } from "../expectations.ts";
import type { RunEvent, StartEvent } from "../record.ts";
import { formatMetric } from "../table.ts";

/** A duration as people say it: `40 s`, `3 min`. */
export function duration(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/** Tells of runs on the terminal. */
export class Progress {
  readonly #experiment: Experiment;
  readonly #total: number;
  #done: number;
  readonly #began = performance.now();
  readonly #started = new Map<string, StartEvent>();
  #ended = 0;
  readonly #warnings = new Map<string, { count: number; runs: number; message: string }>();

  /** Begins with so many of all runs done. */
  constructor(experiment: Experiment, total: number, done: number) {
    this.#experiment = experiment;
    this.#total = total;
    this.#done = done;
    if (done > 0) console.error(`${done} of ${total} runs have ended before.`);
  }

  /** Hears of an event. */
  note(event: RunEvent): void {
    if (event.t === "start") this.#started.set(event.id, event);
    if (event.t !== "end") return;
    this.#done++;
    this.#ended++;
    const start = this.#started.get(event.id)!;
    for (const [code, { count, message }] of Object.entries(event.warnings)) {
      const known = this.#warnings.get(code) ?? { count: 0, runs: 0, message };
      known.count += count;
      known.runs++;
      this.#warnings.set(code, known);
    }
    const pace = (performance.now() - this.#began) / 1000 / this.#ended;
    const left = pace * (this.#total - this.#done);
    const numbers = event.state === "completed"
      ? Object.entries(this.#experiment.metrics)
        .filter(([name]) => name in event.summary)
        .map(([name, metric]) => `${name} ${formatMetric(event.summary[name], metric)}`).join(", ")
      : event.state;
    const own = Object.fromEntries(
      Object.entries(start.config).filter(([name]) => !(name in this.#experiment.fixed)),
    );
    console.error(
      `${this.#done}/${this.#total}  ${describeConfig(own)}, seed ${start.seed}: ${numbers}` +
        (this.#done < this.#total ? `  (${duration(left)} left)` : ""),
    );
    if (event.error !== null) console.error(event.error);
  }

  /** Says what there is left to say. */
  close(): void {
    for (const [code, { count, runs, message }] of this.#warnings) {
      console.error(`Warning [${code}], ${count} times in ${runs} runs: ${message}`);
    }
  }
}
