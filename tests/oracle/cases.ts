/**
 * Every recorded case, ready to run.
 *
 * @module
 */
import { silenceWarnings } from "../../autograd/mod.ts";
import { Mismatch } from "./compare.ts";
import {
  type BatchNormCase,
  type ModuleCase,
  runBatchNormCase,
  runModuleCase,
  runSecondOrderCase,
  type SecondOrderCase,
} from "./modules.ts";
import {
  type OperatorCase,
  type RefusedCase,
  runOperatorCase,
  runRefusedCase,
} from "./operators.ts";
import { type OptimizerCase, runOptimizerCase } from "./optimizers.ts";
import { type Draw, draws, type SeedCase } from "./random.ts";
import { readCases } from "./recorded.ts";
import { AdapterError } from "./signatures.ts";
import { runTrajectoryCase, type TrajectoryCase } from "./trajectories.ts";

// Many recorded cases are what the library warns of: tiny batches, evaluation before training.
silenceWarnings();

/** One recorded case. */
export interface Case {
  /** File and number in it. */
  id: string;
  /** What it is about: an operator, a module, an optimizer. */
  group: string;
  /** Throws where the library parts from the recording. */
  run: () => void;
}

async function load<Recorded>(
  folder: URL,
  name: string,
  group: (recorded: Recorded) => string,
  run: (recorded: Recorded) => void,
): Promise<Case[]> {
  const recorded = await readCases<Recorded>(name, folder);
  return recorded.map((one, i) => ({
    id: `${name}/${i}`,
    group: group(one),
    run: () => run(one),
  }));
}

/** The files of recorded cases in a folder. */
export const files: Record<string, (folder: URL) => Promise<Case[]>> = {
  opinfo: (folder) => load<OperatorCase>(folder, "opinfo", (c) => c.op, runOperatorCase),
  operrors: (folder) => load<RefusedCase>(folder, "operrors", (c) => c.op, runRefusedCase),
  modinfo: (folder) => load<ModuleCase>(folder, "modinfo", (c) => c.module, runModuleCase),
  optim: (folder) => load<OptimizerCase>(folder, "optim", (c) => c.optim, runOptimizerCase),
  bnseq: (folder) => load<BatchNormCase>(folder, "bnseq", (c) => c.module, runBatchNormCase),
  bndouble: (folder) =>
    load<SecondOrderCase>(
      folder,
      "bndouble",
      (c) => c.training ? "training" : "evaluation",
      runSecondOrderCase,
    ),
  trajectory: (folder) =>
    load<TrajectoryCase>(
      folder,
      "trajectory",
      (c) => "optim" in c ? `${c.arch} under ${c.optim}` : c.arch,
      runTrajectoryCase,
    ),
  rng: async (folder) => {
    const seeds = await readCases<SeedCase>("rng", folder);
    return seeds.flatMap((seed) =>
      draws(seed).map((draw: Draw) => ({
        id: `rng/${draw.seed}/${draw.name}`,
        group: draw.name,
        run: draw.run,
      }))
    );
  },
};

/** How a case ended. A stale skip counts as failed. */
export type Outcome =
  | { status: "passed" }
  | { status: "skipped"; reason: string }
  | { status: "failed"; message: string };

/** Runs a case. One that is on the list of skips must fail. */
export function runCase({ id, run }: Case, reasons: Record<string, string>): Outcome {
  let failure: unknown = null;
  try {
    run();
  } catch (error) {
    failure = error;
  }
  const reason = reasons[id];
  if (reason === undefined) {
    if (failure === null) return { status: "passed" };
    return { status: "failed", message: describe(failure) };
  }
  if (failure !== null) return { status: "skipped", reason };
  return { status: "failed", message: `is skipped (${reason}) but passes` };
}

function describe(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  if (failure instanceof Mismatch || failure instanceof AdapterError) return failure.message;
  // An error from inside the library: say where it comes from.
  const at = failure.stack?.split("\n").find((line) => line.includes("file://")) ?? "";
  return `${failure.name}: ${failure.message}${at.replace(/^\s*at .*\/(?=[^/]+\/)/, " at ")}`;
}
