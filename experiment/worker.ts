/**
 * What runs in a worker: the experiment of a module, task by task. The thread that started it alone writes
 * files; here events are only told.
 *
 * @module
 */
import { kernels } from "../mod.ts";
import { definedIn, type Experiment, isExperiment } from "./experiment.ts";
import { execute, type Task } from "./execute.ts";
import type { RunEvent } from "./record/record.ts";
import type { Config } from "./space.ts";

/** What a worker is told. */
export type Order =
  | {
    readonly kind: "open";
    readonly module: string;
    readonly fixed: Config;
    readonly record: boolean;
  }
  | { readonly kind: "run"; readonly task: Task }
  | { readonly kind: "stop" };

/** What it tells: that it is ready, an event, or why it cannot work. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "unable"; readonly error: string };

const scope = globalThis as unknown as {
  onmessage: ((message: MessageEvent<Order>) => void) | null;
  postMessage(report: Report): void;
};

const stop = new AbortController();
let experiment: Experiment | null = null;
let data: unknown;
let record = false;

async function open(module: string, fixed: Config): Promise<void> {
  const found: unknown = (await import(module)).default;
  experiment = isExperiment(found) ? found : definedIn(module);
  if (experiment === null) {
    throw new TypeError(
      `Cannot run on workers: got ${module} without an experiment, expected it as default export`,
    );
  }
  await kernels.ready;
  data = await experiment.setup({ fixed });
}

scope.onmessage = async ({ data: order }) => {
  if (order.kind === "stop") return stop.abort();
  if (order.kind === "run") {
    const onEvent = (event: RunEvent): void => scope.postMessage({ kind: "event", event });
    const watch = { onEvent, signal: stop.signal, alone: false, record };
    await execute(experiment!, order.task, data, watch);
    return;
  }
  try {
    record = order.record;
    await open(order.module, order.fixed);
    scope.postMessage({ kind: "ready" });
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? String(error) : String(error);
    scope.postMessage({ kind: "unable", error: text });
  }
};
