/**
 * Copies on the tape.
 */
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { storageOf, type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";

const clonePrimitive = /* @__PURE__ */ ownPrimitive<Unary>({
  name: "clone",
  shape: ([x]) => [x],
  forward: ([x], [y]) => valuesOf(y).set(valuesOf(x)),
  vjp: ([g]) => [g],
});

/* @__PURE__ */ described(
  clonePrimitive,
  "a copy of x",
  (random) => [{ inputs: [uniform(random, [2, 3], -1, 1)], attrs: undefined }],
);

/** A copy of the values, on the tape. Gradient: passed on. */
export function clone(x: Tensor): Tensor {
  assertTensor("clone", x, "x");
  return bind(clonePrimitive, [x], undefined)[0];
}

/** A result that shares no memory with the argument it was made from: an edit of one is not one of both. */
export function unshared(y: Tensor, x: Tensor): Tensor {
  return storageOf(y) === storageOf(x) ? bind(clonePrimitive, [y], undefined)[0] : y;
}
