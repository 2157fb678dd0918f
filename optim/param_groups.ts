/**
 * Which parameters decay.
 */
import type { Tensor } from "../autograd/mod.ts";
import { assertOptions, refuseKind } from "../autograd/internal.ts";
import { GroupNorm, LayerNorm, RMSNorm } from "../nn/norm/layer_norm.ts";
import { Module } from "../nn/module/module.ts";
import { TrackedNorm } from "../nn/norm/tracked_norm.ts";
import { HyperparameterCheck } from "./hyperparameters.ts";

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
  if (!(model instanceof Module)) {
    refuseKind(action, "model", model, "a Module");
  }
  assertOptions(action, options, ["weightDecay", "exclude"]);
  const { weightDecay, exclude } = options;
  new HyperparameterCheck(action, "", options).atLeastZero("weightDecay");
  if (exclude !== undefined && typeof exclude !== "function") {
    refuseKind(action, "exclude", exclude, "a function");
  }
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
