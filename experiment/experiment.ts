/**
 * An experiment: a claim, the configs and seeds that test it, and what is measured.
 */
import { assertIterable, assertOptions, describe, show } from "../autograd/internal.ts";
import type { Generator, nn, optim } from "../mod.ts";
import type { Recorder } from "../scope/mod.ts";
import type { Expectation } from "./expectations.ts";
import type { Config, Space } from "./space.ts";

/** What is measured. */
export interface MetricOptions {
  /** Whether more is better, less is better, or neither. */
  readonly goal: "max" | "min" | "none";
  /** `"%"` shows shares of 1 as percent; any other unit stands behind the number. */
  readonly unit?: string;
  /** What counts as reached, for the time to get there. */
  readonly target?: number;
}

/** Metrics by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What a run yields on its way. */
export interface Observation {
  /** Where the run is: an epoch or a step, as the experiment counts. */
  readonly step: number;
  /** What was measured there. */
  readonly metrics?: Readonly<Record<string, number | undefined>>;
  /** The loss; a run whose loss is not finite ends here, as diverged. */
  readonly loss?: number;
}

/** Keeps training and evaluation apart. */
export interface Clock {
  /** Seconds of training so far: without evaluations, and without the time that the runner takes. */
  readonly seconds: number;
  /** Runs `fn` while the clock of training stands; a promise is waited for. */
  pausedWhile<T>(fn: () => T): T;
}

/** What a run is given. */
export interface RunContext<C, D> {
  /** The config, `fixed` included. */
  readonly config: C;
  /** The seed; `manualSeed` has been called with it. */
  readonly seed: number;
  /** What `setup` returned. */
  readonly data: D;
  /** The stream of random numbers of a purpose: the same for the same seed in every config. */
  generator(purpose: string): Generator;
  /** The clock of the run. */
  readonly clock: Clock;
  /**
   * Watches a network while it is trained, for the report's panel of its batch norm layers; there only if
   * someone asked for it. The recorder's `audit(x)` tells how far training and evaluation are apart.
   */
  readonly record?: (model: nn.Module, optimizer: optim.Optimizer) => Recorder;
}

/** What a step of a benchmark is given. */
export type StepContext<C, D> = Pick<RunContext<C, D>, "config" | "seed" | "data" | "generator">;

/** What `setup` is given. */
export interface SetupContext {
  /** What all configs share, as it was set for this call. */
  readonly fixed: Config;
}

/** The shorter form of an experiment, for tests of the library. */
export interface QuickForm {
  /** How many seeds. */
  readonly seeds?: number;
  /** What differs in `fixed`. */
  readonly fixed?: Config;
  /** Which configs; all of them where left out. */
  readonly where?: (config: Config) => boolean;
}

/** What an experiment is made of. */
export interface ExperimentOptions<C extends object, F extends Config, D> {
  /** Its name: a folder's and a command's; small letters, digits and hyphens. */
  readonly name: string;
  /** What it is about to show, in one sentence. */
  readonly claim: string;
  /** Where the claim comes from. */
  readonly source?: string;
  /** Goes up when the meaning of a run changes although its config does not. */
  readonly version?: number;
  /** The configs that are compared. */
  readonly configs: Space<C>;
  /** What is the same in all configs. */
  readonly fixed?: F;
  /** How many seeds, counted from 0, or which; the same in every config. */
  readonly seeds?: number | readonly number[];
  /** What is measured, by name. */
  readonly metrics: Readonly<Record<string, MetricOptions>>;
  /** The shorter form. */
  readonly quick?: QuickForm;
  /** The module that exports the experiment as default, for workers; found by itself as a rule. */
  readonly module?: string;
  /** Runs once in each worker before its first run, and is never timed. */
  setup?(context: SetupContext): D | Promise<D>;
  /** One run: yields observations, and returns metrics of the whole. */
  run(
    context: RunContext<C & F, D>,
  ): SyncRun<Observation, Returned> | AsyncGenerator<Observation, Returned>;
  /** Prepares one training step, to be timed by `benchSteps`. */
  step?(context: StepContext<C & F, D>): () => void;
  /** What has to hold of the results. */
  readonly expect?: readonly Expectation[];
}

