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
export {
  Adam,
  Adamax,
  type AdamaxOptions,
  type AdamaxState,
  type AdamOptions,
  type AdamState,
  AdamW,
  type AdamWOptions,
} from "./adam.ts";
export { type DecayGroup, paramGroups, type ParamGroupsOptions } from "./groups.ts";
export type {
  LearningRate,
  NamedParameter,
  ParamGroup,
  ParamGroupInput,
  Params,
} from "./groups.ts";
export type { HyperparameterCheck, Scalar } from "./hyperparameters.ts";
export {
  Adadelta,
  type AdadeltaOptions,
  type AdadeltaState,
  Adagrad,
  type AdagradOptions,
  type AdagradState,
} from "./adagrad.ts";
export {
  NAdam,
  type NAdamOptions,
  type NAdamState,
  RAdam,
  type RAdamOptions,
  type RAdamState,
} from "./adam_variants.ts";
export {
  RMSprop,
  type RMSpropOptions,
  type RMSpropState,
  Rprop,
  type RpropOptions,
  type RpropState,
} from "./rprop.ts";
export {
  ASGD,
  type ASGDOptions,
  type ASGDState,
  SGD,
  type SGDOptions,
  type SGDState,
} from "./sgd.ts";
export * as lrScheduler from "./lr_scheduler/mod.ts";
export { Optimizer, type OptimizerKind, type StepHook } from "./optimizer.ts";
export type { OptimizerStateDict, ParameterState, StateLayout, StateValue } from "./state_dict.ts";
export * as swa from "./swa/mod.ts";
