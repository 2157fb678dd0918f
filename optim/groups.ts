/**
 * Parameter groups: what an optimizer is given and what it keeps, and which parameters decay.
 */
import {
  assertFunction,
  assertOptions,
  describe,
  formatShape,
  refuse,
  refuseKind,
} from "../autograd/internal.ts";
import { Tensor } from "../autograd/mod.ts";
import { assertModule } from "../nn/module/arguments.ts";
import type { Module } from "../nn/module/module.ts";
import { GroupNorm, LayerNorm, RMSNorm } from "../nn/norm/layer_norm.ts";
import { TrackedNorm } from "../nn/norm/tracked_norm.ts";
import { HyperparameterCheck, type Scalar } from "./hyperparameters.ts";

/** The option that every optimizer has. */
export interface LearningRate {
  /** The learning rate: a number, or a tensor of one element that schedulers write into. */
  readonly lr?: Scalar;
}

/** A parameter with its name, as `module.namedParameters()` lists it. */
export type NamedParameter = readonly [name: string, parameter: Tensor];

/** Parameters with options of their own; what is left out comes from the optimizer's options. */
export type ParamGroupInput<Options> = Partial<Options> & {
  /** The parameters of this group. */
  readonly params: Tensor | Iterable<Tensor | NamedParameter>;
};

/** What an optimizer is made of: parameters, named parameters, or groups of either. */
export type Params<Options> = Iterable<Tensor | NamedParameter | ParamGroupInput<Options>>;

/** Parameters and the hyperparameters in force for them; may be written between steps. */
export type ParamGroup<Options> = { -readonly [Key in keyof Options]-?: Options[Key] } & {
  /** The parameters. */
  params: Tensor[];
  /** Their names, if they came with names. */
  paramNames?: string[];
  /** The learning rate that a scheduler started from. */
  initialLr?: Scalar;
};

/** Options of PyTorch that choose between implementations of the same step; accepted, not kept. */
const IMPLEMENTATION_OPTIONS = new Set(["foreach", "fused", "capturable", "differentiable"]);

/** Whether an option only chooses an implementation in PyTorch and means nothing here. */
export function isImplementationOption(key: string): boolean {
  return IMPLEMENTATION_OPTIONS.has(key);
}

/**
 * Splits what an optimizer was given into groups.
 *
 * @throws {TypeError} if it is not an iterable of tensors, named tensors or groups, or mixes them.
 * @throws {RangeError} if it is empty.
 */
export function toGroups<Options>(
  action: string,
  params: Params<Options>,
): ParamGroupInput<Options>[] {
  const expected = "expected an iterable of tensors, of [name, tensor] or of { params, … }";
  if (params instanceof Tensor || !isIterable(params)) {
    throw new TypeError(`Cannot ${action}: got params ${describe(params)}, ${expected}`);
  }
  const entries = [...params];
  if (entries.length === 0) {
    refuse(action, "an empty list of params", "at least one parameter");
  }
  const groups = entries.filter((entry): entry is ParamGroupInput<Options> => isGroup(entry));
  if (groups.length === entries.length) return groups;
  if (groups.length > 0) {
    throw new TypeError(`Cannot ${action}: got params that mix tensors and groups, ${expected}`);
  }
  return [{ params: entries } as unknown as ParamGroupInput<Options>];
}

/**
 * The parameters of one group and, where they came with them, their names.
 *
 * @throws {TypeError} if something is not a tensor, or only some have names.
 * @throws {RangeError} if a tensor is not a leaf or is listed twice.
 */
export function readParams(
  action: string,
  where: string,
  given: unknown,
): { params: Tensor[]; names: string[] | null } {
  if (!(given instanceof Tensor) && !isIterable(given)) {
    throw new TypeError(
      `Cannot ${action}: got params ${describe(given)}${where}, expected a Tensor or an iterable ` +
        `of tensors`,
    );
  }
  const entries: unknown[] = given instanceof Tensor ? [given] : [...given];
  const named = entries.filter(isNamed);
  if (named.length > 0 && named.length < entries.length) {
    throw new TypeError(
      `Cannot ${action}: got ${named.length} params with and ` +
        `${entries.length - named.length} without a name${where}, expected all or none`,
    );
  }
  const names = named.length > 0 ? named.map(([name]) => name) : null;
  const params = entries.map((entry, i) => {
    const param: unknown = names === null ? entry : (entry as NamedParameter)[1];
    const label = names === null ? `params[${i}]` : `params "${names[i]}"`;
    if (!(param instanceof Tensor)) {
      throw new TypeError(
        `Cannot ${action}: got ${label} ${describe(param)}${where}, expected a Tensor`,
      );
    }
    if (!param.isLeaf) {
      refuse(
        action,
        `${label} of shape ${formatShape(param.shape)}${where}, which an operation made`,
        "a leaf",
      );
    }
    return param;
  });
  if (new Set(params).size < params.length) {
    const i = params.findIndex((param, i) => params.indexOf(param) < i);
    refuse(
      action,
      `params[${i}] of shape ${formatShape(params[i].shape)}${where}, which is params[${
        params.indexOf(params[i])
      }] too`,
      "every parameter once",
    );
  }
  return { params, names };
}

