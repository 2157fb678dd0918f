/**
 * What stands in front of a module's `forward`. That of every class is wrapped once, in a guard: the
 * outermost forward that an error leaves adds the path of the innermost to its message. That of a single
 * module gets hooks.
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

/** Sees a module's inputs and output after each forward and may return another output. */
// deno-lint-ignore no-explicit-any -- a hook serves modules of every signature.
export type ForwardHook = (module: Module, inputs: any[], output: any) => any;

/** Sees a module's inputs before each forward and may return others, as a list. */
// deno-lint-ignore no-explicit-any -- a hook serves modules of every signature.
export type ForwardPreHook = (module: Module, inputs: any[]) => any;

interface Hooks {
  readonly before: Set<ForwardPreHook>;
  readonly after: Set<ForwardHook>;
  /** The module's own forward where that is a field, while hooks stand in front of it. */
  field?: PropertyDescriptor;
}

/** The hooks of each module: not in it, since they stay behind when it is copied. */
const hooksOf = new WeakMap<Module, Hooks>();

/** Whether a module's forward is a field, seen through the hooks in front of it. */
export function hasFieldForward(module: Module): boolean {
  return hooksOf.get(module)?.field !== undefined || Object.keys(module).includes("forward");
}

/** Adds a hook that runs before or after each forward. */
export function addHook<When extends "before" | "after">(
  module: Module,
  when: When,
  hook: When extends "before" ? ForwardPreHook : ForwardHook,
): { remove(): void } {
  const hooks = hooksOf.get(module) ?? { before: new Set(), after: new Set() };
  hooksOf.set(module, hooks);
  const isUnused = () => hooks.before.size + hooks.after.size === 0;
  if (isUnused()) {
    // Callers call forward itself, so a module with hooks gets one of its own in front.
    hooks.field = Object.getOwnPropertyDescriptor(module, "forward");
    Object.defineProperty(module, "forward", {
      value: (...inputs: unknown[]) => forwardWithHooks(module, hooks, inputs),
      configurable: true,
      enumerable: false,
      writable: true,
    });
  }
  const list: Set<ForwardHook> = hooks[when];
  // A function of its own for each call, so that a hook may be added twice.
  const own: ForwardHook = (...args) => hook(...args);
  list.add(own);
  return {
    remove: () => {
      if (!list.delete(own) || !isUnused()) return;
      if (hooks.field !== undefined) Object.defineProperty(module, "forward", hooks.field);
      else delete (module as { forward?: unknown }).forward;
      hooks.field = undefined;
    },
  };
}

function forwardWithHooks(module: Module, hooks: Hooks, given: unknown[]): unknown {
  // A hook may take itself off, and with it what stands in front: the field is read before.
  const { field } = hooks;
  let inputs = given;
  for (const hook of [...hooks.before]) {
    const replaced: unknown = hook(module, inputs) ?? inputs;
    inputs = Array.isArray(replaced) ? replaced : [replaced];
  }
  const { forward } = Object.getPrototypeOf(module) as Module;
  let output: unknown = (field?.value ?? forward).apply(module, inputs);
  for (const hook of [...hooks.after]) output = hook(module, inputs, output) ?? output;
  return output;
}
