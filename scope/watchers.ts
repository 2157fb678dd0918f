/**
 * Hands what batch norm layers do to those who watch them: several may, and each sees its own layers.
 */
import type { BatchNorm } from "../nn/norm/batch_norm.ts";
import { type NormWatcher, setNormWatcher } from "../nn/norm/watch.ts";

/** The watchers of each layer. */
const watchers = new Map<BatchNorm, Set<NormWatcher>>();

const dispatcher: NormWatcher = {
  before(layer) {
    for (const watcher of watchers.get(layer) ?? []) watcher.before(layer);
  },
  after(layer, moments) {
    for (const watcher of watchers.get(layer) ?? []) watcher.after(layer, moments);
  },
};

/** Watches layers until the handle is removed. */
export function watchNorms(
  layers: readonly BatchNorm[],
  watcher: NormWatcher,
): { remove(): void } {
  for (const layer of layers) {
    const own = watchers.get(layer) ?? new Set();
    watchers.set(layer, own.add(watcher));
  }
  if (watchers.size > 0) setNormWatcher(dispatcher);
  return {
    remove() {
      for (const layer of layers) {
        const own = watchers.get(layer);
        own?.delete(watcher);
        if (own?.size === 0) watchers.delete(layer);
      }
      if (watchers.size === 0) setNormWatcher(null);
    },
  };
}
