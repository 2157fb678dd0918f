/**
 * What is known of gradients beside their values: who has used them, for as long as the values still hold what was
 * used, and who is told when a reverse pass has added to those of leaves. A gradient that is cleared, replaced or
 * written by anyone else starts afresh: its owner then knows what is in it.
 */
import type { Storage } from "../runtime/memory.ts";
import { storageOf, type Tensor, valuesOf, write } from "../tensor.ts";

interface History {
  /** The version of the values that this history is about. */
  version: number;
  /** Who used the values that are there now. */
  readonly usedBy: Set<object>;
  /** Who used them before something was added. */
  readonly addedToAfter: Set<object>;
}

// By storage: a detached gradient holds the same values.
const histories = new WeakMap<Storage, History>();

/** The history of the values that are there now, if nobody has edited them in between. */
function historyOf(grad: Tensor): History | undefined {
  const history = histories.get(storageOf(grad));
  return history?.version === storageOf(grad).version ? history : undefined;
}

/** Notes that `user` has made use of a gradient. */
export function noteUse(grad: Tensor, user: object): void {
  let history = historyOf(grad);
  if (history === undefined) {
    history = { version: storageOf(grad).version, usedBy: new Set(), addedToAfter: new Set() };
    histories.set(storageOf(grad), history);
  }
  history.usedBy.add(user);
  history.addedToAfter.delete(user);
}

/** Whether a gradient has been added to since `user` made use of it, and still holds what it was. */
export function holdsUsed(grad: Tensor, user: object): boolean {
  return historyOf(grad)?.addedToAfter.has(user) ?? false;
}

/** Adds to a gradient, in place or by making a new tensor, and keeps its history. */
export function addKeeping(grad: Tensor, add: (grad: Tensor) => Tensor): Tensor {
  const history = historyOf(grad);
  // Zeros may have been written into the raw values, where no version tells.
  const cleared = history !== undefined && valuesOf(grad).every((value) => value === 0);
  const sum = add(grad);
  if (history === undefined || cleared) return sum;
  for (const user of history.usedBy) history.addedToAfter.add(user);
  history.version = storageOf(sum).version;
  histories.set(storageOf(sum), history);
  return sum;
}

/** Scales or limits a gradient in place and keeps its history: it holds the same gradients. */
export function scaleKeeping(grad: Tensor, scale: (values: Float64Array) => void): void {
  const history = historyOf(grad);
  write(grad, scale);
  if (history !== undefined) history.version = storageOf(grad).version;
}

/** Called after a pass, with those of its leaves whose gradients were added to. */
export type AccumulationListener = (leaves: ReadonlySet<Tensor>) => void;

const listeners = new WeakMap<Tensor, Set<AccumulationListener>>();
let isUsed = false;

/** Calls `listener` once after each pass that adds to the gradient of any of these leaves. */
export function onAccumulated(leaves: Iterable<Tensor>, listener: AccumulationListener): void {
  isUsed = true;
  for (const leaf of leaves) {
    const those = listeners.get(leaf) ?? new Set();
    listeners.set(leaf, those.add(listener));
  }
}

/** Tells the listeners of these leaves. */
export function tellAccumulated(leaves: Iterable<Tensor>): void {
  if (!isUsed) return;
  const told = new Map<AccumulationListener, Set<Tensor>>();
  for (const leaf of leaves) {
    for (const listener of listeners.get(leaf) ?? []) {
      const those = told.get(listener) ?? new Set();
      told.set(listener, those.add(leaf));
    }
  }
  for (const [listener, those] of told) listener(those);
}
