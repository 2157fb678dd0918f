/**
 * The command line.
 */
import { parseArgs } from "node:util";
import type { Changes } from "../changes.ts";
import type { Config, Value } from "../space.ts";
import type { TableFormat } from "../table.ts";

/** A fault of the user's: told in one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const HELP = `Run training experiments, and compare what they come to.

  deno task experiment                     list the experiments
  deno task experiment NAME [options]      run one; what has ended before is not run again
  deno task experiment compare A B         compare the runs in two folders, such as runs/rank: config by
                                           config, or all with one by --baseline; [--metric NAME]

  --seeds N            seeds 0 … N−1 in place of the experiment's own
  --set KEY=A,B        other values of an axis or of what is fixed; may be repeated
  --where KEY=A        only the configs that have this value; may be repeated
  --quick              the shorter form
  --all                every experiment, one after the other
  --data DIR           a folder with images in MNIST's IDX format, where an experiment takes one
  --check              keep no files; only run, and see whether the expectations hold
  --dry-run            list the runs and do none
  --retry failed       run again what failed
  --fresh              forget the runs that are recorded
  --accept-changes     go on although the code has changed since the recorded runs
  --fail-fast          stop after the first run that fails
  --workers N          so many runs at once; the same results, but times that cannot be compared
  --timed              for times: one run at a time, the configs in turn, after a round to warm up
  --record             keep γ and drift of the batch norm layers, for the report
  --budget TIME        stop after so long, for instance 90s, 5m or 2h; the same command goes on
  --out DIR            where the records are kept (default runs)
  --format FORMAT      the table as text, markdown or csv, or all results as json
  --baseline KEY=A     compare every config with the one that has this value: exact p values, corrected
                       for their number, and a verdict; may be repeated
  --metric NAME        the metric that is compared (default the first that has a goal)
  --report FILE.html   write the results as one page
  --live               serve a page on 127.0.0.1 that follows the runs, and can stop them
  --help               this text

Ctrl-C stops after the current observation; the same command goes on from there. Exit codes: 0 all
runs ended and all expectations hold, 1 a run failed or an expectation does not hold, 2 wrong usage,
130 stopped.
`;

/** What the command line asks for. */
export interface Options {
  readonly help: boolean;
  readonly all: boolean;
  readonly words: readonly string[];
  readonly changes: Changes;
  readonly check: boolean;
  readonly dryRun: boolean;
  readonly retryFailed: boolean;
  readonly acceptChanges: boolean;
  readonly fresh: boolean;
  readonly failFast: boolean;
  readonly workers: number;
  readonly timed: boolean;
  readonly record: boolean;
  /** How long the command may take, in milliseconds; `null` for as long as it takes. */
  readonly budget: number | null;
  readonly out: string;
  readonly format: TableFormat | "json";
  /** Part of the config that the others are compared with; `null` for no comparison. */
  readonly baseline: Config | null;
  readonly metric: string | null;
  readonly report: string | null;
  readonly live: boolean;
}

/** A value as it was written: true, false, null, a number, or a text. */
export function valueOf(text: string): Value {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function pair(option: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`Cannot read ${option}: got ${text}, expected KEY=VALUE`);
}

function oneOf<T extends string>(option: string, got: string, known: readonly T[]): T {
  if ((known as readonly string[]).includes(got)) return got as T;
  throw new UsageError(`Cannot read ${option}: got ${got}, expected one of ${known.join(", ")}`);
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`Cannot read ${option}: got ${text}, expected a count from 1 on`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** A duration in milliseconds. */
function durationOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  if (unit !== undefined && Number(number) > 0) return Number(number) * UNITS[unit];
  throw new UsageError(`Cannot read ${option}: got ${text}, expected a time as 90s, 5m or 2h`);
}

/**
 * Reads the arguments.
 *
 * @throws {UsageError} for an unknown option or a wrong value.
 */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const set: Record<string, Value[]> = {};
  for (const text of values.set) {
    const [name, list] = pair("--set", text);
    set[name] = list.split(",").map(valueOf);
  }
  if (values.data !== undefined) set.data = [values.data];
  const where = values.where.map((text): Config => {
    const [name, value] = pair("--where", text);
    return { [name]: valueOf(value) };
  });
  if (values.retry !== undefined) oneOf("--retry", values.retry, ["failed"]);
  return {
    help: values.help,
    all: values.all,
    words: positionals,
    changes: { set, where, seeds: count("--seeds", values.seeds), quick: values.quick },
    check: values.check,
    dryRun: values["dry-run"],
    retryFailed: values.retry !== undefined,
    acceptChanges: values["accept-changes"],
    fresh: values.fresh,
    failFast: values["fail-fast"],
    workers: count("--workers", values.workers) ?? 1,
    timed: values.timed,
    record: values.record,
    budget: durationOf("--budget", values.budget),
    out: values.out,
    format: oneOf("--format", values.format, ["text", "csv", "json", "markdown"]),
    baseline: baselineOf(values.baseline),
    metric: values.metric ?? null,
    report: reportFile(values.report),
    live: values.live,
  };
}

function baselineOf(texts: readonly string[]): Config | null {
  if (texts.length === 0) return null;
  const pairs = texts.map((text) => pair("--baseline", text));
  return Object.fromEntries(pairs.map(([name, value]) => [name, valueOf(value)]));
}

function reportFile(path: string | undefined): string | null {
  if (path === undefined || /[^/]\.html$/.test(path)) return path ?? null;
  throw new UsageError(`Cannot read --report: got ${path}, expected a file that ends in .html`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", default: false, short: "h" },
        all: { type: "boolean", default: false },
        seeds: { type: "string" },
        set: { type: "string", multiple: true, default: [] },
        where: { type: "string", multiple: true, default: [] },
        quick: { type: "boolean", default: false },
        data: { type: "string" },
        check: { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        retry: { type: "string" },
        fresh: { type: "boolean", default: false },
        "accept-changes": { type: "boolean", default: false },
        "fail-fast": { type: "boolean", default: false },
        workers: { type: "string" },
        timed: { type: "boolean", default: false },
        record: { type: "boolean", default: false },
        budget: { type: "string" },
        out: { type: "string", default: "runs" },
        format: { type: "string", default: "text" },
        baseline: { type: "string", multiple: true, default: [] },
        metric: { type: "string" },
        report: { type: "string" },
        live: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    const [first] = (error as Error).message.split(/\. |\n/);
    const ambiguous = /^Option '(--[a-z-]+).*' argument is ambiguous/.exec(first)?.[1];
    if (ambiguous !== undefined) {
      const way = `expected one, or ${ambiguous}=VALUE for one with a dash in front`;
      throw new UsageError(`Cannot read ${ambiguous}: got no value, ${way}`);
    }
    throw new UsageError(`Cannot read the arguments: ${first} (--help lists the options)`);
  }
}
