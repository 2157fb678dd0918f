/**
 * Training experiments: many small runs over configs and seeds, recorded so that nothing is lost, and
 * compared honestly.
 *
 * @example
 * ```ts
 * import { experiment, grid, run } from "@tapegrad/tapegrad/experiment";
 * import { nn, randn } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const sizes = experiment({
 *   name: "noise-of-means",
 *   claim: "The mean of a larger batch is less noisy",
 *   configs: grid({ batch: [4, 256] }),
 *   seeds: 5,
 *   metrics: { error: { goal: "min" } },
 *   *run({ config, generator }) {
 *     const bn = new nn.BatchNorm1d(1, { momentum: 1 });
 *     bn.forward(randn([config.batch, 1], { generator: generator("data") }));
 *     yield { step: 1, metrics: { error: Math.abs(bn.runningMean!.item()) } };
 *   },
 * });
 * const results = await run(sizes);
 * const [small, large] = results.groups().map((group) => results.valuesOf(group, "error"));
 * assert(Math.max(...large) < Math.max(...small));
 * ```
 *
 * @module
 */
export {
  type Clock,
  type Experiment,
  experiment,
  type ExperimentOptions,
  type MetricOptions,
  type Metrics,
  type Observation,
  type QuickForm,
  type Returned,
  type RunContext,
  type SetupContext,
  type StepContext,
  type SyncRun,
} from "./experiment.ts";
export type { BatchNormState } from "./batch_norm_state.ts";
export { benchSteps, type BenchTimes, type DenoBench } from "./deno_bench.ts";
export { type Expectation, less, more, type Outcome, within } from "./expectations.ts";
export { loadResults } from "./record/load.ts";
export { main } from "./cli/main.ts";
export type {
  EndEvent,
  ObserveEvent,
  RunEvent,
  RunState,
  StartEvent,
  WarningCount,
} from "./record/record.ts";
export {
  type ExperimentInfo,
  type Group,
  Results,
  type ResultsReportOptions,
  type RunResult,
} from "./results.ts";
export { run, type RunOptions } from "./runner.ts";
export * from "./space.ts";
export * from "./statistics/mod.ts";
export type { TableFormat } from "./table.ts";
