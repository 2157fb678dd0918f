/**
 * Who is told when a reverse pass has added to the gradients of leaves.
 */
import type { Tensor } from "../tensor.ts";

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
