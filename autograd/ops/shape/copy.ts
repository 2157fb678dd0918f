/**
 * Edits in place, and what they do to the tape.
 */
import { refuse } from "../../check/refuse.ts";
import { type Binary, described, ownPrimitive } from "../../tape/primitive.ts";
import { broadcastsTo, formatShape, type Shape, shaped } from "../../shape.ts";
import { bind, enableGrad, isGradEnabled } from "../../tape/tape.ts";
import { baseOf, nodeOf, reattach, slotOf, type Tensor, valuesOf, write } from "../../tensor.ts";
import { asTensor, zeros } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";
import { aligned } from "./broadcast.ts";
import { reshape } from "./shape.ts";

// What a recorded edit depends on: the new values wholly on the source, not on the old ones.
const overwritePrimitive = /* @__PURE__ */ ownPrimitive<Binary>({
  name: "copy_",
  shape: ([x]) => [x],
  forward: ([x, y], [out]) => {
    const values = aligned(y, x.shape);
    if (values.length === 1) valuesOf(out).fill(values[0]);
    else valuesOf(out).set(values);
  },
  vjp: ([g], { needs: [wrtX], inputShapes: [x] }) => [wrtX ? zeros(x) : null, g],
});

/* @__PURE__ */ described(overwritePrimitive, "y in the place of x", (random) => [
  { inputs: [uniform(random, [2, 3], -1, 1), uniform(random, [3], -1, 1)], attrs: undefined },
]);

/** `Tensor.copy_`: writes `source` into `target` and puts it, and all views of it, on the tape again. */
export function copyInto(target: Tensor, source: Tensor | number): Tensor {
  const from = asTensor("copy_", source, "source");
  if (!broadcastsTo(from.shape, target.shape)) {
    refuse(
      "copy_",
      shaped("source", from),
      `one that broadcasts to ${formatShape(target.shape)}`,
    );
  }
  if (!isGradEnabled() || !(from.requiresGrad || target.requiresGrad)) {
    const values = aligned(from, target.shape);
    write(target, (old) => values.length === 1 ? old.fill(values[0]) : old.set(values));
    return target;
  }
  for (const [leaf, what] of [[target, "a leaf"], [baseOf(target), "a view of a leaf"]] as const) {
    if (!leaf.isLeaf || !leaf.requiresGrad) continue;
    throw new Error(
      `Cannot copy_: got ${what} that requires grad as the target while recording, expected one ` +
        `under noGrad()`,
    );
  }
  const [edited] = bind(overwritePrimitive, [target, from], undefined);
  write(target, (old) => old.set(valuesOf(edited)));
  reattach(target, nodeOf(edited)!, slotOf(edited));
  return target;
}

/** A view that is on the tape whatever the grad mode is: for a tensor whose family was edited. */
export function viewOf(x: Tensor, shape: Shape): Tensor {
  return enableGrad(() => reshape(x, shape));
}
