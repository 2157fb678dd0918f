/**
 * Normalisations within a sample, which behave alike in training and evaluation.
 */
import {
  assertOptions,
  type Known,
  normalizeBatch,
  normalizeGroups,
  scaleRows,
  valuesOf,
  write,
} from "../../autograd/internal.ts";
import { type Shape, Tensor } from "../../autograd/mod.ts";

/** Options of {@linkcode layerNorm} and {@linkcode groupNorm}. */
export interface EpsOptions {
  /** Added to the variance. */
  readonly eps?: number;
}

const EPS: Known<EpsOptions> = ["eps"];

/**
 * Normalises over the last axes.
 *
 * y = (x − μ)/√(σ² + eps) · weight + bias with μ and σ² (biased) over the axes of `normalizedShape`.
 *
 * Shapes: x [*, …normalizedShape]; weight and bias of `normalizedShape`. Gradient: to all three, of
 * every order.
 *
 * @throws {RangeError} if the last axes of x, weight or bias are not of that shape.
 * @see Ba, Kiros, Hinton: Layer Normalization, 2016.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const y = nn.functional.layerNorm(tensor([[1, 3]]), [2], null, null, { eps: 0 });
 * assertAlmostEquals(y.data[1], 1);
 * ```
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: Shape | number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: EpsOptions = {},
): Tensor {
  assertOptions("run layerNorm", options, EPS);
  const shape = checkNormalizedShape("layerNorm", x, normalizedShape, { weight, bias });
  const size = shape.reduce((product, n) => product * n, 1);
  if (size === 0) return scaleEmpty(x, weight, bias);
  const rows = x.reshape([x.size / size, size, 1]);
  const flat = (t: Tensor | null) => t === null ? null : t.reshape([size]);
  return normalizeGroups(rows, flat(weight), flat(bias), 1, options.eps ?? 1e-5)
    .y.reshape(x.shape);
}

/**
 * Scales the last axes to a root mean square of 1.
 *
 * y = x/√(S(x²) + eps) · weight; eps is the distance from 1 to the next number where left out.
 *
 * Shapes: x [*, …normalizedShape]; weight of `normalizedShape`.
 *
 * @throws {RangeError} if the last axes of x or weight are not of that shape.
 * @see Zhang, Sennrich: Root Mean Square Layer Normalization, 2019.
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: Shape | number,
  weight: Tensor | null = null,
  options: { readonly eps?: number | null } = {},
): Tensor {
  assertOptions("run rmsNorm", options, EPS);
  const shape = checkNormalizedShape("rmsNorm", x, normalizedShape, { weight });
  const size = shape.reduce((product, n) => product * n, 1);
  if (size === 0) return scaleEmpty(x, weight, null);
  const rows = x.reshape([x.size / size, size]);
  return scaleRows(rows, weight?.reshape([size]) ?? null, options.eps ?? Number.EPSILON)
    .reshape(x.shape);
}

/**
 * Normalises each sample over groups of channels.
 *
 * Shapes: x [N, C, …]; weight and bias [C]. Gradient: to all three, of every order.
 *
 * @throws {RangeError} if x has no channel axis, the groups do not divide the channels, or a group
 * holds a single value.
 * @see Wu, He: Group Normalization, 2018.
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: EpsOptions = {},
): Tensor {
  assertOptions("run groupNorm", options, EPS);
  const channels = checkChannels("groupNorm", x, { weight, bias });
  if (!Number.isInteger(numGroups) || numGroups <= 0) {
    throw new RangeError(
      `Cannot run groupNorm: got numGroups ${numGroups}, expected a whole number of at least 1`,
    );
  }
  if (channels % numGroups !== 0) {
    throw new RangeError(
      `Cannot run groupNorm: got x of shape [${x.shape.join(", ")}] and ${numGroups} groups, ` +
        `expected a number of channels that the groups divide`,
    );
  }
  if (x.size / numGroups === 1) {
    throw new RangeError(
      `Cannot run groupNorm: Expected more than 1 value per channel when training, got input size ` +
        `[${x.shape.join(", ")}]`,
    );
  }
  const positions = x.shape.slice(2).reduce((product, n) => product * n, 1);
  const flat = x.reshape([x.shape[0], channels, positions]);
  return normalizeGroups(flat, weight, bias, numGroups, options.eps ?? 1e-5).y.reshape(x.shape);
}

/** Options of {@linkcode instanceNorm}. */
export interface InstanceNormOptions extends EpsOptions {
  /** [C]; written while the input's statistics are used, read otherwise. */
  readonly runningMean?: Tensor | null;
  /** [C], unbiased. */
  readonly runningVar?: Tensor | null;
  /** γ, [C]. */
  readonly weight?: Tensor | null;
  /** β, [C]. */
  readonly bias?: Tensor | null;
  /** Whether to use each image's own statistics; else the running ones. */
  readonly useInputStats?: boolean;
  /** The weight of the new statistics in the running ones. */
  readonly momentum?: number;
}

