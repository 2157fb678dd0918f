/**
 * Running statistics recomputed from data, for weights that came about without them: averaged, shared,
 * pruned or fused ones.
 */
import { noGrad, Tensor } from "../../autograd/mod.ts";
import {
  assertOptions,
  maskedRows,
  PooledMoments,
  refuse,
  refuseKind,
  valuesOf,
  withoutWarnings,
  write,
} from "../../autograd/internal.ts";
import { assertModule } from "../module/arguments.ts";
import { causing } from "../module/cause.ts";
import { noteModes } from "../module/keeping_modes.ts";
import type { Module } from "../module/module.ts";
import { BatchNorm, type BatchNormForwardOptions } from "./batch_norm.ts";
import type { LayerMoments } from "./process_group.ts";

/** One batch: the input, or a list whose first element is the input. */
export type Batch = Tensor | readonly [Tensor, ...unknown[]] | readonly Tensor[];

/** How {@linkcode updateBn} runs. */
export interface UpdateBnOptions {
  /**
   * Whether the statistics are those of all samples together, layer by layer, whatever the batches;
   * the data are then read once for each layer. Otherwise as in PyTorch: one pass and the plain average
   * of the batches' statistics.
   */
  readonly exact?: boolean;
}

const ACTION = "run updateBn";

/**
 * Recomputes the running statistics of every BatchNorm from data.
 *
 * Compatible mode resets them, runs one pass in training mode with momentum `null` and puts modes and
 * momenta back. In exact mode layer l sees inputs that the layers before it normalise with their new
 * statistics, and gets the mean and unbiased variance of all samples: the same for every split and
 * order of the data. If something throws, even the data, everything is as it was.
 *
 * Weights do not move and nothing is recorded. A BatchNorm that is frozen, or in evaluation mode while
 * the model is in training mode, is left as it is.
 *
 * @param batches Tensors, or lists that start with one; at least one batch. With an async iterable the
 * call returns a promise; leave the model alone until it settles.
 * @param model The module; its `forward` takes such a tensor.
 * @param options `exact: true` for pooled statistics.
 * @throws {TypeError} if a batch is not a tensor.
 * @throws {RangeError} if there are no batches; in exact mode also if the data come in other batches when
 * they are read again, or a channel has one value in all of them.
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(1);
 * optim.swa.updateBn([tensor([[1], [2]]), tensor([[6], [7], [8]])], bn, { exact: true });
 * assertAlmostEquals(bn.runningMean!.item(), 4.8);
 * ```
 */
export function updateBn(
  batches: Iterable<Batch>,
  model: Module,
  options?: UpdateBnOptions,
): void;
/** As above, with batches that arrive over time. */
export function updateBn(
  batches: AsyncIterable<Batch>,
  model: Module,
  options?: UpdateBnOptions,
): Promise<void>;
export function updateBn(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  model: Module,
  options: UpdateBnOptions = {},
): void | Promise<void> {
  assertOptions(ACTION, options, ["exact"]);
  return recalibrate(batches, model, options.exact ?? false, (layer, own) => layer.pool(own));
}

/** How the moments of a layer's data become those that are set. */
export type Pooling = (layer: BatchNorm, own: LayerMoments) => LayerMoments;

/** {@linkcode updateBn} with a way of its own to pool moments, in exact mode. */
export function recalibrate(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  model: Module,
  exact: boolean,
  pooling: Pooling,
): void | Promise<void> {
  assertModule(ACTION, "model", model);
  const passes = recalibration(model, exact, pooling);
  const given: unknown = batches;
  if (has<Iterable<Batch>>(given, Symbol.iterator)) return run(given, passes, exact);
  if (has<AsyncIterable<Batch>>(given, Symbol.asyncIterator)) return runAsync(given, passes, exact);
  refuseKind(ACTION, "batches", batches, "an iterable of Tensors");
}

function has<T extends object>(value: unknown, kind: keyof T): value is T {
  return typeof value === "object" && value !== null &&
    typeof (value as Partial<T>)[kind] === "function";
}

/** The passes over the data: takes each batch, and `null` at the end of a pass. */
type Passes = Generator<undefined, void, Tensor | null>;

/** Feeds passes with data until they are done. */
function run(batches: Iterable<Batch>, passes: Passes, exact: boolean): void {
  if (passes.next().done) return;
  try {
    // An iterator can be read only once; later passes need its batches again.
    const isOneShot = exact && (batches as unknown) === batches[Symbol.iterator]();
    const data = isOneShot ? [...batches] : batches;
    do {
      for (const batch of data) passes.next(inputOf(batch));
    } while (!passes.next(null).done);
  } catch (error) {
    passes.throw(error);
  }
}

