/**
 * Optimizers, learning rate schedules, and averaged weights.
 *
 * @example
 * ```ts
 * import { SGD } from "@tapegrad/tapegrad/optim";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const w = tensor([1, 2], { requiresGrad: true });
 * const optimizer = new SGD([w], { lr: 0.5 });
 * w.sum().backward();
 * optimizer.step();
 * assertEquals(w.toArray(), [0.5, 1.5]);
 * ```
 *
 * @module
 */
export { Adadelta, type AdadeltaOptions, type AdadeltaState } from "./adadelta.ts";
export { Adagrad, type AdagradOptions, type AdagradState } from "./adagrad.ts";
export { Adam, type AdamOptions, type AdamState, AdamW, type AdamWOptions } from "./adam.ts";
export { Adamax, type AdamaxOptions, type AdamaxState } from "./adamax.ts";
export { ASGD, type ASGDOptions, type ASGDState } from "./asgd.ts";
export type {
  LearningRate,
  NamedParameter,
  ParamGroup,
  ParamGroupInput,
  Params,
} from "./groups.ts";
export type { HyperparameterCheck, Scalar } from "./hyperparameters.ts";
export * as lrScheduler from "./lr_scheduler/mod.ts";
export { NAdam, type NAdamOptions, type NAdamState } from "./nadam.ts";
export { Optimizer, type OptimizerKind, type StepHook } from "./optimizer.ts";
export { type DecayGroup, paramGroups, type ParamGroupsOptions } from "./param_groups.ts";
export { RAdam, type RAdamOptions, type RAdamState } from "./radam.ts";
export { RMSprop, type RMSpropOptions, type RMSpropState } from "./rmsprop.ts";
export { Rprop, type RpropOptions, type RpropState } from "./rprop.ts";
export { SGD, type SGDOptions, type SGDState } from "./sgd.ts";
export type { OptimizerStateDict, ParameterState, StateLayout, StateValue } from "./state_dict.ts";
export * as swa from "./swa/mod.ts";
