/**
 * `optim.swa`: averaged weights, and the running statistics that they lack.
 *
 * @module
 */
export { type Batch, updateBn, type UpdateBnOptions } from "../../nn/norm/recalibrate.ts";
export {
  AveragedModel,
  type AveragedModelOptions,
  type AverageFunction,
  getEmaAvgFn,
  getSwaAvgFn,
} from "./averaged_model.ts";
export { SWALR, type SWALROptions } from "./swa_lr.ts";
