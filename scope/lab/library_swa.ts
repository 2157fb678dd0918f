/**
 * The care of statistics that the lab's scenes use.
 */
export { updateBn } from "../../nn/norm/recalibrate.ts";
