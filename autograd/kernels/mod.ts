/**
 * The door to the kernels: arithmetic on float64 arrays that never sees a tensor. Outputs are
 * allocated by the caller and filled completely.
 *
 * @module
 */
export { add, div, mul, neg, sub } from "./plain/arithmetic.ts";
export { matmul } from "./plain/matmul.ts";
export type { MatmulSizes } from "./plain/matmul.ts";
export { exp } from "./plain/pointwise.ts";
export { gatherStrided, scatterStrided } from "./plain/strided.ts";
