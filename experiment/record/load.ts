/**
 * Results from a folder of the command line.
 */
import { describe } from "../../autograd/internal.ts";
import { readDescription } from "./description.ts";
import { readFile } from "../host.ts";
import { readRecord } from "./record.ts";
import { Results } from "../results.ts";

/**
 * Reads the results that the command line keeps in `runs/NAME`: the configs and seeds of the command that
 * ran last, with all that is recorded of them.
 *
 * @param folder The folder.
 * @throws {RangeError} if the folder holds no runs, or they are damaged.
 *
 * @example
 * ```ts
 * import { loadResults } from "@tapegrad/tapegrad/experiment";
 * import { assertRejects } from "@std/assert";
 *
 * // const results = await loadResults("runs/rank");
 * await assertRejects(() => loadResults("runs/never"), RangeError, "without runs.jsonl");
 * ```
 */
export async function loadResults(folder: string): Promise<Results> {
  if (typeof folder !== "string") {
    throw new TypeError(`Cannot load results: got ${describe(folder)}, expected a folder's path`);
  }
  const path = `${folder}/runs.jsonl`;
  const [description, bytes] = await Promise.all([readDescription(folder), readFile(path)]);
  if (description === null || bytes === null) {
    const missing = bytes === null ? "runs.jsonl" : "experiment.json";
    throw new RangeError(
      `Cannot load results from ${folder}: got a folder without ${missing}, expected one that ` +
        `the command line wrote, such as runs/NAME`,
    );
  }
  return new Results(description.info, readRecord(bytes, path).events);
}
