/**
 * Learning rate schedules.
 *
 * @module
 */
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./cosine.ts";
export { LambdaLR, type LambdaLROptions, type LrLambda, MultiplicativeLR } from "./lambda.ts";
export { OneCycleLR, type OneCycleLROptions } from "./one_cycle.ts";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./plateau.ts";
export {
  ConstantLR,
  type ConstantLROptions,
  LinearLR,
  type LinearLROptions,
  PolynomialLR,
  type PolynomialLROptions,
} from "./ramp.ts";
export { LRScheduler, type SchedulerOptions } from "./scheduler.ts";
export { ChainedScheduler, SequentialLR, type SequentialLROptions } from "./sequential.ts";
export type { SchedulerStateDict } from "./state.ts";
export {
  ExponentialLR,
  type ExponentialLROptions,
  MultiStepLR,
  type MultiStepLROptions,
  StepLR,
  type StepLROptions,
} from "./step.ts";
