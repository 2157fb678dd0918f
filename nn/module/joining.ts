/**
 * Modules in a row that one pass computes together: only where nobody can see the difference.
 */
import { isGuard } from "./location.ts";
import type { Module } from "./module.ts";

/** What a module does that one before it may do in the same pass. */
export type Absorbable = "relu" | "pairs";

/** An output, and how many modules behind it took part. */
export interface Joined {
  /** The output of the last of them. */
  readonly output: unknown;
  /** How many modules of the row behind the first one it stands for. */
  readonly taken: number;
}

/** Whether a module's forward is that of its class: no hooks, none of its own, none put in its place. */
export function isUntouched(module: Module): boolean {
  return !Object.hasOwn(module, "forward") && isGuard(Object.getPrototypeOf(module));
}

/** What a module does that one before it may do in its stead; `null` for any subclass. */
export function absorbableOf(module: Module | undefined): Absorbable | null {
  if (module === undefined || !isUntouched(module)) return null;
  return Object.hasOwn(Object.getPrototypeOf(module), "absorbable") ? module.absorbable : null;
}
