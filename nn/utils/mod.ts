/**
 * Tools for the parameters and gradients of modules.
 *
 * @module
 */
export { clipGradNorm_, type ClipGradNormOptions, clipGradValue_ } from "./clip_grad.ts";
export { fuseConvBnEval, fuseLinearBnEval } from "../norm/fuse.ts";
export { parametersToVector, vectorToParameters } from "./parameters_vector.ts";
