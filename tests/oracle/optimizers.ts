/**
 * Runs PyTorch's optimizer cases: six steps with given gradients.
 *
 * @module
 */
import { compareTensor, operatorTolerance } from "./compare.ts";
import { makeOptimizer } from "./library.ts";
import { decodeArguments } from "./operators.ts";
import { type Recorded, type RecordedTensor, toTensor } from "./recorded.ts";
import { camelCaseOptions } from "./signatures.ts";

/** An optimizer's settings, and parameters after each step. */
export interface OptimizerCase {
  optim: string;
  kwargs: Record<string, Recorded>;
  params: RecordedTensor[];
  grads: RecordedTensor[][];
  after: RecordedTensor[][];
}

/** PyTorch's keyword arguments of an optimizer as our options. */
export function optimizerOptions(kwargs: Record<string, Recorded>): Record<string, unknown> {
  return camelCaseOptions(decodeArguments({ args: [], kwargs }).kwargs);
}

/** Runs the steps and compares the parameters after each. */
export function runOptimizerCase(recorded: OptimizerCase): void {
  // The recorder ran under PyTorch's float32 default, which rounds the scalars of ASGD.
  const tolerance = recorded.optim === "ASGD"
    ? { absolute: 1e-9, relative: 1e-7 }
    : operatorTolerance;
  const params = recorded.params.map((p) => toTensor(p, true));
  const optimizer = makeOptimizer(recorded.optim, params, optimizerOptions(recorded.kwargs));
  for (const [step, grads] of recorded.grads.entries()) {
    for (const [i, g] of grads.entries()) params[i].grad = toTensor(g);
    optimizer.step();
    for (const [i, expected] of recorded.after[step].entries()) {
      compareTensor(`step ${step}, parameter ${i}`, params[i], expected, tolerance);
    }
  }
}
