/**
 * Workloads whose arrays are made when they are first run, not when the file is loaded.
 *
 * @module
 */
import { draw } from "./peers/inputs.ts";
import { inputsOf, type Work } from "./peers/workloads.ts";
import { prepare } from "./work.ts";

/** A function that gets the work ready once, and then runs it. */
export function lazily(work: Work): () => void {
  let run: (() => unknown) | null = null;
  return () => {
    run ??= prepare(work, draw(inputsOf(work))).run;
    run();
  };
}
