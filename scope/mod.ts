/**
 * `scope`: seeing what learns and what is merely tracked.
 *
 * @example
 * ```ts
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { ledgerOf, record } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const net = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
 * const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
 * const recorder = record(net, sgd);
 * for (let step = 0; step < 5; step++) {
 *   sgd.zeroGrad();
 *   net.forward(randn([16, 4])).square().sum().backward();
 *   sgd.step();
 * }
 * assertEquals(ledgerOf(recorder.stop().toJSON()).tracked.step.count, 0);
 * ```
 *
 * @module
 */
export { formatChanges } from "./causes.ts";
export * from "./ledger.ts";
export type { NotebookOutput } from "./notebook.ts";
export * from "./run_record.ts";
export { record } from "./record.ts";
export { type RecordedEvent, Recorder, type RecordOptions, type RecordPart } from "./recorder.ts";
export { Tape, tapeOf, type TapeOptions } from "./tape/tape_of.ts";
export type { TapeCall, TapeGroup, TapeInput, TapeLeaf, TapeRecord } from "./tape/tape_record.ts";
