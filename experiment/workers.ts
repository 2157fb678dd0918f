/**
 * Runs tasks on several workers at once.
 */
import type { Experiment } from "./experiment.ts";
import type { Task, Watch } from "./execute.ts";
import type { EndEvent } from "./record/record.ts";
import type { Order, Report } from "./worker.ts";

/** One worker, and the task that it is at. */
class Hand {
  readonly #worker: Worker;
  #running: { readonly task: Task; end(event: EndEvent): void } | null = null;
  readonly ready: Promise<void>;

  constructor(
    module: string,
    { fixed }: Experiment,
    { onEvent, record }: Pick<Watch, "onEvent" | "record">,
  ) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if (data.kind === "ready") return resolve();
        if (data.kind === "unable") return reject(new Error(data.error));
        onEvent(data.event);
        if (data.event.t === "end") this.#end(data.event);
      };
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
        // The worker is lost, and with it the run, as a failed one.
        const lost = this.#running === null ? null : failed(this.#running.task, event.message);
        if (lost === null) return;
        onEvent(lost);
        this.#end(lost);
      };
    });
    this.#tell({ kind: "open", module, fixed, record });
  }

  #tell(order: Order): void {
    this.#worker.postMessage(order);
  }

  #end(event: EndEvent): void {
    const running = this.#running;
    this.#running = null;
    running?.end(event);
  }

  run(task: Task): Promise<EndEvent> {
    return new Promise((end) => {
      this.#running = { task, end };
      this.#tell({ kind: "run", task });
    });
  }

  stop(): void {
    this.#tell({ kind: "stop" });
  }

  close(): void {
    this.#worker.terminate();
  }
}

function failed({ id }: Task, error: string): EndEvent {
  const seconds = { train: 0, evaluate: 0 };
  const alone = false;
  return { t: "end", id, state: "failed", summary: {}, seconds, alone, error, warnings: {} };
}

/**
 * Runs tasks on `count` workers. What a run comes to depends on its config and seed alone, so that the
 * number of workers changes no result.
 *
 * @throws {TypeError} if nobody knows which module defines the experiment.
 */
export async function runOnWorkers(
  count: number,
  experiment: Experiment,
  tasks: readonly Task[],
  { onEvent, signal, failFast, record }: Omit<Watch, "alone"> & { readonly failFast: boolean },
): Promise<void> {
  const { module, name } = experiment;
  if (module === null) {
    throw new TypeError(
      `Cannot run ${name} on workers: got an experiment of an unknown module, expected it to be ` +
        `given as module: import.meta.url`,
    );
  }
  const waiting = [...tasks];
  const hands = new Set<Hand>();
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    for (const hand of hands) hand.stop();
  };
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) isOver = true;
  const work = async (): Promise<void> => {
    let hand: Hand | null = null;
    try {
      while (!isOver && waiting.length > 0) {
        if (hand === null) {
          hand = new Hand(module, experiment, { onEvent, record });
          hands.add(hand);
          await hand.ready;
          continue;
        }
        const end: EndEvent = await hand.run(waiting.shift()!);
        if (end.state !== "failed") continue;
        if (failFast) stop();
        // What the run has left behind is not known: the next one starts in a new worker.
        hand.close();
        hands.delete(hand);
        hand = null;
      }
    } finally {
      hand?.close();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(count, tasks.length) }, work));
  } finally {
    isOver = true;
    signal?.removeEventListener("abort", stop);
    for (const hand of hands) hand.close();
  }
}
