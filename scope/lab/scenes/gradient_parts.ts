/**
 * The gradient that batch norm passes down, taken to pieces:
 * dx = γ/σ · (g − mean(g) − x̂ · mean(g · x̂)). In evaluation the first piece is all there is.
 */
import { Generator, nn, tensor } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  readonly size: number;
  /** What comes from above: 0 at random, 1 from one sample alone, 2 the same from all, 3 along x̂. */
  readonly above: number;
  readonly gamma: number;
}

/** What the scene shows. */
export interface Numbers {
  readonly x: number[];
  /** g, the gradient of the loss with respect to the outputs. */
  readonly g: number[];
  /** γ/σ · g */
  readonly direct: number[];
  /** −γ/σ · mean(g): x moves the mean. */
  readonly throughMean: number[];
  /** −γ/σ · x̂ · mean(g · x̂): x moves the variance. */
  readonly throughVariance: number[];
  /** The gradient that the library computes, in training and in evaluation. */
  readonly training: number[];
  readonly evaluation: number[];
  /** The largest distance between the sum of the pieces and the library's gradient. */
  readonly off: number;
  /** The sums of both gradients over the batch. */
  readonly trainingSum: number;
  readonly evaluationSum: number;
}

/** Computes the pieces by the formula and the whole by the tape. */
export function run({ seed, size, above, gamma }: State): Numbers {
  const generator = new Generator(seed);
  const values = drawNoise([size, 1], generator).mul(2).add(1);
  const random = Array.from(drawNoise([size], generator).data);
  const eps = 1e-5;
  const mean = values.mean().item();
  const sigma = Math.sqrt(values.var({ correction: 0 }).item() + eps);
  const normalised = Array.from(values.data, (x) => (x - mean) / sigma);
  const g = [
    random,
    random.map((_, i) => Number(i === 0)),
    random.map(() => 1),
    normalised,
  ][above];

  const average = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / size;
  const scale = gamma / sigma;
  const direct = g.map((value) => scale * value);
  const throughMean = g.map(() => -scale * average(g));
  const pull = average(g.map((value, i) => value * normalised[i]));
  const throughVariance = normalised.map((value) => -scale * value * pull);

  const gradient = (mode: boolean) => {
    const bn = new nn.BatchNorm1d(1, { eps, momentum: 1 });
    bn.weight!.detach().copy_(gamma);
    // Evaluation gets the batch's own statistics, so that both modes normalise alike.
    bn.forward(values);
    bn.train(mode);
    const x = values.clone().requiresGrad_();
    bn.forward(x).mul(tensor(g, { shape: [size, 1] })).sum().backward();
    return Array.from(x.grad!.data);
  };
  const [training, evaluation] = [gradient(true), gradient(false)];
  const sum = (list: number[]) => list.reduce((sum, value) => sum + value, 0);
  return {
    x: Array.from(values.data),
    g,
    direct,
    throughMean,
    throughVariance,
    training,
    evaluation,
    off: Math.max(
      ...training.map((dx, i) => Math.abs(dx - direct[i] - throughMean[i] - throughVariance[i])),
    ),
    trainingSum: sum(training),
    evaluationSum: sum(evaluation),
  };
}
