/**
 * Work on a model that needs another mode for a while.
 */
import type { Module } from "./module.ts";

/** Notes the mode of every module; the function that is returned puts them back. */
export function noteModes(model: Module): () => void {
  const modes = model.modules().map((module) => [module, module.requestedMode()] as const);
  return () => {
    for (const [module, mode] of modes) module.setMode(mode);
  };
}

/** Runs `fn` and puts the mode of every module back, also if it throws. */
export function keepingModes<T>(model: Module, fn: () => T): T {
  const restore = noteModes(model);
  try {
    return fn();
  } finally {
    restore();
  }
}
