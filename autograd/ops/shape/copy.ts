/**
 * Copies, on the tape and in place.
 */
import { ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { broadcastsTo, formatShape } from "../../shape.ts";
import { bind, isGradEnabled } from "../../tape/tape.ts";
import { attach, drop, nodeOf, slotOf, storageOf, type Tensor, valuesOf } from "../../tensor.ts";
import { aligned, broadcastTo } from "./broadcast.ts";
import { assertTensor, asTensor } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";

const clonePrimitive = ownPrimitive<Unary>({
  name: "clone",
  summary: "a copy of x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => valuesOf(y).set(valuesOf(x)),
  vjp: ([g]) => [g],
  samples: (random) => [{ inputs: [uniform(random, [2, 3], -1, 1)], attrs: undefined }],
});

/** A copy of the values, on the tape. Gradient: handed on. */
export function clone(x: Tensor): Tensor {
  assertTensor("clone", x, "x");
  return bind(clonePrimitive, [x], undefined)[0];
}

/** `Tensor.copy_`: writes `source` into `target` and, on the tape, puts it in the source's place. */
export function copyInto(target: Tensor, source: Tensor | number): Tensor {
  const from = asTensor("copy_", source, "source");
  if (!broadcastsTo(from.shape, target.shape)) {
    throw new RangeError(
      `Cannot copy_: got source of shape ${formatShape(from.shape)}, expected one that ` +
        `broadcasts to ${formatShape(target.shape)}`,
    );
  }
  const recording = isGradEnabled() && (from.requiresGrad || target.requiresGrad);
  if (recording && target.isLeaf && target.requiresGrad) {
    throw new Error(
      "Cannot copy_: got a leaf that requires grad as the target while recording, expected one " +
        "under noGrad()",
    );
  }
  const copy = recording ? clone(broadcastTo(from, target.shape)) : null;
  const values = aligned(from, target.shape);
  if (values.length === 1) valuesOf(target).fill(values[0]);
  else valuesOf(target).set(values);
  storageOf(target).version++;
  const node = copy === null ? null : nodeOf(copy);
  if (node !== null) attach(target, node, slotOf(copy!));
  else if (recording) drop(target);
  return target;
}
