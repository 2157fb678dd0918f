/**
 * Work on a model that needs another mode for a while.
 */
import type { Module } from "./module.ts";

/** Runs `fn` and puts the mode of every module back, also if it throws. */
export function keepingModes<T>(model: Module, fn: () => T): T {
  const modes = model.modules().map((module) => [module, module.requestedMode()] as const);
  try {
    return fn();
  } finally {
    for (const [module, mode] of modes) module.setMode(mode);
  }
}
