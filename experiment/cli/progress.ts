/**
 * What is shown while runs go on: on a terminal a block that is redrawn, elsewhere a line for each run that
 * has ended. Errors and what the library warned of are told in both.
 */
import { describeConfig } from "../expectations.ts";
import { terminal } from "../host.ts";
import type { EndEvent, RunEvent } from "../record/record.ts";
import { formatMetric } from "../table.ts";
import { Block } from "./block.ts";
import { duration } from "./duration.ts";
import type { Tally } from "./tally.ts";

/** Tells of runs on standard error. */
export class Progress {
  readonly #tally: Tally;
  readonly #block: Block | null;

  constructor(tally: Tally) {
    this.#tally = tally;
    const { done, total } = tally;
    if (done > 0) console.error(`${done} of ${total} runs have ended before.`);
    const screen = done < total ? terminal() : null;
    this.#block = screen === null ? null : new Block(screen, tally);
    this.#block?.draw({ now: true });
  }

  /** Hears of an event. */
  note(event: RunEvent): void {
    this.#tally.note(event);
    if (this.#block !== null) {
      const error = event.t === "end" ? event.error : null;
      this.#block.draw({ now: event.t === "end", ...(error !== null && { above: error }) });
      return;
    }
    if (event.t !== "end") return;
    console.error(this.#lineOf(event));
    if (event.error !== null) console.error(event.error);
  }

  #lineOf({ id, state, summary }: EndEvent): string {
    const { experiment: { metrics, fixed }, done, total, secondsLeft } = this.#tally;
    const numbers = state === "completed"
      ? Object.entries(metrics).filter(([name]) => name in summary)
        .map(([name, metric]) => `${name} ${formatMetric(summary[name], metric)}`).join(", ")
      : state;
    const { config, seed } = this.#tally.startOf(id)!;
    const own = Object.fromEntries(Object.entries(config).filter(([name]) => !(name in fixed)));
    const left = done === total || secondsLeft === null ? "" : `  (${duration(secondsLeft)} left)`;
    return `${done}/${total}  ${describeConfig(own)}, seed ${seed}: ${numbers}${left}`;
  }

  /** Says what there is left to say. */
  close(): void {
    this.#block?.draw({ now: true });
    for (const [code, { count, runs, message }] of this.#tally.warnings) {
      console.error(`Warning [${code}], ${count} times in ${runs} runs: ${message}`);
    }
  }
}
