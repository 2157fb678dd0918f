/**
 * `experiment.json`: what the runs beside it are of, from which code, and on which machine.
 */
import { kernels } from "../../mod.ts";
import type { Experiment } from "../experiment.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { codeState, machine, readText, writeWhole } from "../host.ts";
import { type ExperimentInfo, infoOf } from "../results.ts";

/** The version of the file. */
const VERSION = 1;

/** The code that runs come from. */
interface Code {
  /** Of the experiment's module and what it imports; `null` if it cannot be read. */
  readonly fingerprint: string | null;
  /** The version of this library. */
  readonly library: string | null;
  /** Where it is kept in git. */
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
}

/** The content of `experiment.json`. */
export interface Description {
  /** The version of the file. */
  readonly v: typeof VERSION;
  /** What results need to know, of the command that ran last. */
  readonly info: ExperimentInfo;
  /** The code of the runs. */
  readonly code: Code;
  /** Fingerprints of older code that some of the runs come from, by `--accept-changes`. */
  readonly accepted: readonly string[];
  /** The machine, and how busy it was at the beginning. */
  readonly machine: ReturnType<typeof machine> & { readonly kernels: unknown };
  /** When, as ISO 8601. */
  readonly at: string;
}

/** Describes an experiment as it is now. */
export async function describeExperiment(experiment: Experiment): Promise<Description> {
  await kernels.ready;
  const { memory: _, ...chosen } = kernels.info();
  const { module, seeds } = experiment;
  const [fingerprint, state] = await Promise.all([
    module === null ? null : fingerprintOf(module),
    codeState(module),
  ]);
  return {
    v: VERSION,
    info: infoOf(experiment, seeds),
    code: { fingerprint, ...state },
    accepted: [],
    machine: { ...machine(), kernels: chosen },
    at: new Date().toISOString(),
  };
}

/**
 * Reads what a folder's runs are of.
 *
 * @returns `null` if the folder has no description.
 * @throws {RangeError} if it is damaged.
 */
export async function readDescription(folder: string): Promise<Description | null> {
  const path = `${folder}/experiment.json`;
  const text = await readText(path);
  if (text === null) return null;
  try {
    const found: Description = JSON.parse(text);
    if (found.v === VERSION) return found;
  } catch {
    // Told below.
  }
  throw new RangeError(
    `Cannot read ${path}: got something else than an experiment's description, expected version ` +
      `${VERSION}; start over with --fresh`,
  );
}

/** What has changed between two descriptions, in words; `null` if the code is the same. */
export function changeBetween(before: Description, now: Description): string | null {
  const [a, b] = [before.code.fingerprint, now.code.fingerprint];
  return a === b ? null : `fingerprint ${a ?? "unknown"} then, ${b ?? "unknown"} now`;
}

/** Writes a folder's description; what older code the runs come from stays known. */
export async function writeDescription(
  folder: string,
  now: Description,
  before: Description | null,
): Promise<void> {
  const older = before === null ? [] : [
    ...before.accepted,
    ...changeBetween(before, now) === null ? [] : [
      before.code.fingerprint ?? "unknown",
    ],
  ];
  const accepted = [...new Set(older)];
  await writeWhole(
    `${folder}/experiment.json`,
    `${JSON.stringify({ ...now, accepted }, null, 2)}\n`,
  );
}
