/**
 * Running statistics taken anew from data, for weights that came about without them: averaged, shared,
 * pruned or fused ones.
 */
import { noGrad, Tensor } from "../autograd/mod.ts";
import { withoutWarnings } from "../autograd/warnings.ts";
import { BatchNorm } from "./batch_norm.ts";
import type { Module } from "./module.ts";
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
 * momenta back, also if the data throw. In exact mode layer l sees inputs that the layers before it
 * normalise with their new statistics, and gets the mean and unbiased variance of all samples: the
 * same for every split and order of the data. If something throws in exact mode nothing has changed.
 *
 * Weights do not move and nothing is recorded. A BatchNorm that is frozen, or in evaluation mode while
 * the model is in training mode, is left as it is.
 *
 * @param batches Tensors, or lists that start with one.
 * @param model The module; its `forward` takes such a tensor.
 * @param options `exact: true` for pooled statistics.
 * @throws {TypeError} if a batch is no tensor.
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
  const layers = model.modules().filter((module): module is BatchNorm =>
    module instanceof BatchNorm && module.runningMean !== null && !module.frozen &&
    (module.training || !model.training)
  );
  if (layers.length === 0) return;
  const modes = model.modules().map((module) => ({ module, training: module.training }));
  const momenta = layers.map((layer) => layer.momentum);
  try {
    const run = options.exact ? pooled : averaged;
    withoutWarnings(() => noGrad(() => run(batches, model, layers)));
  } finally {
    for (const { module, training } of modes) module.training = training;
    layers.forEach((layer, i) => layer.momentum = momenta[i]);
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
  model.train();
  for (const module of model.modules()) {
    if (module instanceof BatchNorm && !chosen.has(module)) module.training = false;
  }
  for (const layer of layers) {
    layer.resetRunningStats();
    layer.momentum = null;
  }
  for (const batch of batches) model.forward(inputOf(batch));
}

/** Each layer's moments over all data, in the order in which the layers run. */
function pooled(batches: Iterable<Batch>, model: Module, layers: readonly BatchNorm[]): void {
  // An iterator can be read once only; the passes after the first need its batches again.
  const data = isOneShot(batches) ? [...batches] : batches;
  const before = layers.map((layer) => saveStatistics(layer));
  model.eval();
  const waiting = new Set(layers);
  try {
    while (waiting.size > 0) {
      const next = gather(data, model, waiting);
      if (next === null) return;
      next.layer.setRunningStats(next.moments, next.batches);
      waiting.delete(next.layer);
    }
  } catch (error) {
    layers.forEach((layer, i) => restoreStatistics(layer, before[i]));
    throw error;
  }
}

function isOneShot(batches: Iterable<Batch>): boolean {
  return (batches as unknown) === batches[Symbol.iterator]();
}

/** One pass over the data: the moments of the first waiting layer that runs. */
function gather(
  data: Iterable<Batch>,
  model: Module,
  waiting: ReadonlySet<BatchNorm>,
): { layer: BatchNorm; moments: PooledMoments; batches: number } | null {
  let found: { layer: BatchNorm; moments: PooledMoments; batches: number } | null = null;
  const hooks = [...waiting].map((layer) =>
    layer.registerForwardPreHook((_, [x]: Tensor[]) => {
      found ??= { layer, moments: new PooledMoments(layer.numFeatures), batches: 0 };
      if (found.layer !== layer) return;
      found.moments.addBatch(x);
      found.batches++;
    })
  );
  try {
    for (const batch of data) model.forward(inputOf(batch));
  } finally {
    hooks.forEach((hook) => hook.remove());
  }
  return found;
}

type Statistics = readonly (readonly number[] | null)[];

function saveStatistics(layer: BatchNorm): Statistics {
  return [layer.runningMean, layer.runningVar, layer.numBatchesTracked].map((buffer) =>
    buffer === null ? null : [...buffer.storage.values]
  );
}

function restoreStatistics(layer: BatchNorm, saved: Statistics): void {
  [layer.runningMean, layer.runningVar, layer.numBatchesTracked].forEach((buffer, i) => {
    if (buffer === null) return;
    buffer.storage.values.set(saved[i]!);
    buffer.storage.version++;
  });
}
