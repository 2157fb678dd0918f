/**
 * Experiments and `deno bench`: a training step as a benchmark, and the times of runs in its JSON.
 */
import { assertOptions } from "../autograd/internal.ts";
import { kernels, manualSeed } from "../mod.ts";
import { assertExperiment, type Experiment } from "./experiment.ts";
import { registerBench, runtimeAndCpu } from "./host.ts";
import { nameOf } from "./identity.ts";
import type { ExperimentInfo, Group } from "./results.ts";
import { mean, quantile } from "./statistics/summary.ts";
import { streamsOf } from "./streams.ts";

/** Times of a benchmark, in nanoseconds, as `deno bench --json` has them. */
export interface BenchTimes {
  /** How many times it ran. */
  readonly n: number;
  /** The shortest. */
  readonly min: number;
  /** The longest. */
  readonly max: number;
  /** Their mean. */
  readonly avg: number;
  /** The time that 75 % are not above; likewise the others. */
  readonly p75: number;
  /** See p75. */
  readonly p99: number;
  /** See p75. */
  readonly p995: number;
  /** See p75. */
  readonly p999: number;
  /** Whether the clock was too coarse, so that several calls were timed together. */
  readonly highPrecision: boolean;
  /** Whether only a part of each call was timed. */
  readonly usedExplicitTimers: boolean;
}

/** What `deno bench --json` writes. */
export interface DenoBench {
  /** The version of the format. */
  readonly version: 1;
  /** The runtime and its machine. */
  readonly runtime: string;
  /** The processor. */
  readonly cpu: string;
  /** A benchmark for each config. */
  readonly benches: readonly {
    readonly origin: string;
    readonly group: string;
    readonly name: string;
    readonly baseline: boolean;
    readonly results: readonly (
      | { readonly ok: BenchTimes }
      | { readonly failed: { readonly name: string; readonly message: string } }
    )[];
  }[];
}

/** The training times of groups as benchmarks; only runs that nothing ran beside count. */
export function denoBenchOf({ name }: ExperimentInfo, groups: readonly Group[]): DenoBench {
  return {
    version: 1,
    ...runtimeAndCpu(),
    benches: groups.map(({ axes, runs }, i) => {
      const times = runs
        .filter(({ state, alone, seconds }) => state === "completed" && alone && seconds !== null)
        .map(({ seconds }) => 1e9 * seconds!.train);
      const at = (q: number): number => quantile(times, q);
      const message = "no run came to its end while nothing else ran";
      return {
        origin: name,
        group: name,
        name: nameOf(axes),
        baseline: i === 0,
        results: [
          times.length === 0 ? { failed: { name: "Error", message } } : {
            ok: {
              n: times.length,
              min: at(0),
              max: at(1),
              avg: mean(times),
              p75: at(0.75),
              p99: at(0.99),
              p995: at(0.995),
              p999: at(0.999),
              highPrecision: false,
              usedExplicitTimers: true,
            },
          },
        ],
      };
    }),
  };
}

/**
 * Registers one training step of each config as `Deno.bench`: the experiment is the group, its first config
 * the baseline. To be awaited in a `*_bench.ts`. The experiment's `step` prepares what is timed; whole runs
 * never go through `Deno.bench`, which chooses itself how often it runs them.
 *
 * @param experiment An experiment with a `step`.
 * @param options `seed` = 0.
 * @throws {TypeError} if the experiment has no `step`.
 */
export async function benchSteps<C, D>(
  experiment: Experiment<C, D>,
  options: { readonly seed?: number } = {},
): Promise<void> {
  const action = "bench the steps of an experiment";
  assertExperiment(action, experiment);
  assertOptions(action, options, ["seed"]);
  const { seed = 0 } = options;
  const { name, configs, fixed } = experiment as Experiment;
  const step = (experiment as Experiment).step;
  if (step === undefined) {
    throw new TypeError(
      `Cannot ${action}: got ${name} without a step, expected one that returns what is to be timed`,
    );
  }
  await kernels.ready;
  const data = await experiment.setup({ fixed });
  configs.forEach((own, i) => {
    let run: (() => void) | null = null;
    registerBench({
      name: nameOf(own),
      group: name,
      baseline: i === 0,
      fn() {
        run ??= prepare(own);
        run();
      },
    });
  });
  function prepare(own: Experiment["configs"][number]): () => void {
    manualSeed(seed);
    return step!({ config: { ...own, ...fixed }, seed, data, generator: streamsOf(seed) });
  }
}
