/**
 * The functions of layers that the lab's scenes use.
 */
export { crossEntropy } from "../../nn/loss/cross_entropy.ts";
