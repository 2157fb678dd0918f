/**
 * The library as the oracle calls it: by name.
 *
 * @module
 */
import type { Tensor } from "../../mod.ts";
import * as entry from "../../mod.ts";
import * as functionalRoom from "../../nn/functional.ts";
import { AdapterError, type Call } from "./signatures.ts";

type Room = Record<string, unknown>;

const top: Room = entry;
const functional: Room = functionalRoom;
const nn: Room = entry.nn;
const optim: Room = entry.optim;

/** A function of the library, by name. */
export type AnyFunction = (...args: unknown[]) => unknown;

/** As much of a module as the oracle uses. */
export interface AnyModule {
  forward(...inputs: unknown[]): Tensor;
  train(mode?: boolean): unknown;
  eval(): unknown;
  parameters(): Iterable<Tensor>;
  namedParameters(): Iterable<[string, Tensor]>;
  stateDict(): Map<string, Tensor>;
  loadStateDict(state: Map<string, Tensor>): unknown;
  weight: Tensor;
  bias: Tensor | null;
}

/** As much of an optimizer as the oracle uses. */
export interface AnyOptimizer {
  step(): unknown;
  zeroGrad(): void;
}

function find(rooms: [string, Room][], path: string): unknown {
  for (const [, start] of rooms) {
    let value: unknown = start;
    for (const name of path.split(".")) value = (value as Room | undefined)?.[name];
    if (value !== undefined) return value;
  }
  throw new AdapterError(`there is no ${path} in ${rooms.map(([name]) => name).join(" or ")}`);
}

/** A function of the package's entry. */
export function topLevel(name: string): AnyFunction {
  return find([["the entry", top]], name) as AnyFunction;
}

/** A function below `nn`, such as `init.uniform_`. */
export function nnFunction(path: string): AnyFunction {
  return find([["nn", nn]], path) as AnyFunction;
}

/** Runs a call of an operator; softmax is torch's own there and in nn.functional here. */
export function runOperator(op: string, { name, args }: Call): unknown {
  const rooms: [string, Room][] = [["nn.functional", functional]];
  if (!op.startsWith("nn.functional.")) rooms.unshift(["the entry", top]);
  return (find(rooms, name) as AnyFunction)(...args);
}

/** Makes a module by its class's name. */
export function makeModule(name: string, args: unknown[]): AnyModule {
  const type = find([["nn", nn]], name) as new (...args: unknown[]) => AnyModule;
  return new type(...args);
}

/** Makes an optimizer by its class's name. */
export function makeOptimizer(
  name: string,
  params: Iterable<Tensor>,
  options: Record<string, unknown>,
): AnyOptimizer {
  const type = find([["optim", optim]], name) as new (
    params: Iterable<Tensor>,
    options: Record<string, unknown>,
  ) => AnyOptimizer;
  return new type(params, options);
}

/** A function below `optim`, such as `swa.updateBn`. */
export function optimFunction(path: string): AnyFunction {
  return find([["optim", optim]], path) as AnyFunction;
}

/** The base class of modules, for the nets that were recorded. */
export function moduleBase(): new () => AnyModule {
  return find([["nn", nn]], "Module") as new () => AnyModule;
}
