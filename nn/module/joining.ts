/**
 * What modules in a row may do without each other's knowledge, where nobody can see the difference: be one pass, and
 * give back the memory of what is between them.
 */
import { isInspected, letGo, storageOf } from "../../autograd/internal.ts";
import { Tensor } from "../../autograd/mod.ts";
import { isGuard } from "./forward.ts";
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
function isUntouched(module: Module): boolean {
  return !Object.hasOwn(module, "forward") && isGuard(Object.getPrototypeOf(module));
}

/** What a module does that one before it may do in its stead; `null` for any subclass. */
export function absorbableOf(module: Module | undefined): Absorbable | null {
  if (module === undefined || !isUntouched(module)) return null;
  return Object.hasOwn(Object.getPrototypeOf(module), "absorbable") ? module.absorbable : null;
}

/** Whether a module is a layer of the library as it came, and one that keeps nothing of what passes through it. */
export function keepsNothing(module: Module): boolean {
  const { constructor } = module;
  return Object.hasOwn(constructor, "keepsNothing") &&
    (constructor as typeof Module).keepsNothing && isUntouched(module);
}

/**
 * Follows values through a row. One that a layer of the library made and the next one took, when neither keeps
 * what passes through it, can be seen by nobody else: its memory goes back after the last call that saved it.
 */
export class Passage {
  /** The value between two modules if nobody outside the row can see it. */
  #hidden: Tensor | null = null;
  readonly #watched = isInspected();

  /** Notes that a module has made `output` of `input`. */
  pass(module: Module, input: unknown, output: unknown): void {
    if (this.#watched) return;
    if (!(output instanceof Tensor) || !(input instanceof Tensor) || !keepsNothing(module)) {
      this.#hidden = null;
      return;
    }
    // A view of what came in is as hidden as that.
    if (storageOf(output) === storageOf(input)) {
      if (this.#hidden !== null) this.#hidden = output;
      return;
    }
    if (this.#hidden !== null) letGo(storageOf(this.#hidden));
    this.#hidden = output;
  }
}