const INSTANCE_NORM: Known<InstanceNormOptions> = [
  "runningMean",
  "runningVar",
  "weight",
  "bias",
  "useInputStats",
  "momentum",
  "eps",
];

/**
 * Normalises each channel of each sample.
 *
 * The running statistics, if given, get the averages over the samples of their means and unbiased
 * variances.
 *
 * Shapes: x [N, C, …]; all options [C]. Gradient: to x, weight and bias, of every order.
 *
 * @throws {RangeError} if a channel of a sample holds one value, or running statistics are missing.
 * @see Ulyanov, Vedaldi, Lempitsky: Instance Normalization, 2016.
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  assertOptions("run instanceNorm", options, INSTANCE_NORM);
  const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  const channels = checkChannels("instanceNorm", x, { runningMean, runningVar, weight, bias });
  if (!useInputStats) {
    if (runningMean === null || runningVar === null) {
      throw new RangeError(
        "Cannot run instanceNorm: got no running statistics, expected runningMean and runningVar " +
          "where useInputStats is false",
      );
    }
    return normalizeBatch(x, weight, bias, { mean: runningMean, variance: runningVar }, eps).y;
  }
  if (x.size === 0) {
    const perChannel = (t: Tensor | null) =>
      t === null ? null : t.reshape([channels, ...x.shape.slice(2).fill(1)]);
    return scaleEmpty(x, perChannel(weight), perChannel(bias));
  }
  const positions = x.size / (x.shape[0] * channels);
  if (positions === 1) {
    throw new RangeError(
      `Cannot run instanceNorm: Expected more than 1 spatial element when training, got input size ` +
        `[${x.shape.join(", ")}]`,
    );
  }
  const flat = x.reshape([x.shape[0], channels, positions]);
  const { y, mean, low, variance } = normalizeGroups(flat, weight, bias, channels, eps);
  const correction = positions / (positions - 1);
  track(runningMean, momentum, mean, (i) => valuesOf(mean)[i] + valuesOf(low)[i]);
  track(runningVar, momentum, variance, (i) => valuesOf(variance)[i] * correction);
  return y.reshape(x.shape);
}

/** Nothing to normalise, but weight and bias stay on the tape, with gradients of 0. */
function scaleEmpty(x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  const scaled = weight === null ? x.clone() : x.mul(weight);
  return bias === null ? scaled : scaled.add(bias);
}

/** running ← (1 − momentum)·running + momentum·(average over the samples). */
function track(
  running: Tensor | null,
  momentum: number,
  { shape: [n, c] }: Tensor,
  value: (at: number) => number,
): void {
  if (running === null) return;
  write(running, (values) => {
    for (let channel = 0; channel < c; channel++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += value(i * c + channel);
      values[channel] = (1 - momentum) * values[channel] + momentum * (sum / n);
    }
  });
}

type Optional = Readonly<Record<string, Tensor | null>>;

function checkKinds(action: string, x: unknown, optional: Optional): void {
  for (const [name, value] of [["x", x], ...Object.entries(optional)] as [string, unknown][]) {
    if (value instanceof Tensor || (value === null && name !== "x")) continue;
    throw new TypeError(
      `Cannot run ${action}: got ${name} ${String(value)}, expected a Tensor` +
        (name === "x" ? "" : " or null"),
    );
  }
}

function checkNormalizedShape(
  action: string,
  x: Tensor,
  normalizedShape: Shape | number,
  optional: Optional,
): Shape {
  checkKinds(action, x, optional);
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const tail = x.shape.slice(x.ndim - shape.length);
  const fits = (got: Shape) => got.length === shape.length && got.every((n, i) => n === shape[i]);
  if (shape.length === 0 || !fits(tail)) {
    throw new RangeError(
      `Cannot run ${action}: got x of shape [${x.shape.join(", ")}], expected one that ends with ` +
        `normalizedShape [${shape.join(", ")}] of at least one axis`,
    );
  }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== null && !fits(value.shape)) {
      throw new RangeError(
        `Cannot run ${action}: got ${name} of shape [${value.shape.join(", ")}], expected ` +
          `normalizedShape [${shape.join(", ")}]`,
      );
    }
  }
  return shape;
}

function checkChannels(action: string, x: Tensor, optional: Optional): number {
  checkKinds(action, x, optional);
  if (x.ndim < 2) {
    throw new RangeError(
      `Cannot run ${action}: got x of shape [${x.shape.join(", ")}], expected at least 2 dims, ` +
        `[N, C, …]`,
    );
  }
  const channels = x.shape[1];
  for (const [name, value] of Object.entries(optional)) {
    if (value !== null && (value.ndim !== 1 || value.size !== channels)) {
      throw new RangeError(
        `Cannot run ${action}: got ${name} of shape [${value.shape.join(", ")}], expected ` +
          `[${channels}]`,
      );
    }
  }
  return channels;
}
