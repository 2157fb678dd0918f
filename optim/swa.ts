/**
 * `optim.swa`: averaged weights, and the running statistics that they lack.
 *
 * @module
 */
export { type Batch, updateBn, type UpdateBnOptions } from "../nn/recalibrate.ts";
