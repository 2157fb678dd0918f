/**
 * Negative log likelihoods of distributions, and the divergence between them.
 */
import {
  add,
  broadcastTo,
  clamp,
  div,
  exp,
  gt,
  log,
  mul,
  type Reduction,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
} from "../../autograd/mod.ts";
import { formatShape, refuse, sameShape, valuesOf } from "../../autograd/internal.ts";
import {
  assertTensors,
  checkBroadcast,
  type LossOptions,
  readOptions,
  reduce,
} from "./operands.ts";

/** Options of {@linkcode klDiv}. */
export interface KlDivOptions {
  /** `"batchmean"` divides the sum by the size of axis 0: the divergence as it is defined. */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target holds log-probabilities too. */
  readonly logTarget?: boolean;
}

/**
 * The Kullback-Leibler divergence of each element: target · (ln target − x), with x
 * log-probabilities; 0 where the target is 0. With `logTarget`: e^target · (target − x).
 *
 * Shapes: x and target broadcastable → a scalar, or the broadcast shape with reduction "none". "mean"
 * divides by the number of elements, which is not the divergence: that is "batchmean". Gradient:
 * −target·g to x, (ln target + 1 − x)·g to target.
 *
 * @param x Log-probabilities.
 * @param target Probabilities, or with `logTarget` their logarithms.
 * @param options reduction = "mean", logTarget = false.
 * @returns The divergence.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 *
 * @example
 * ```ts
 * import { log, nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const p = tensor([[0.5, 0.5]]);
 * const q = tensor([[0.25, 0.75]]);
 * const divergence = nn.functional.klDiv(log(q), p, { reduction: "batchmean" });
 * assertAlmostEquals(divergence.item(), 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3));
 * ```
 */
export function klDiv(x: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const defaults = { reduction: "mean", logTarget: false } as const;
  const words = ["none", "batchmean", "sum", "mean"];
  const { reduction, logTarget } = readOptions("run klDiv", options, defaults, words);
  checkBroadcast("run klDiv", { x, target });
  const losses = logTarget
    ? mul(exp(target), sub(target, x))
    : sub(timesLog(target), mul(target, x));
  if (reduction !== "batchmean") return reduce(losses, reduction);
  const total = sum(losses);
  return x.ndim === 0 ? total : div(total, x.shape[0]);
}

/** t·ln t, 0 at 0. */
function timesLog(t: Tensor): Tensor {
  const positive = valuesOf(t).some((value) => value === 0)
    ? where(tensor(valuesOf(t).map((v) => v === 0 ? 1 : 0), { shape: t.shape }), 1, t)
    : t;
  return mul(t, log(positive));
}

/** Options of {@linkcode poissonNllLoss}. */
export interface PoissonNllLossOptions extends LossOptions {
  /** Whether x is the logarithm of the rate; true where left out. */
  readonly logInput?: boolean;
  /** Whether Stirling's approximation of ln target! is added. */
  readonly full?: boolean;
  /** Added to a rate before its logarithm is taken; 1e-8 where left out. */
  readonly eps?: number;
}

/**
 * The negative log likelihood of counts under Poisson distributions: eˣ − target·x, or without
 * `logInput` x − target·ln(x + eps).
 *
 * With `full`, target·ln target − target + ln(2π·target)/2 is added for targets above 1.
 *
 * Shapes: x and target broadcastable → a scalar, or the broadcast shape with reduction "none".
 *
 * @param x The logarithms of the rates, or the rates.
 * @param target Counts.
 * @param options logInput = true, full = false, eps = 1e-8, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 */
export function poissonNllLoss(
  x: Tensor,
  target: Tensor,
  options: PoissonNllLossOptions = {},
): Tensor {
  const action = "run poissonNllLoss";
  const defaults = { logInput: true, full: false, eps: 1e-8, reduction: "mean" } as const;
  const { logInput, full, eps, reduction } = readOptions(action, options, defaults);
  checkBroadcast(action, { x, target });
  const losses = logInput ? sub(exp(x), mul(target, x)) : sub(x, mul(target, log(add(x, eps))));
  return reduce(full ? add(losses, stirling(target)) : losses, reduction);
}

/** t·ln t − t + ln(2πt)/2 for t above 1, else 0. */
function stirling(target: Tensor): Tensor {
  const large = gt(target, 1);
  const t = where(large, target, 1);
  const value = add(sub(mul(t, log(t)), t), mul(log(mul(t, 2 * Math.PI)), 0.5));
  return where(large, value, 0);
}

/** Options of {@linkcode gaussianNllLoss}. */
export interface GaussianNllLossOptions extends LossOptions {
  /** Whether the constant ln(2π)/2 is added. */
  readonly full?: boolean;
  /** The least variance; smaller ones count as this, their gradient as if they did not. 1e-6. */
  readonly eps?: number;
}

/**
 * The negative log likelihood of targets under normal distributions:
 * (ln variance + (x − target)²/variance) / 2.
 *
 * Shapes: x and target broadcastable; the variance of the shape of x, or without its last axis, or
 * with a 1 in one place → a scalar, or the broadcast shape with reduction "none".
 *
 * @param x The means.
 * @param target The observations.
 * @param variance A tensor or a number, nothing below 0.
 * @param options full = false, eps = 1e-6, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit or a variance is negative.
 */
export function gaussianNllLoss(
  x: Tensor,
  target: Tensor,
  variance: Tensor | number,
  options: GaussianNllLossOptions = {},
): Tensor {
  const action = "run gaussianNllLoss";
  const defaults = { full: false, eps: 1e-6, reduction: "mean" } as const;
  const { full, eps, reduction } = readOptions(action, options, defaults);
  checkBroadcast(action, { x, target });
  const given = typeof variance === "number"
    ? broadcastTo(tensor(variance), x.shape)
    : fittingVariance(action, x, variance);
  for (const value of valuesOf(given)) {
    if (value < 0) {
      refuse(action, `variance ${value}`, "none below 0");
    }
  }
  // The bound is not differentiated: the gradient at a variance below it leads away from there.
  const raised = sub(clamp(given.detach(), { min: eps }), given.detach());
  const spread = add(given, raised);
  const losses = mul(add(log(spread), div(square(sub(x, target)), spread)), 0.5);
  return reduce(full ? add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, reduction);
}

function fittingVariance(action: string, x: Tensor, variance: Tensor): Tensor {
  assertTensors(action, { variance });
  const { shape } = variance;
  if (sameShape(x.shape, shape)) return variance;
  if (sameShape(x.shape.slice(0, -1), shape)) return reshape(variance, [...shape, 1]);
  const different = shape.filter((n, i) => n !== x.shape[i]);
  if (x.ndim === variance.ndim && different.length === 1 && different[0] === 1) return variance;
  refuse(
    action,
    `variance of shape ${formatShape(shape)} for x of shape ${formatShape(x.shape)}`,
    "that of x, without its last axis, or with a 1 in one place",
  );
}
