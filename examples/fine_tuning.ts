/**
 * Fine-tuning on few samples in small batches ruins running statistics: every forward in training mode
 * pulls them towards a handful of samples. freeze() holds them, and goes on holding them when a training
 * loop calls train() at the start of each epoch, which undoes a mere eval() of the layers.
 *
 *     deno run examples/fine_tuning.ts
 */
import {
  cat,
  Generator,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  type Tensor,
} from "@tapegrad/tapegrad";

const CLASSES = 4;
/** Samples come in runs of one class, as from a camera that stays in one place for a while. */
const RUN = 8;

/** One way to fine-tune and what came of it. */
export interface Outcome {
  way: string;
  /** Accuracy on new data of the new task. */
  accuracy: number;
  /** The largest move of a running statistic. */
  statisticsMoved: number;
  /** The largest move of a γ or β. */
  parametersMoved: number;
}

/** Points around one centre for each class; `turn` exchanges the labels, for another task. */
function points(count: number, seed: number, turn = 0): { x: Tensor; labels: number[] } {
  const classes = Array.from({ length: count }, (_, i) => Math.floor(i / RUN) % CLASSES);
  const centres = randn([CLASSES, 6], { generator: new Generator(5) }).mul(3);
  return {
    x: centres.indexSelect(0, classes).add(randn([count, 6], { generator: new Generator(seed) })),
    labels: classes.map((c) => (c + turn) % CLASSES),
  };
}

function network(): nn.Sequential {
  const blocks = [6, 24].flatMap((from) => [
    new nn.Linear(from, 24, { bias: false }),
    new nn.BatchNorm1d(24),
    new nn.ReLU(),
  ]);
  return new nn.Sequential(...blocks, new nn.Linear(24, CLASSES));
}

function norms(net: nn.Module): nn.BatchNorm[] {
  return net.modules().filter((module) => module instanceof nn.BatchNorm);
}

function accuracy(net: nn.Module): number {
  const { x, labels } = points(800, 99, 1);
  const chosen = noGrad(() => net.eval().forward(x)).argmax({ dim: 1 }).data;
  return labels.filter((label, i) => chosen[i] === label).length / labels.length;
}

function pretrained(): nn.Sequential {
  manualSeed(0);
  const net = network();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  for (let step = 0; step < 200; step++) {
    const { x, labels } = points(64, step);
    optimizer.zeroGrad();
    nn.functional.crossEntropy(net.forward(x), labels).backward();
    optimizer.step();
  }
  return net;
}

/** Fine-tunes a copy on 64 samples, a run at a time. */
function fineTune(way: string, original: nn.Module, prepare: (net: nn.Module) => void): Outcome {
  const net = original.deepCopy();
  prepare(net);
  const values = (...names: ("runningMean" | "runningVar" | "weight" | "bias")[]) =>
    cat(norms(net).flatMap((bn) => names.map((name) => bn[name]!.detach().clone())));
  const statistics = values("runningMean", "runningVar");
  const parameters = values("weight", "bias");
  const { x, labels } = points(64, 1000, 1);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  for (let epoch = 0; epoch < 20; epoch++) {
    net.train();
    for (const [i, part] of x.split(RUN).entries()) {
      optimizer.zeroGrad();
      nn.functional.crossEntropy(net.forward(part), labels.slice(RUN * i, RUN * (i + 1)))
        .backward();
      optimizer.step();
    }
  }
  return {
    way,
    accuracy: accuracy(net),
    statisticsMoved: values("runningMean", "runningVar").sub(statistics).abs().amax().item(),
    parametersMoved: values("weight", "bias").sub(parameters).abs().amax().item(),
  };
}

/** Fine-tunes in three ways; throws unless freezing holds the statistics and pays off. */
export function compareFineTuning(): Outcome[] {
  const net = pretrained();
  const rows = [
    fineTune("nothing held", net, () => {}),
    fineTune("layers set to eval() once", net, (copy) => norms(copy).forEach((bn) => bn.eval())),
    fineTune("freeze()", net, (copy) => norms(copy).forEach((bn) => bn.freeze())),
  ];
  const [plain, evaluated, frozen] = rows;
  const holds = plain.statisticsMoved > 0 && evaluated.statisticsMoved === plain.statisticsMoved &&
    frozen.statisticsMoved === 0 && frozen.parametersMoved > 0 &&
    frozen.accuracy > plain.accuracy + 0.3;
  if (!holds) throw new Error(`Unexpected result: ${JSON.stringify(rows)}`);
  return rows;
}

if (import.meta.main) {
  console.table(
    compareFineTuning().map((row) => ({
      way: row.way,
      accuracy: `${(100 * row.accuracy).toFixed(1)} %`,
      "statistics moved by up to": Number(row.statisticsMoved.toPrecision(3)),
      "γ, β moved by up to": Number(row.parametersMoved.toPrecision(3)),
    })),
  );
}
