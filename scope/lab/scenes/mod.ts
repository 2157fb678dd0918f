/**
 * The scenes by their names in the address: what the worker runs.
 */
import { run as batchSize } from "./batch_size.ts";
import { run as fiveModes } from "./five_modes.ts";
import { run as momentum } from "./momentum.ts";
import { run as oneSample } from "./one_sample.ts";
import { run as whoMovesWhat } from "./who_moves_what.ts";
import { run as gradientParts } from "./gradient_parts.ts";
import { run as teacher } from "./teacher.ts";
import { run as shift } from "./shift.ts";
import { run as scaleInvariance } from "./scale_invariance.ts";
import { run as leakage } from "./leakage.ts";

/** From a state to numbers. */
export type Run = (state: Readonly<Record<string, number>>) => unknown;

/** A page's state is checked where it is read from the address. */
function scene<State>(run: (state: State) => unknown): Run {
  return (state) => run(state as State);
}

/** All of them. */
export const runs: Readonly<Record<string, Run>> = {
  "who-moves-what": scene(whoMovesWhat),
  "one-sample": scene(oneSample),
  "five-modes": scene(fiveModes),
  "momentum": scene(momentum),
  "batch-size": scene(batchSize),
  "gradient-parts": scene(gradientParts),
  "teacher": scene(teacher),
  "shift": scene(shift),
  "scale-invariance": scene(scaleInvariance),
  "leakage": scene(leakage),
};
