/**
 * Tools for the parameters and gradients of modules.
 *
 * @module
 */
export { fuseConvBnEval, fuseLinearBnEval } from "../norm/fuse.ts";
export {
  clipGradNorm_,
  type ClipGradNormOptions,
  clipGradValue_,
  parametersToVector,
  vectorToParameters,
} from "./parameters.ts";
