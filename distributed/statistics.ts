/**
 * What is measured on all ranks together.
 */
import { type Tensor, tensor } from "../autograd/mod.ts";
import { assertOptions, describe, scaleKeeping } from "../autograd/internal.ts";
import type { Module } from "../nn/module/module.ts";
import { recalibrate } from "../nn/norm/recalibrate.ts";
import { clipGradNorm_ as clipOwn } from "../nn/utils/parameters.ts";
import { groupFor } from "./group.ts";
import { poolIn } from "./seam.ts";

/**
 * Recomputes the running statistics of every BatchNorm from the data of all ranks together, exactly: each layer
 * gets the mean and unbiased variance of all samples, the same for every split over ranks and batches. As
 * `optim.swa.updateBn` with `exact: true`, which does that for each rank's own data.
 *
 * @param batches The own batches, at least one; one of no samples will do. Read once for each layer.
 * @param model The module.
 * @throws {TypeError} if a batch is not a tensor. @throws {RangeError} if there are no batches.
 * @throws {Error} before `init()`.
 *
 * @example
 * ```ts
 * import { init, updateBn } from "@tapegrad/tapegrad/distributed";
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * using _group = init();
 * const bn = new nn.BatchNorm1d(1);
 * updateBn([tensor([[1], [2]]), tensor([[6]])], bn);
 * assertAlmostEquals(bn.runningMean!.item(), 3);
 * ```
 */
export function updateBn(
  batches: Iterable<Tensor | readonly [Tensor, ...unknown[]]>,
  model: Module,
): void {
  const group = groupFor("run updateBn");
  void recalibrate(batches, model, true, (_, own) => poolIn(group, own));
}

/** How {@linkcode clipGradNorm_} runs. */
export interface ClipOptions {
  /** The p of the norm; ±Infinity for the largest or smallest absolute value, 2 where left out. */
  readonly normType?: number;
  /** Whether a norm that is NaN or infinite throws, before anything is scaled. */
  readonly errorIfNonfinite?: boolean;
  /**
   * Whether each rank has parameters of its own, whose norms count together. Otherwise all ranks have the same
   * gradients, as after the backward of a DistributedDataParallel.
   */
  readonly sharded?: boolean;
}

/**
 * Scales the gradients of all ranks together so that their norm is at most `maxNorm`, by the same factor on all.
 *
 * @param params A tensor or an iterable of tensors.
 * @param maxNorm The bound, at least 0.
 * @param options See {@linkcode ClipOptions}.
 * @returns The norm before clipping, a scalar, the same on all ranks.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value. @throws {Error} before `init()`.
 *
 * @example
 * ```ts
 * import { clipGradNorm_, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * using _group = init();
 * const w = tensor([0, 0], { requiresGrad: true });
 * w.grad = tensor([3, 4]);
 * assertAlmostEquals(clipGradNorm_([w], 1).item(), 5);
 * ```
 */
export function clipGradNorm_(
  params: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipOptions = {},
): Tensor {
  const action = "run clipGradNorm_";
  assertOptions(action, options, ["normType", "errorIfNonfinite", "sharded"]);
  const group = groupFor(action);
  const { sharded = false, ...rest } = options;
  if (!sharded || group.size === 1) return clipOwn(params, maxNorm, rest);
  const given: unknown = params;
  const list = typeof given === "object" && given !== null && Symbol.iterator in given
    ? [...given as Iterable<Tensor>]
    : [given as Tensor];
  // Without a bound nothing is scaled: this measures, and refuses what is wrong.
  const own = clipOwn(list, Infinity, { normType: rest.normType }).item();
  const norm = normOfAll(own, rest.normType ?? 2);
  if (rest.errorIfNonfinite && !Number.isFinite(norm)) {
    throw new RangeError(
      `Cannot ${action}: got gradients with a norm of ${norm}, expected a finite one`,
    );
  }
  if (typeof maxNorm !== "number" || !(maxNorm >= 0)) {
    throw new (typeof maxNorm === "number" ? RangeError : TypeError)(
      `Cannot ${action}: got maxNorm ${describe(maxNorm)}, expected a number of at least 0`,
    );
  }
  const factor = Math.min(1, maxNorm / (norm + 1e-6));
  for (const { grad } of list) {
    if (grad === null) continue;
    scaleKeeping(grad, (values) => {
      for (let i = 0; i < values.length; i++) values[i] *= factor;
    });
  }
  return tensor(norm);
}

function normOfAll(own: number, p: number): number {
  const group = groupFor("run clipGradNorm_");
  const all = new Float64Array(group.size);
  group.gather("clipGradNorm_", Float64Array.of(own), new Int32Array(group.size).fill(1), all);
  if (p === Infinity) return Math.max(...all);
  if (p === -Infinity) return Math.min(...all);
  if (p === 2) return Math.hypot(...all);
  return all.reduce((sum, norm) => sum + norm ** p, 0) ** (1 / p);
}

/**
 * The means of measurements over the samples of all ranks: Σ count·value / Σ count.
 *
 * @param values Means over the own samples, by name; the same names on all ranks. Those of no samples, even NaN,
 * do not count.
 * @param count How many samples the own ones are.
 * @returns The means over all, bit for bit the same on all ranks.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} if `count` is negative. @throws {Error} before
 * `init()`.
 *
 * @example
 * ```ts
 * import { init, reduceMetrics } from "@tapegrad/tapegrad/distributed";
 * import { assertEquals } from "@std/assert";
 *
 * using _group = init();
 * assertEquals(reduceMetrics({ loss: 0.5, accuracy: 0.75 }, 64), { loss: 0.5, accuracy: 0.75 });
 * ```
 */
export function reduceMetrics<Name extends string>(
  values: Readonly<Record<Name, number>>,
  count: number,
): Record<Name, number> {
  const action = "reduce metrics";
  const group = groupFor(action);
  const names = Object.keys(values) as Name[];
  for (const [name, value] of Object.entries({ count, ...values })) {
    if (typeof value === "number") continue;
    throw new TypeError(`Cannot ${action}: got ${name} ${describe(value)}, expected a number`);
  }
  if (!(count >= 0)) {
    throw new RangeError(`Cannot ${action}: got count ${count}, expected a number of at least 0`);
  }
  const sums = Float64Array.of(
    count,
    ...names.map((name) => count === 0 ? 0 : count * values[name]),
  );
  group.reduce("reduceMetrics", sums, "sum");
  return Object.fromEntries(
    names.map((name, i) => [name, sums[i + 1] / sums[0]]),
  ) as Record<Name, number>;
}
