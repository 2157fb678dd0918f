/**
 * The optimizers that the lab's scenes use.
 */
export { SGD } from "../../optim/sgd.ts";
export * as swa from "./library_swa.ts";
