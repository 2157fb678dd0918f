/**
 * The command that lists, runs and compares experiments.
 */
import { definedIn, type Experiment, isExperiment } from "../experiment.ts";
import { commandLine, exit, filesIn } from "../host.ts";
import { compareFolders } from "./compare_command.ts";
import { HELP, type Options, parseOptions, UsageError } from "./options.ts";
import { listExperiments, runExperiment } from "./run_command.ts";

/**
 * Runs the command line for one experiment, or for a folder of them, and ends the process.
 *
 * @param url The URL of the module whose default export is the experiment, or of a folder (with a slash at
 * its end) of such modules.
 */
export async function main(url: string): Promise<void> {
  const code = await command(url, commandLine());
  if (code !== 0) exit(code);
}

/** Runs a command line and returns its exit code. */
export async function command(url: string, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      console.log(HELP.trimEnd());
      return 0;
    }
    if (options.words[0] === "compare") return await compareFolders(options);
    const experiments = await load(url);
    if (options.all) return await runAll(experiments, options);
    // A module's own command needs no name.
    const words = url.endsWith("/") ? options.words : [experiments[0].name, ...options.words];
    const [name, ...rest] = words;
    if (rest.length > 0) {
      throw new UsageError(`Cannot run ${name}: got ${rest.join(" ")} besides, expected one name`);
    }
    if (name === undefined) return await listExperiments(experiments, options);
    const experiment = experiments.find((other) => other.name === name);
    if (experiment === undefined) {
      const known = experiments.map((other) => other.name).join(", ");
      throw new UsageError(`Cannot run ${name}: got no such experiment, expected one of ${known}`);
    }
    return await runExperiment(experiment, options);
  } catch (error) {
    if (error instanceof UsageError || error instanceof RangeError) {
      console.error(error.message);
      return 2;
    }
    throw error;
  }
}

/** Runs all of them, and returns the largest exit code; what stops one stops all. */
async function runAll(experiments: readonly Experiment[], options: Options): Promise<number> {
  if (options.words.length > 0 || options.report !== null || options.live) {
    const page = options.report !== null ? "--report" : "--live";
    const got = options.words.length > 0 ? options.words.join(" ") : page;
    throw new UsageError(`Cannot run --all: got ${got} besides, expected neither name nor page`);
  }
  let worst = 0;
  for (const experiment of experiments) {
    console.log(`${experiment.name}: ${experiment.claim}.\n`);
    const code = await runExperiment(experiment, options);
    console.log("");
    worst = Math.max(worst, code);
    if (code === 130) break;
  }
  return worst;
}

async function load(url: string): Promise<Experiment[]> {
  let found: unknown[] = [definedIn(url)];
  if (url.endsWith("/")) {
    const files = (await filesIn(new URL(url)))
      .filter((name) => /^[a-z0-9_]+\.ts$/.test(name) && !name.endsWith("_bench.ts"));
    const modules = await Promise.all(files.map((name) => import(new URL(name, url).href)));
    found = modules.map((module) => module.default);
  }
  const experiments = found.filter(isExperiment);
  if (experiments.length > 0) return experiments;
  throw new UsageError(
    `Cannot find an experiment: got ${url} without one, expected an experiment as default export`,
  );
}
