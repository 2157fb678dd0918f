/**
 * Runs PyTorch's module cases, batch norm through several steps, and its second derivatives.
 *
 * @module
 */
import { grad } from "../../autograd/mod.ts";
import {
  compareState,
  compareTensor,
  largest,
  operatorTolerance,
  type Tolerance,
} from "./compare.ts";
import { makeModule, runOperator } from "./library.ts";
import { compareGradients, decodeArguments, differentiable } from "./operators.ts";
import {
  type Recorded,
  type RecordedState,
  type RecordedTensor,
  toState,
  toTensor,
} from "./recorded.ts";
import { camelCaseOptions, constructorArguments } from "./signatures.ts";

/** A module's forward and backward. */
export interface ModuleCase {
  module: string;
  training: boolean;
  ctor: Recorded[];
  ctorKw: Record<string, Recorded>;
  state: RecordedState;
  args: Recorded[];
  kwargs: Record<string, Recorded>;
  desc: string;
  out: RecordedTensor;
  stateAfter: RecordedState;
  gradOut: RecordedTensor | null;
  gradIn: (RecordedTensor | null)[];
  gradParams: Record<string, RecordedTensor | null>;
}

/** Runs a module and compares result, gradients and state. */
export function runModuleCase(recorded: ModuleCase): void {
  const made = constructorArguments(
    recorded.module,
    decodeArguments({ args: recorded.ctor, kwargs: recorded.ctorKw }),
  );
  const module = makeModule(recorded.module, made);
  module.loadStateDict(toState(recorded.state));
  module.train(recorded.training);

  const given = decodeArguments(recorded);
  const out = module.forward(...given.args, ...Object.values(given.kwargs));
  compareTensor("result", out, recorded.out);
  if (recorded.gradOut !== null) {
    const inputs = differentiable(given.args);
    const parameters = new Map(module.namedParameters());
    const names = Object.keys(recorded.gradParams);
    const weights = names.map((name) => parameters.get(name)!);
    const got = grad([out], [...inputs, ...weights], {
      gradOutputs: [toTensor(recorded.gradOut)],
      allowUnused: true,
    });
    compareGradients("gradient of input", got, recorded.gradIn);
    for (const [i, name] of names.entries()) {
      compareGradients(`gradient of ${name},`, [got[inputs.length + i]], [
        recorded.gradParams[name],
      ]);
    }
  }
  compareState("state afterwards", module.stateDict(), recorded.stateAfter);
}

/** One step of a batch norm module. */
interface BatchNormStep {
  train: boolean;
  x: RecordedTensor;
  y: RecordedTensor;
  gy: RecordedTensor;
  gx: RecordedTensor;
  gparams: RecordedTensor[];
  state: RecordedState;
}

/** A batch norm module through several steps. */
export interface BatchNormCase {
  module: string;
  numFeatures: number;
  config: Record<string, Recorded>;
  state: RecordedState;
  steps: BatchNormStep[];
}

// Some inputs sit at an offset of 1e4 with a spread of 1e-3, where PyTorch itself loses digits: values
// are held to the largest |x|, gradients to that and the largest |gx|.
function scaled(by: number): Tolerance {
  return { ...operatorTolerance, absolute: operatorTolerance.absolute * Math.max(1, by) };
}

/** Runs a batch norm module through its steps. */
export function runBatchNormCase(recorded: BatchNormCase): void {
  const { kwargs } = decodeArguments({ args: [], kwargs: recorded.config });
  const module = makeModule(recorded.module, [recorded.numFeatures, camelCaseOptions(kwargs)]);
  module.loadStateDict(toState(recorded.state));
  for (const [i, step] of recorded.steps.entries()) {
    module.train(step.train);
    const x = toTensor(step.x, true);
    const y = module.forward(x);
    const toValues = scaled(largest(step.x));
    const toGradients = scaled(Math.max(1, largest(step.x)) * Math.max(1, largest(step.gx)));
    compareTensor(`step ${i}, y`, y, step.y, toValues);
    const [gx, ...gparams] = grad([y], [x, ...module.parameters()], {
      gradOutputs: [toTensor(step.gy)],
    });
    compareTensor(`step ${i}, gradient of x`, gx, step.gx, toGradients);
    for (const [j, expected] of step.gparams.entries()) {
      compareTensor(`step ${i}, gradient of parameter ${j}`, gparams[j], expected, toGradients);
    }
    compareState(`step ${i}, state`, module.stateDict(), step.state, toValues);
  }
}

/** First and second derivatives of batch norm. */
export interface SecondOrderCase {
  training: boolean;
  x: RecordedTensor;
  weight: RecordedTensor;
  bias: RecordedTensor;
  runningMean: RecordedTensor;
  runningVar: RecordedTensor;
  v: RecordedTensor;
  gx: RecordedTensor;
  gw: RecordedTensor;
  gb: RecordedTensor;
  ux: RecordedTensor;
  uw: RecordedTensor;
  ub: RecordedTensor;
  ggx: RecordedTensor;
  ggw: RecordedTensor;
  ggv: RecordedTensor;
}

/** Differentiates batch norm twice. */
export function runSecondOrderCase(recorded: SecondOrderCase): void {
  const x = toTensor(recorded.x, true);
  const weight = toTensor(recorded.weight, true);
  const bias = toTensor(recorded.bias, true);
  const v = toTensor(recorded.v, true);
  const runningMean = toTensor(recorded.runningMean, false);
  const runningVar = toTensor(recorded.runningVar, false);
  const y = runOperator("nn.functional.batch_norm", {
    name: "batchNorm",
    args: [x, runningMean, runningVar, weight, bias, { training: recorded.training }],
  });
  const first = grad([y as typeof x], [x, weight, bias], { gradOutputs: [v], createGraph: true });
  compareGradients("first derivative", first, [recorded.gx, recorded.gw, recorded.gb]);
  const second = grad(first.map((g) => g!), [x, weight, v], {
    gradOutputs: [toTensor(recorded.ux), toTensor(recorded.uw), toTensor(recorded.ub)],
    allowUnused: true,
  });
  compareGradients("second derivative", second, [recorded.ggx, recorded.ggw, recorded.ggv]);
}