/**
 * Copies the options that were given, leaving out `undefined` ones and those that only choose an
 * implementation.
 *
 * @throws {TypeError} if they are no object; if `known` is given, also for an option it lacks.
 */
export function readOptions(
  action: string,
  options: unknown,
  known: readonly string[] | null,
): Record<string, unknown> {
  const isObject = typeof options === "object" && options !== null && !isIterable(options) &&
    !(options instanceof Tensor) && !(options instanceof Date);
  if (!isObject) {
    refuseKind(action, "options", options, "an object such as { lr: 0.1 }");
  }
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || isImplementationOption(key)) continue;
    if (known !== null && !known.includes(key)) {
      throw new TypeError(
        `Cannot ${action}: got an option ${key}, expected one of ${known.join(", ")}`,
      );
    }
    kept[key] = Array.isArray(value) ? [...value] : value;
  }
  return kept;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
}

function isGroup(entry: unknown): boolean {
  return typeof entry === "object" && entry !== null && !(entry instanceof Tensor) &&
    "params" in entry;
}

function isNamed(entry: unknown): entry is NamedParameter {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string";
}

/** How {@linkcode paramGroups} splits. */
export interface ParamGroupsOptions {
  /** The decay of the parameters that decay, at least 0. */
  readonly weightDecay: number;
  /** Further parameters that do not decay: whether one belongs to them, by its dotted name. */
  readonly exclude?: (name: string, parameter: Tensor) => boolean;
}

/** A group as {@linkcode paramGroups} makes it. */
export interface DecayGroup {
  /** The parameters. */
  params: Tensor[];
  /** Their decay. */
  weightDecay: number;
}

/**
 * Splits the parameters of a model into those that decay and those that do not: the parameters of
 * normalisation layers, biases, and what `exclude` names.
 *
 * A decay of γ scales down what the next layer undoes, and of β and biases shifts outputs; neither
 * regularises.
 *
 * @param model The model.
 * @param options The decay, and what else is left out of it.
 * @returns Two groups, the decaying one first; both together hold every parameter once.
 * @throws {TypeError} if an argument is of the wrong kind.
 * @throws {RangeError} if `weightDecay` is negative or NaN.
 *
 * @example
 * ```ts
 * import { nn, optim } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const model = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
 * const groups = optim.paramGroups(model, { weightDecay: 5e-4 });
 * const optimizer = new optim.SGD(groups, { lr: 0.1 });
 * const decays = optimizer.paramGroups.map((group) => [group.params.length, group.weightDecay]);
 * assertEquals(decays, [[1, 5e-4], [3, 0]]);
 * ```
 */
export function paramGroups(model: Module, options: ParamGroupsOptions): DecayGroup[] {
  const action = "make paramGroups";
  assertModule(action, "model", model);
  assertOptions(action, options, ["weightDecay", "exclude"]);
  const { weightDecay, exclude } = options;
  new HyperparameterCheck(action, "", options).atLeastZero("weightDecay");
  if (exclude !== undefined) assertFunction(action, exclude, "exclude");
  const normParameters = new Set(
    model.modules().filter(isNorm).flatMap((norm) => norm.parameters({ recurse: false })),
  );
  const decaying: Tensor[] = [];
  const others: Tensor[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    const rests = normParameters.has(parameter) || /(^|[._])bias$/.test(name) ||
      exclude?.(name, parameter) === true;
    (rests ? others : decaying).push(parameter);
  }
  return [{ params: decaying, weightDecay }, { params: others, weightDecay: 0 }];
}

function isNorm(module: Module): boolean {
  return module instanceof TrackedNorm || module instanceof LayerNorm ||
    module instanceof RMSNorm || module instanceof GroupNorm;
}