/** What a run may return: metrics of the whole. */
export type Returned = Readonly<Record<string, number | undefined>> | void;

/** A run that never waits; the name Generator is that of random numbers here. */
export type SyncRun<T, R> = globalThis.Generator<T, R, undefined>;

/** An experiment that was checked and can be run. */
export interface Experiment<C = Config, D = unknown> {
  /** Its name. */
  readonly name: string;
  /** What it is about to show. */
  readonly claim: string;
  /** Where the claim comes from. */
  readonly source: string;
  /** The version of its definition. */
  readonly version: number;
  /** The configs, `fixed` not included. */
  readonly configs: readonly Config[];
  /** What is the same in all configs. */
  readonly fixed: Config;
  /** The seeds. */
  readonly seeds: readonly number[];
  /** What is measured. */
  readonly metrics: Readonly<Record<string, MetricOptions>>;
  /** The shorter form. */
  readonly quick: QuickForm;
  /** The URL of the module that defines it; `null` if it is not known. */
  readonly module: string | null;
  /** Runs once before the first run. */
  setup(context: SetupContext): D | Promise<D>;
  /** One run. */
  run(
    context: RunContext<C, D>,
  ): SyncRun<Observation, Returned> | AsyncGenerator<Observation, Returned>;
  /** Prepares one training step; missing if the experiment does not say how. */
  step?(context: StepContext<C, D>): () => void;
  /** What has to hold of the results. */
  readonly expect: readonly Expectation[];
}

// What experiment() made, as opposed to anything else that a module exports.
const made = new WeakSet<object>();

// The last experiment of each module: a module that is still being evaluated cannot import itself.
const byModule = new Map<string, Experiment>();

/** The experiment that a module has defined so far; `null` if there is none. */
export function definedIn(url: string): Experiment | null {
  return byModule.get(url) ?? null;
}

/** Whether a value came from {@linkcode experiment}. */
export function isExperiment(value: unknown): value is Experiment {
  return typeof value === "object" && value !== null && made.has(value);
}

/** Makes an experiment with other values one that came from {@linkcode experiment}, too. */
export function derived(experiment: Experiment): Experiment {
  made.add(experiment);
  return Object.freeze(experiment);
}

/** Throws unless a value came from {@linkcode experiment}. */
export function assertExperiment(action: string, value: unknown): asserts value is Experiment {
  if (isExperiment(value)) return;
  throw new TypeError(
    `Cannot ${action}: got ${describe(value)}, expected what experiment() returned`,
  );
}

const ACTION = "define an experiment";

function refuse(got: string, expected: string): never {
  throw new TypeError(`Cannot ${ACTION}: got ${got}, expected ${expected}`);
}

/** More runs of one config nobody waits for. */
const MOST_SEEDS = 1_000_000;

/** The seeds that a count or a list stands for. */
export function seedsOf(action: string, seeds: number | readonly number[]): readonly number[] {
  const isSeed = (seed: unknown) => Number.isSafeInteger(seed) && (seed as number) >= 0;
  const isCount = typeof seeds === "number" && Number.isInteger(seeds) && seeds >= 1 &&
    seeds <= MOST_SEEDS;
  if (!isCount && !(Array.isArray(seeds) && Array.from(seeds).every(isSeed))) {
    throw new RangeError(
      `Cannot ${action}: got seeds ${
        show(seeds)
      }, expected a count of 1 to ${MOST_SEEDS} or a list ` +
        `of integers from 0 on`,
    );
  }
  const all = typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i) : [...seeds];
  if (all.length === 0) throw new RangeError(`Cannot ${action}: got no seeds, expected at least 1`);
  return [...new Set(all)];
}

