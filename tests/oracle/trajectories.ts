/**
 * Runs recorded trainings of small nets, distillation, recalibration and fusing.
 *
 * @module
 */
import { div, mul, noGrad, type Tensor } from "../../autograd/mod.ts";
import { compareState, compareTensor, largest, Mismatch } from "./compare.ts";
import {
  type AnyModule,
  makeOptimizer,
  nnFunction,
  optimFunction,
  runOperator,
} from "./library.ts";
import { makeCnn, makeMlp } from "./nets.ts";
import { optimizerOptions } from "./optimizers.ts";
import {
  type Recorded,
  type RecordedState,
  type RecordedTensor,
  toState,
  toTensor,
} from "./recorded.ts";

/** A training run. */
interface Training {
  arch: "mlp" | "cnn";
  optim: string;
  kwargs: Record<string, Recorded>;
  state: RecordedState;
  steps: { x: RecordedTensor; t: RecordedTensor; loss: number; state: RecordedState }[];
  evalX: RecordedTensor;
  evalY: RecordedTensor;
}

/** A student that learns from a frozen teacher. */
interface Distilling {
  arch: "distill";
  teacher: RecordedState;
  state: RecordedState;
  steps: { x: RecordedTensor; loss: number }[];
  teacherAfter: RecordedState;
  after: RecordedState;
}

/** New running statistics for given weights. */
interface Recalibrating {
  arch: "recalibrate";
  state: RecordedState;
  batches: RecordedTensor[];
  after: RecordedState;
}

/** A convolution and a batch norm made one. */
interface Fusing {
  arch: "fuse";
  state: RecordedState;
  fusedWeight: RecordedTensor;
  fusedBias: RecordedTensor;
}

/** A training run, or one of the three others. */
export type TrajectoryCase = Training | Distilling | Recalibrating | Fusing;

// Rounding adds up over the steps, so values are held to 1e-9 of the largest of their tensor.
function compareAlong(what: string, actual: Tensor | undefined, expected: RecordedTensor): void {
  compareTensor(what, actual, expected, {
    absolute: 1e-12 + 1e-9 * largest(expected),
    relative: 0,
  });
}

// The gradient of a bias in front of a batch norm is zero but for rounding. Adam divides it by its own
// size plus 1e-8, which makes 1e-16 a step of 1e-10, another one in every version of PyTorch.
const biasesBeforeNorm = ["fc2.bias", "conv2.bias"];
const adaptiveNoise = { absolute: 1e-9, relative: 1e-9 };

function compareStateAlong(
  what: string,
  module: AnyModule,
  recorded: RecordedState,
  adaptive = false,
): void {
  const state = module.stateDict();
  for (const [key, expected] of Object.entries(recorded)) {
    if (adaptive && biasesBeforeNorm.includes(key)) {
      compareTensor(`${what}.${key}`, state.get(key), expected, adaptiveNoise);
    } else {
      compareAlong(`${what}.${key}`, state.get(key), expected);
    }
  }
}

function compareLoss(what: string, loss: Tensor, expected: number): void {
  const got = loss.item();
  if (!(Math.abs(got - expected) <= 1e-12 + 1e-9 * Math.abs(expected))) {
    throw new Mismatch(`${what}: got loss ${got}, expected ${expected}`);
  }
}

function functional(name: string, ...args: unknown[]): Tensor {
  return runOperator("nn.functional.", { name, args }) as Tensor;
}

function train(recorded: Training): void {
  const net = recorded.arch === "mlp" ? makeMlp() : makeCnn();
  net.loadStateDict(toState(recorded.state));
  const options = optimizerOptions(recorded.kwargs);
  const optimizer = makeOptimizer(recorded.optim, net.parameters(), options);
  for (const [i, step] of recorded.steps.entries()) {
    optimizer.zeroGrad();
    const loss = functional("crossEntropy", net.forward(toTensor(step.x)), toTensor(step.t));
    loss.backward();
    optimizer.step();
    compareLoss(`step ${i}`, loss, step.loss);
    compareStateAlong(`step ${i}, state`, net, step.state, recorded.optim.startsWith("Adam"));
  }
  net.eval();
  const y = noGrad(() => net.forward(toTensor(recorded.evalX)));
  compareAlong("evaluation", y, recorded.evalY);
}

function distill(recorded: Distilling): void {
  const teacher = makeMlp();
  teacher.loadStateDict(toState(recorded.teacher));
  teacher.eval();
  const student = makeMlp(5);
  student.loadStateDict(toState(recorded.state));
  const optimizer = makeOptimizer("SGD", student.parameters(), { lr: 0.1, momentum: 0.9 });
  const temperature = 2;
  for (const [i, step] of recorded.steps.entries()) {
    const x = toTensor(step.x);
    const soft = noGrad(() => functional("softmax", div(teacher.forward(x), temperature), 1));
    optimizer.zeroGrad();
    const log = functional("logSoftmax", div(student.forward(x), temperature), 1);
    const divergence = functional("klDiv", log, soft, { reduction: "batchmean" });
    const loss = mul(divergence, temperature * temperature);
    loss.backward();
    optimizer.step();
    compareLoss(`step ${i}`, loss, step.loss);
  }
  compareState("teacher afterwards", teacher.stateDict(), recorded.teacherAfter);
  compareStateAlong("student afterwards", student, recorded.after);
}

function recalibrate(recorded: Recalibrating): void {
  const net = makeCnn();
  net.loadStateDict(toState(recorded.state));
  optimFunction("swa.updateBn")(recorded.batches.map((batch) => toTensor(batch)), net);
  compareState("state afterwards", net.stateDict(), recorded.after);
}

function fuse(recorded: Fusing): void {
  const net = makeCnn();
  net.loadStateDict(toState(recorded.state));
  net.eval();
  const fused = nnFunction("utils.fuseConvBnEval")(net.conv2, net.bn2) as AnyModule;
  compareTensor("weight", fused.weight, recorded.fusedWeight);
  compareTensor("bias", fused.bias, recorded.fusedBias);
}

/** Runs a training, distillation, recalibration or fusion. */
export function runTrajectoryCase(recorded: TrajectoryCase): void {
  switch (recorded.arch) {
    case "distill":
      return distill(recorded);
    case "recalibrate":
      return recalibrate(recorded);
    case "fuse":
      return fuse(recorded);
    default:
      return train(recorded);
  }
}