async function runAsync(
  batches: AsyncIterable<Batch>,
  passes: Passes,
  exact: boolean,
): Promise<void> {
  if (passes.next().done) return;
  try {
    const isOneShot = exact && (batches as unknown) === batches[Symbol.asyncIterator]();
    const data = isOneShot ? await Array.fromAsync(batches) : batches;
    do {
      for await (const batch of data) passes.next(inputOf(batch));
    } while (!passes.next(null).done);
  } catch (error) {
    passes.throw(error);
  }
}

function inputOf(batch: Batch): Tensor {
  const input: unknown = Array.isArray(batch) ? batch[0] : batch;
  if (!(input instanceof Tensor)) {
    refuseKind(ACTION, "batch", input, "a Tensor or a list that starts with one");
  }
  return input;
}

/** All passes of a recalibration; if they end by an error, all is as it was. */
function* recalibration(model: Module, exact: boolean, pooling: Pooling): Passes {
  const layers = model.modules().filter((module): module is BatchNorm =>
    module instanceof BatchNorm && module.runningMean !== null && !module.frozen &&
    (module.training || !model.training)
  );
  if (layers.length === 0) return;
  const restoreModes = noteModes(model);
  const buffers = model.buffers().map((buffer) => [buffer, valuesOf(buffer).slice()] as const);
  const undo = layers.map((layer) => layer.statistics.forget());
  try {
    yield* exact ? pooled(model, layers, pooling) : averaged(model, layers);
  } catch (error) {
    causing("recalibration", () => {
      for (const [buffer, values] of buffers) write(buffer, (broken) => broken.set(values));
    });
    for (const restore of undo) restore();
    throw error;
  } finally {
    restoreModes();
  }
}

/** One pass: runs the model on each batch and returns their number. */
function* onePass(model: Module): Generator<undefined, number, Tensor | null> {
  for (let read = 0;; read++) {
    const x = yield;
    if (x !== null) {
      causing("recalibration", () => withoutWarnings(() => noGrad(() => model.forward(x))));
    } else if (read > 0) {
      return read;
    } else {
      refuse(ACTION, "no batches", "at least one");
    }
  }
}

/** PyTorch's way: each layer averages its batches' statistics in one common pass. */
function* averaged(model: Module, layers: readonly BatchNorm[]): Passes {
  const chosen = new Set<Module>(layers);
  const settings = layers.map((layer) => [layer, layer.momentum, layer.statsAccumulated] as const);
  model.train();
  for (const module of model.modules()) {
    if (module instanceof BatchNorm && !chosen.has(module)) module.setMode(false);
  }
  try {
    for (const layer of layers) {
      layer.accumulateStats(1);
      causing("recalibration", () => layer.resetRunningStats());
      layer.momentum = null;
    }
    yield* onePass(model);
  } finally {
    for (const [layer, momentum, accumulated] of settings) {
      layer.momentum = momentum;
      layer.accumulateStats(accumulated);
    }
  }
}

/** Each layer's moments over all data, in the order in which the layers run. */
function* pooled(model: Module, layers: readonly BatchNorm[], pooling: Pooling): Passes {
  model.eval();
  const waiting = new Set(layers);
  let batchCount: number | null = null;
  while (waiting.size > 0) {
    const { found, read } = yield* gather(model, waiting);
    if (batchCount !== null && read !== batchCount) {
      refuse(
        ACTION,
        `${batchCount} batches and then ${read}`,
        "data that can be read once for each layer: a list, or an iterable that starts over",
      );
    }
    batchCount = read;
    if (found === null) return;
    const { moments, batches } = pooling(found.layer, found);
    causing("recalibration", () => found.layer.statistics.set(moments, batches));
    waiting.delete(found.layer);
  }
}

interface Gathered {
  readonly layer: BatchNorm;
  readonly moments: PooledMoments;
  batches: number;
}

/** One pass over the data: the moments of the first waiting layer that runs. */
function* gather(
  model: Module,
  waiting: ReadonlySet<BatchNorm>,
): Generator<undefined, { found: Gathered | null; read: number }, Tensor | null> {
  let found: Gathered | null = null;
  const hooks = [...waiting].map((layer) =>
    layer.registerForwardPreHook((_, inputs: unknown[]) => {
      const [x, options] = inputs as [Tensor, BatchNormForwardOptions?];
      found ??= { layer, moments: new PooledMoments(x.shape[1]), batches: 0 };
      if (found.layer !== layer) return;
      const mask = options?.mask ?? null;
      found.moments.addBatch(mask === null ? x : maskedRows(x, mask));
      found.batches++;
    })
  );
  try {
    const read = yield* onePass(model);
    return { found, read };
  } finally {
    hooks.forEach((hook) => hook.remove());
  }
}
