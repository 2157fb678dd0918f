/**
 * Who moved what, in all layers together: the matrix and the sentence that every page begins with.
 */
import type { Mover, MoverTable, RunRecord } from "./run_record.ts";

/** How often and how far. */
export interface Moves {
  /** How often a tensor moved. */
  readonly count: number;
  /** The sum of the root mean squares of the changes. */
  readonly distance: number;
}

/** Rows *learned* (γ, β) and *tracked* (running mean, variance), columns by mover. */
export interface Ledger {
  /** γ and β. */
  readonly learned: Readonly<Record<Mover, Moves>>;
  /** The running mean and variance. */
  readonly tracked: Readonly<Record<Mover, Moves>>;
}

const MOVERS: readonly Mover[] = ["step", "forward", "other"];

function assertRecord(action: string, record: unknown): void {
  const { layers } = (record ?? {}) as Partial<RunRecord>;
  const isRecord = Array.isArray(layers) &&
    layers.every((layer) => layer?.counts !== undefined && layer.distance !== undefined);
  if (isRecord) return;
  throw new TypeError(
    `Cannot ${action}: got ${
      record === null ? "null" : typeof record
    }, expected what a recorder's toJSON gives`,
  );
}

/**
 * The 2 × 2 matrix of a run, with a third column for writes that were neither.
 *
 * @example
 * ```ts
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { ledgerOf, record } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const sgd = new optim.SGD(bn.parameters(), { lr: 0.1 });
 * const recorder = record(bn, sgd);
 * bn.forward(randn([8, 3])).square().sum().backward();
 * sgd.step();
 * const { learned, tracked } = ledgerOf(recorder.toJSON());
 * assertEquals([learned.step.count, learned.forward.count], [2, 0]);
 * assertEquals([tracked.step.count, tracked.forward.count], [0, 2]);
 * ```
 */
export function ledgerOf(record: RunRecord): Ledger {
  assertRecord("sum a record up", record);
  const row = (name: keyof MoverTable): Record<Mover, Moves> => {
    const cells = MOVERS.map((mover) => {
      let count = 0;
      let distance = 0;
      for (const layer of record.layers) {
        count += layer.counts[name][mover];
        distance += layer.distance[name][mover];
      }
      return [mover, { count, distance }];
    });
    return Object.fromEntries(cells);
  };
  return { learned: row("learned"), tracked: row("tracked") };
}

/**
 * The first sentence of every page: what learned and what was tracked, by what, in numbers.
 *
 * @example
 * ```ts
 * import { nn, optim } from "@tapegrad/tapegrad";
 * import { record, sentenceOf } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const recorder = record(bn, new optim.SGD(bn.parameters()));
 * assertEquals(
 *   sentenceOf(recorder.toJSON()),
 *   "In 0 steps the optimizer moved γ and β 0 times, and forward passes moved them 0 times. Forward " +
 *     "passes moved the running mean and variance 0 times, and the optimizer moved them 0 times.",
 * );
 * ```
 */
export function sentenceOf(record: RunRecord): string {
  assertRecord("sum a record up", record);
  if (record.layers.length === 0) {
    return "There is no BatchNorm in this model: nothing in it is merely tracked.";
  }
  const { learned, tracked } = ledgerOf(record);
  const sentence = `In ${counted(record.steps, "step")} the optimizer moved γ and β ` +
    `${counted(learned.step.count, "time")}, and forward passes moved them ` +
    `${
      counted(learned.forward.count, "time")
    }. Forward passes moved the running mean and variance ` +
    `${counted(tracked.forward.count, "time")}, and the optimizer moved them ` +
    `${counted(tracked.step.count, "time")}.`;
  const others = learned.other.count + tracked.other.count;
  return others === 0
    ? sentence
    : `${sentence} Other writes moved them ${counted(others, "time")}.`;
}

/** `1 step`, `2,000 steps` */
function counted(count: number, what: string): string {
  const digits = String(count).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${digits} ${what}${count === 1 ? "" : "s"}`;
}
