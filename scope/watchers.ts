/**
 * Hands what batch norm layers do to those who watch them: several may, and each sees its own layers.
 */
import { type EditWatcher, watchEdits } from "../autograd/internal.ts";
import type { BatchNorm } from "../nn/norm/batch_norm.ts";
import { type NormWatcher, setNormWatcher } from "../nn/norm/watch.ts";

/** Sees what its layers do, and every edit in place. */
export interface Watcher extends NormWatcher {
  /** Called after each edit of any tensor. */
  readonly edited: EditWatcher;
}

const all = new Set<Watcher>();
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
  watcher: Watcher,
): { remove(): void } {
  for (const layer of layers) {
    const own = watchers.get(layer) ?? new Set();
    watchers.set(layer, own.add(watcher));
  }
  if (layers.length > 0) all.add(watcher);
  attach();
  return {
    remove() {
      for (const layer of layers) {
        const own = watchers.get(layer);
        own?.delete(watcher);
        if (own?.size === 0) watchers.delete(layer);
      }
      all.delete(watcher);
      attach();
    },
  };
}

/** Nobody looks on unless somebody watches. */
function attach(): void {
  setNormWatcher(all.size > 0 ? dispatcher : null);
  watchEdits(all.size > 0 ? edited : null);
}

const edited: EditWatcher = (storage, editedBy) => {
  for (const watcher of all) watcher.edited(storage, editedBy);
};