function checkMetrics(metrics: unknown): void {
  if (typeof metrics !== "object" || metrics === null || Object.keys(metrics).length === 0) {
    refuse(`metrics ${describe(metrics)}`, "at least one metric by name");
  }
  for (const [name, metric] of Object.entries(metrics as Record<string, MetricOptions>)) {
    assertOptions(`${ACTION}'s metric ${name}`, metric, ["goal", "unit", "target"]);
    if (!["max", "min", "none"].includes(metric.goal)) {
      refuse(`goal ${describe(metric.goal)} of metric ${name}`, `"max", "min" or "none"`);
    }
  }
}

/** The file that called into this room, read from a stack: the first that is not this file. */
function callerModule(): string | null {
  const lines = new Error().stack?.split("\n") ?? [];
  for (const line of lines) {
    const url = /((?:file|https?):\/\/[^\s)]+?):\d+:\d+/.exec(line)?.[1];
    if (url !== undefined && url !== import.meta.url) return url;
  }
  return null;
}

/**
 * Defines an experiment. Nothing runs yet: the configs are listed, and what was given is checked.
 *
 * @param options What it is made of.
 * @throws {TypeError} if something is of the wrong kind.
 * @throws {RangeError} if the name, the seeds or the configs cannot be used.
 *
 * @example
 * ```ts
 * import { experiment, grid, run } from "@tapegrad/tapegrad/experiment";
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const widths = experiment({
 *   name: "widths",
 *   claim: "A wider network fits noise better",
 *   configs: grid({ width: [2, 32] }),
 *   fixed: { steps: 20 },
 *   seeds: 3,
 *   metrics: { loss: { goal: "min" } },
 *   *run({ config, generator }) {
 *     const net = new nn.Sequential(new nn.Linear(4, config.width), new nn.Linear(config.width, 1));
 *     const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
 *     const data = { generator: generator("data") };
 *     const [x, y] = [randn([16, 4], data), randn([16, 1], data)];
 *     for (let step = 1; step <= config.steps; step++) {
 *       const loss = nn.functional.mseLoss(net.forward(x), y);
 *       sgd.zeroGrad();
 *       loss.backward();
 *       sgd.step();
 *       yield { step, loss: loss.item(), metrics: { loss: loss.item() } };
 *     }
 *   },
 * });
 * const results = await run(widths);
 * assertEquals(results.runs.map(({ state }) => state), Array(6).fill("completed"));
 * ```
 */
export function experiment<C extends object, F extends Config = Config, D = undefined>(
  options: ExperimentOptions<C, F, D>,
): Experiment<C & F, D> {
  assertOptions(ACTION, options, [
    "name",
    "claim",
    "source",
    "version",
    "configs",
    "fixed",
    "seeds",
    "metrics",
    "quick",
    "module",
    "setup",
    "run",
    "step",
    "expect",
  ]);
  const { name, claim, configs, metrics } = options;
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    refuse(`name ${describe(name)}`, "small letters, digits and hyphens");
  }
  if (typeof claim !== "string" || claim === "") refuse(`claim ${describe(claim)}`, "a sentence");
  if (typeof options.run !== "function") refuse(`run ${describe(options.run)}`, "a generator");
  checkMetrics(metrics);
  assertIterable(ACTION, configs, "configs", "configs");
  const listed = [...configs] as unknown as Config[];
  if (listed.length === 0) {
    throw new RangeError(`Cannot ${ACTION}: got no configs, expected at least one`);
  }
  const fixed: Config = options.fixed ?? {};
  const both = Object.keys(fixed).find((key) => listed.some((config) => key in config));
  if (both !== undefined) refuse(`${both} in fixed and in configs`, "it in one of them");
  const result: Experiment<C & F, D> = {
    name,
    claim,
    source: options.source ?? "",
    version: options.version ?? 1,
    configs: listed,
    fixed,
    seeds: seedsOf(ACTION, options.seeds ?? 1),
    metrics,
    quick: options.quick ?? {},
    module: options.module ?? callerModule(),
    setup: (context) => options.setup?.(context) as D | Promise<D>,
    run: (context) => options.run(context),
    ...(options.step !== undefined && { step: (context) => options.step!(context) }),
    expect: options.expect ?? [],
  };
  made.add(result);
  if (result.module !== null) byModule.set(result.module, result);
  return Object.freeze(result);
}
