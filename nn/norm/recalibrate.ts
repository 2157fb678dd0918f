/**
 * Running statistics taken anew from data, for weights that came about without them: averaged, shared,
 * pruned or fused ones.
 */
import { noGrad, Tensor } from "../../autograd/mod.ts";
import { assertOptions, valuesOf, withoutWarnings, write } from "../../autograd/internal.ts";
import { BatchNorm, type BatchNormForwardOptions } from "./batch_norm.ts";
import { keepingModes } from "../module/keeping_modes.ts";
import { validPositions } from "./masked_batch_norm.ts";
import type { Module } from "../module/module.ts";
import { PooledMoments } from "./moments.ts";

/** One batch: the input, or a list whose first element is the input. */
export type Batch = Tensor | readonly [Tensor, ...unknown[]];

/** How {@linkcode updateBn} runs. */
export interface UpdateBnOptions {
  /**
   * Whether the statistics are those of all samples together, layer by layer, whatever the batches;
   * the data are then read once for each layer. Else as in PyTorch: one pass and the plain average of
   * the batches' statistics.
   */
  readonly exact?: boolean;
}

/**
 * Takes the running statistics of every BatchNorm anew from data.
 *
 * Compatible mode resets them, runs one pass in training mode with momentum `null` and puts modes and
 * momenta back. In exact mode layer l sees inputs that the layers before it normalise with their new
 * statistics, and gets the mean and unbiased variance of all samples: the same for every split and
 * order of the data. If something throws, the data for instance, everything is as it was.
 *
 * Weights do not move and nothing is recorded. A BatchNorm that is frozen, or in evaluation mode while
 * the model is in training mode, is left as it is.
 *
 * @param batches Tensors, or lists that start with one.
 * @param model The module; its `forward` takes such a tensor.
 * @param options `exact: true` for pooled statistics.
 * @throws {TypeError} if a batch is no tensor.
 * @throws {RangeError} in exact mode, if the data come in other batches when they are read again, or
 * a channel has one value in all of them.
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
  options: UpdateBnOptions = {},
): void {
  assertOptions("run updateBn", options, ["exact"]);
  const layers = model.modules().filter((module): module is BatchNorm =>
    module instanceof BatchNorm && module.runningMean !== null && !module.frozen &&
    (module.training || !model.training)
  );
  if (layers.length === 0) return;
  const run = options.exact ? pooled : averaged;
  keepingModes(
    model,
    () =>
      unlessThrown(model, () => withoutWarnings(() => noGrad(() => run(batches, model, layers)))),
  );
}

/** Runs `fn`; if it throws, every buffer gets its values back. */
function unlessThrown(model: Module, fn: () => void): void {
  const before = model.buffers().map((buffer) => [buffer, valuesOf(buffer).slice()] as const);
  try {
    fn();
  } catch (error) {
    for (const [buffer, values] of before) {
      write(buffer, (broken) => broken.set(values));
    }
    throw error;
  }
}

function inputOf(batch: Batch): Tensor {
  const input: unknown = Array.isArray(batch) ? batch[0] : batch;
  if (!(input instanceof Tensor)) {
    throw new TypeError(
      `Cannot run updateBn: got a batch of ${typeof input}, expected a Tensor or a list that starts ` +
        `with one`,
    );
  }
  return input;
}

/** PyTorch's way: each layer averages its batches' statistics in one common pass. */
function averaged(batches: Iterable<Batch>, model: Module, layers: readonly BatchNorm[]): void {
  const chosen = new Set<Module>(layers);
  const momenta = layers.map((layer) => layer.momentum);
  const resume = layers.map((layer) => layer.suspendAccumulation());
  model.train();
  for (const module of model.modules()) {
    if (module instanceof BatchNorm && !chosen.has(module)) module.setMode(false);
  }
  try {
    for (const layer of layers) {
      layer.resetRunningStats();
      layer.momentum = null;
    }
    for (const batch of batches) model.forward(inputOf(batch));
  } finally {
    layers.forEach((layer, i) => layer.momentum = momenta[i]);
    for (const putBack of resume) putBack();
  }
}

/** Each layer's moments over all data, in the order in which the layers run. */
function pooled(batches: Iterable<Batch>, model: Module, layers: readonly BatchNorm[]): void {
  // An iterator can be read once only; the passes after the first need its batches again.
  const data = isOneShot(batches) ? [...batches] : batches;
  model.eval();
  const waiting = new Set(layers);
  let batchCount: number | null = null;
  while (waiting.size > 0) {
    const { found, read } = gather(data, model, waiting);
    if (batchCount !== null && read !== batchCount) {
      throw new RangeError(
        `Cannot run updateBn: got ${batchCount} batches and then ${read}, expected data that can be ` +
          `read once for each layer: a list, or an iterable that begins anew`,
      );
    }
    batchCount = read;
    if (found === null) return;
    found.layer.setRunningStats(found.moments, found.calls);
    waiting.delete(found.layer);
  }
}

function isOneShot(batches: Iterable<Batch>): boolean {
  return (batches as unknown) === batches[Symbol.iterator]();
}

interface Gathered {
  readonly layer: BatchNorm;
  readonly moments: PooledMoments;
  calls: number;
}

/** One pass over the data: the moments of the first waiting layer that runs. */
function gather(
  data: Iterable<Batch>,
  model: Module,
  waiting: ReadonlySet<BatchNorm>,
): { found: Gathered | null; read: number } {
  let found: Gathered | null = null;
  let read = 0;
  const hooks = [...waiting].map((layer) =>
    layer.registerForwardPreHook((_, inputs: unknown[]) => {
      const [x, options] = inputs as [Tensor, BatchNormForwardOptions?];
      found ??= { layer, moments: new PooledMoments(x.shape[1]), calls: 0 };
      if (found.layer !== layer) return;
      const mask = options?.mask ?? null;
      found.moments.addBatch(mask === null ? x : validPositions(x, mask));
      found.calls++;
    })
  );
  try {
    for (const batch of data) {
      model.forward(inputOf(batch));
      read++;
    }
  } finally {
    hooks.forEach((hook) => hook.remove());
  }
  return { found, read };
}
