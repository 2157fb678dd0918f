/**
 * The line that shows an epoch while it is trained.
 */
// @ts-types="npm:@types/cli-progress@3.11.6"
import cliProgress from "npm:cli-progress@3.12.0";
import type { Score } from "./training.ts";

/** What the line tells. */
export interface Telling {
  /** Of the batches of this epoch so far. */
  readonly trained: Score;
  /** After the epoch before; `null` in the first. */
  readonly tested: Score | null;
  /** The channel whose running mean lags furthest behind the batch, in running standard deviations. */
  readonly drift: { readonly layer: string; readonly channel: number; readonly z: number } | null;
}

/** What is known of an epoch that goes on. */
export interface Progress extends Telling {
  readonly epoch: string;
  readonly step: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** To the end of the run. */
  readonly secondsLeft: number;
}

const LONGEST_BAR = 24;
const SHORTEST_BAR = 5;

function share(accuracy: number): string {
  return `${(100 * accuracy).toFixed(1)} %`;
}

function time(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/** The line, no longer than `columns`: what matters least is left out first. */
export function progressLine(progress: Progress, columns: number): string {
  const { epoch, step, steps, trained, tested, drift } = progress;
  const head = `epoch ${epoch} `;
  const count = ` ${String(step).padStart(String(steps).length)}/${steps}`;
  // In the order of their importance, and the place where each stands.
  const parts: [place: number, text: string][] = [[1, `train ${share(trained.accuracy)}`]];
  if (tested !== null) parts.push([2, `test ${share(tested.accuracy)}`]);
  if (drift !== null) {
    parts.push([3, `drift ${drift.layer}[${drift.channel}] ${Math.abs(drift.z).toFixed(1)} σ`]);
  }
  parts.push([5, `${time(progress.secondsLeft)} left`], [0, `loss ${trained.loss.toFixed(3)}`]);
  parts.push([4, `${Math.round(progress.stepsPerSecond)} steps/s`]);
  // The last column stays free: a terminal would begin a new line there.
  let room = columns - 1 - head.length - count.length - SHORTEST_BAR;
  const kept: typeof parts = [];
  for (const part of parts) {
    if (part[1].length + 2 > room) break;
    room -= part[1].length + 2;
    kept.push(part);
  }
  const bar = Math.min(LONGEST_BAR, SHORTEST_BAR + Math.max(0, room));
  const done = Math.round(bar * step / steps);
  const texts = kept.sort(([a], [b]) => a - b).map(([, text]) => `  ${text}`);
  return `${head}${"█".repeat(done)}${"░".repeat(bar - done)}${count}${texts.join("")}`;
}

interface Place {
  readonly value: number;
  readonly total: number;
}

interface Payload {
  readonly telling: Telling | null;
}

/** Draws the line for one epoch after the other; nothing where no terminal is. */
export class ProgressBar {
  readonly isShown = Deno.stderr.isTerminal();
  #bar: cliProgress.SingleBar | null = null;
  #began = 0;
  #first = 0;

  /**
   * Begins an epoch, perhaps in its middle.
   *
   * @param later How many steps the epochs after it have.
   */
  start(epoch: string, steps: number, step: number, later: number): void {
    if (!this.isShown) return;
    this.#began = performance.now();
    this.#first = step;
    this.#bar = new cliProgress.SingleBar({
      hideCursor: true,
      format: (_: unknown, { value, total }: Place, { telling }: Payload) => {
        if (telling === null) return `epoch ${epoch}`;
        const seconds = (performance.now() - this.#began) / 1000;
        const stepsPerSecond = (value - this.#first) / seconds;
        return progressLine({
          ...telling,
          epoch,
          step: value,
          steps: total,
          stepsPerSecond,
          secondsLeft: (total - value + later) / stepsPerSecond,
        }, Deno.consoleSize().columns);
      },
    }, cliProgress.Presets.shades_classic);
    this.#bar.start(steps, step, { telling: null });
  }

  /** Takes a step further. */
  step(telling: Telling): void {
    this.#bar?.increment(1, { telling });
  }

  /** Ends the epoch. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}
