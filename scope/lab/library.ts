/**
 * As much of the library as the lab's scenes use, under the names that it has for everybody: the bundle
 * stays small, and a scene's text is a program of its own once this import names the package.
 */
export {
  Generator,
  manualSeed,
  noGrad,
  rand,
  randperm,
  silenceWarnings,
  type Tensor,
  tensor,
} from "../../autograd/mod.ts";
export * as nn from "./library_nn.ts";
export * as optim from "./library_optim.ts";
