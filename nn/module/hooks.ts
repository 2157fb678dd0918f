/**
 * Functions that see what goes into a module's forward and what comes out of it.
 */
import type { Module } from "./module.ts";

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
  const none = () => hooks.before.size + hooks.after.size === 0;
  if (none()) standInFront(module, hooks);
  const list: Set<ForwardHook> = hooks[when];
  // A function of its own for each call, so that a hook may be added twice.
  const own: ForwardHook = (...args) => hook(...args);
  list.add(own);
  return {
    remove: () => {
      if (list.delete(own) && none()) stepAside(module, hooks);
    },
  };
}

/** Callers call forward itself, so a module with hooks gets one of its own in front. */
function standInFront(module: Module, hooks: Hooks): void {
  hooks.field = Object.getOwnPropertyDescriptor(module, "forward");
  Object.defineProperty(module, "forward", {
    value: (...inputs: unknown[]) => forwardWithHooks(module, hooks, inputs),
    configurable: true,
    enumerable: false,
    writable: true,
  });
}

function stepAside(module: Module, hooks: Hooks): void {
  if (hooks.field !== undefined) Object.defineProperty(module, "forward", hooks.field);
  else delete (module as { forward?: unknown }).forward;
  hooks.field = undefined;
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
