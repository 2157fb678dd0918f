/**
 * A student learns from a teacher that stands still: its weights and, because it is in evaluation
 * mode, its running statistics. Left in training mode it would drift, although nobody trains it.
 *
 *     deno run examples/distillation.ts
 */
import {
  Generator,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
} from "@tapegrad/tapegrad";

const { crossEntropy, klDiv, logSoftmax, softmax } = nn.functional;
const TEMPERATURE = 2;

/** Accuracies on new points, and how far the teacher moved in either mode. */
export type Distillation = Record<
  "teacher" | "studentOfLabels" | "studentOfTeacher" | "movedInEval" | "movedInTrain",
  number
>;

/** Points of a plane in three spiral arms, and the arm of each. */
function spiral(count: number, seed: number): { x: Tensor; arm: number[] } {
  const generator = new Generator(seed);
  const [radius, noise] = [rand([count], { generator }), randn([count], { generator })];
  const arm = Array.from({ length: count }, (_, i) => i % 3);
  const points = Array.from(radius.data, (r, i) => {
    const angle = 4 * r + (2 * Math.PI * arm[i]) / 3 + 0.25 * noise.data[i];
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
  return { x: tensor(points), arm };
}

function network(width: number): nn.Sequential {
  const blocks = [2, width].flatMap((from) => [
    new nn.Linear(from, width, { bias: false }),
    new nn.BatchNorm1d(width),
    new nn.ReLU(),
  ]);
  return new nn.Sequential(...blocks, new nn.Linear(width, 3));
}

function accuracy(net: nn.Module): number {
  const { x, arm } = spiral(600, 9999);
  const chosen = noGrad(() => net.eval().forward(x)).argmax({ dim: 1 }).data;
  return arm.filter((wanted, i) => chosen[i] === wanted).length / arm.length;
}

function train(net: nn.Module, steps: number, loss: (step: number) => Tensor): void {
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
  net.train();
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    loss(step).backward();
    optimizer.step();
  }
}

/** The largest change of a parameter or running statistic while `fn` runs. */
function movement(model: nn.Module, fn: () => void): number {
  const values = [...model.stateDict().values()].filter((t) => t.ndim > 0);
  const before = values.map((t) => t.clone());
  fn();
  return Math.max(...values.map((now, i) => now.sub(before[i]).abs().amax().item()));
}

/** Teaches, and throws unless the teacher stood still and the student is better for it. */
export function distill(): Distillation {
  manualSeed(1);
  const teacher = network(64);
  train(teacher, 300, (step) => {
    const { x, arm } = spiral(96, step);
    return crossEntropy(teacher.forward(x), arm);
  });
  // 30 points have a label; points without one are free.
  const few = spiral(30, 1000);
  const [alone, student] = [network(16), network(16)];
  train(alone, 300, () => crossEntropy(alone.forward(few.x), few.arm));

  teacher.requiresGrad_(false).eval();
  const movedInEval = movement(teacher, () =>
    train(student, 300, (step) => {
      const { x } = spiral(96, 2000 + step);
      const wanted = softmax(teacher.forward(x).div(TEMPERATURE), 1);
      const got = logSoftmax(student.forward(x).div(TEMPERATURE), 1);
      return klDiv(got, wanted, { reduction: "batchmean" }).mul(TEMPERATURE ** 2);
    }));

  // The mistake, on a copy: parameters that require no grad do not stop the statistics.
  const drifting = teacher.deepCopy().train();
  const restore = silenceWarnings("bn-frozen-in-training");
  const movedInTrain = movement(drifting, () => void drifting.forward(spiral(96, 5000).x));
  restore();

  const result = {
    teacher: accuracy(teacher),
    studentOfLabels: accuracy(alone),
    studentOfTeacher: accuracy(student),
    movedInEval,
    movedInTrain,
  };
  const holds = movedInEval === 0 && movedInTrain > 0 &&
    result.studentOfTeacher > result.studentOfLabels + 0.05;
  if (!holds) throw new Error(`Unexpected result: ${JSON.stringify(result)}`);
  return result;
}

if (import.meta.main) {
  const { movedInEval, movedInTrain, ...accuracy } = distill();
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  console.table({
    accuracy: {
      teacher: share(accuracy.teacher),
      "student of labels": share(accuracy.studentOfLabels),
      "student of the teacher": share(accuracy.studentOfTeacher),
    },
  });
  console.log(`While it taught, the teacher moved by ${movedInEval}.`);
  console.log(`In training mode one batch would have moved it by ${movedInTrain.toPrecision(2)}.`);
}
