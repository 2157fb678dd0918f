/**
 * Tapegrad: tape-based automatic differentiation over float64 tensors, with PyTorch's semantics and
 * batch normalisation as a primitive.
 *
 * @example
 * ```ts
 * import { manualSeed, nn, optim, randn } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * manualSeed(0);
 * const net = new nn.Sequential(new nn.Linear(3, 8), new nn.BatchNorm1d(8), new nn.ReLU());
 * const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
 * const loss = nn.functional.mseLoss(net.forward(randn([16, 3])), randn([16, 8]));
 * loss.backward();
 * sgd.step();
 * assert(loss.item() > 0);
 * ```
 *
 * @module
 */
export * from "./autograd/mod.ts";
export * from "./nn/data/batches.ts";
export * from "./nn/data/dataset.ts";
export * from "./nn/data/stack_samples.ts";
export * as kernels from "./autograd/runtime/control.ts";
export * as nn from "./nn/mod.ts";
export * as optim from "./optim/mod.ts";
