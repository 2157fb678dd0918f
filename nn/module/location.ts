/**
 * Where in a model an error arose: `forward` of every class is wrapped once, and the outermost forward
 * that an error leaves adds the path of the innermost to its message.
 *
 * @module
 */
import { kindOf } from "../../autograd/internal.ts";
import type { Module } from "./module.ts";

type Forward = Module["forward"];

const guarded = new WeakSet<Forward>();
/** The first guard of each prototype that owns a forward. */
const guards = new WeakMap<object, Forward>();
/** Errors that have their place, or whose innermost module is known. */
const arose = new WeakMap<Error, Module | null>();
let depth = 0;

/** Wraps the `forward` that a class inherits or has, unless that is done. */
export function guardForward(kind: { readonly prototype: Module }): void {
  const owner = ownerOf(kind.prototype);
  const descriptor = Object.getOwnPropertyDescriptor(owner, "forward")!;
  const forward: unknown = descriptor.value;
  if (typeof forward !== "function" || guarded.has(forward as Forward)) return;
  const guard = guardOf(forward as Forward);
  guarded.add(guard);
  if (!guards.has(owner)) guards.set(owner, guard);
  Object.defineProperty(owner, "forward", { ...descriptor, value: guard });
}

/** Whether instances run the `forward` that their class came with, and not one that was put in its place. */
export function isGuard(prototype: Module): boolean {
  return guards.get(ownerOf(prototype)) === prototype.forward;
}

/** The prototype that a class has its `forward` from. */
function ownerOf(prototype: Module): object {
  let owner: object = prototype;
  while (!Object.hasOwn(owner, "forward")) owner = Object.getPrototypeOf(owner);
  return owner;
}

function guardOf(forward: Forward): Forward {
  // deno-lint-ignore no-explicit-any -- forwards differ in what they take and return.
  return function (this: Module, ...inputs: any[]): any {
    this.noticeFields();
    depth++;
    try {
      return forward.apply(this, inputs);
    } catch (error) {
      if (error instanceof Error) locate(error, this, depth === 1);
      throw error;
    } finally {
      depth--;
    }
  };
}

function locate(error: Error, module: Module, isOutermost: boolean): void {
  const innermost = arose.get(error);
  if (innermost === undefined) arose.set(error, module);
  if (!isOutermost || innermost === null) return;
  arose.set(error, null);
  if (innermost === undefined || innermost === module) return;
  // Other errors, a user's own among them, keep their words.
  if (!error.message.startsWith("Cannot ")) return;
  const [name] = module.namedModules().find(([, other]) => other === innermost) ?? [null];
  if (name === null) return;
  error.message += `; in ${kindOf(module)}.${name} (${kindOf(innermost)})`;
}
