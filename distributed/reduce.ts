/**
 * The records of the collectives that can be differentiated.
 */
import {
  bind,
  cat,
  definePrimitive,
  div,
  eq,
  mul,
  noGrad,
  type Primitive,
  reshape,
  type Shape,
  split,
  type Tensor,
} from "../autograd/mod.ts";
import { sizeOf, valuesOf } from "../autograd/internal.ts";
import type { Group } from "./group.ts";

/** What a reduction over all ranks computes. */
export type ReduceOp = "sum" | "mean" | "min" | "max";

interface SumAttrs {
  readonly group: Group;
}

const allReduceSum = /* @__PURE__ */ definePrimitive<
  Primitive<readonly [x: Tensor], readonly [y: Tensor], readonly [], SumAttrs>
>({
  name: "distributed.allReduce",
  summary: "Σ x over all ranks",
  shape: ([x]) => [x],
  forward([x], [y], { group }) {
    const values = valuesOf(y);
    values.set(valuesOf(x));
    group.reduce("allReduce", values, "sum");
  },
  // y = Σᵣ xᵣ on every rank, and all losses count: dxᵣ = Σₛ gₛ
  vjp: ([g], { attrs: { group } }) => [allReduceIn(group, g, "sum")],
});

interface ExtremeAttrs extends SumAttrs {
  readonly op: "min" | "max";
}

const allReduceExtreme = /* @__PURE__ */ definePrimitive<
  Primitive<
    readonly [x: Tensor],
    readonly [y: Tensor],
    readonly [x: Tensor, y: Tensor],
    ExtremeAttrs
  >
>({
  name: "distributed.allReduceExtreme",
  summary: "min or max of x over all ranks",
  shape: ([x]) => [x],
  forward([x], [y], { group, op }) {
    const values = valuesOf(y);
    values.set(valuesOf(x));
    group.reduce("allReduce", values, op);
  },
  save: ([x], [y]) => [x, y],
  // All cotangents go to the rank that holds the extreme; those that tie share them evenly, as in amax.
  vjp([g], { saved: [x, y], attrs: { group } }) {
    const [holds, holders] = noGrad(() => {
      const holds = eq(x, y);
      return [holds, allReduceIn(group, holds, "sum")];
    });
    return [mul(allReduceIn(group, g, "sum"), div(holds, holders))];
  },
});

/** The reduction of x over all ranks of a group, on the tape. */
export function allReduceIn(group: Group, x: Tensor, op: ReduceOp): Tensor {
  if (op === "min" || op === "max") return bind(allReduceExtreme, [x], { group, op })[0];
  const [sum] = bind(allReduceSum, [x], { group });
  return op === "sum" ? sum : div(sum, group.size);
}

interface PartsAttrs extends SumAttrs {
  /** The shape of each rank's tensor. */
  readonly shapes: readonly Shape[];
}

function countsOf(shapes: readonly Shape[]): Int32Array {
  return Int32Array.from(shapes, sizeOf);
}

const allGatherParts = /* @__PURE__ */ definePrimitive<
  Primitive<readonly [x: Tensor], readonly Tensor[], readonly [], PartsAttrs>
>({
  name: "distributed.allGather",
  summary: "the x of each rank",
  shape: (_, { shapes }) => shapes,
  forward([x], outputs, { group, shapes }) {
    const counts = countsOf(shapes);
    const all = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
    group.gather("allGather", valuesOf(x), counts, all);
    let at = 0;
    for (const output of outputs) {
      valuesOf(output).set(all.subarray(at, at + output.size));
      at += output.size;
    }
  },
  // dxᵣ = Σₛ (cotangent that rank s has of its copy of xᵣ)
  vjp(cotangents, { attrs: { group, shapes } }) {
    const flat = cat(cotangents.map((g) => reshape(g, [-1])));
    return [ownPart(group, flat, shapes)];
  },
});

const reduceScatterParts = /* @__PURE__ */ definePrimitive<
  Primitive<readonly [x: Tensor], readonly [part: Tensor], readonly [], PartsAttrs>
>({
  name: "distributed.reduceScatter",
  summary: "the own part of Σ x over all ranks",
  shape: (_, { group, shapes }) => [shapes[group.rank]],
  forward([x], [part], { group, shapes }) {
    group.scatter("reduceScatter", valuesOf(x), countsOf(shapes), valuesOf(part), "sum");
  },
  // The part of rank r is Σₛ xₛ[r], so dxₛ[r] = gᵣ
  vjp([g], { attrs: { group, shapes }, inputShapes: [shape] }) {
    const parts = allGatherIn(group, g, shapes);
    return [reshape(cat(parts.map((part) => reshape(part, [-1]))), shape!)];
  },
});

/** The tensors of all ranks, of these shapes, on the tape. */
export function allGatherIn(group: Group, x: Tensor, shapes: readonly Shape[]): Tensor[] {
  return [...bind(allGatherParts, [x], { group, shapes })];
}

/** The own part, of the shape of the own rank, of the sum of x over all ranks; on the tape. */
function ownPart(group: Group, x: Tensor, shapes: readonly Shape[]): Tensor {
  return bind(reduceScatterParts, [x], { group, shapes })[0];
}

/** The own part of a reduction of x, whose first axis all ranks share evenly, on the tape. */
export function reduceScatterIn(group: Group, x: Tensor, op: ReduceOp): Tensor {
  const rows = x.shape[0] / group.size;
  if (op === "min" || op === "max") {
    return split(allReduceIn(group, x, op), new Array<number>(group.size).fill(rows))[group.rank];
  }
  const shapes = new Array<Shape>(group.size).fill([rows, ...x.shape.slice(1)]);
  const sum = ownPart(group, x, shapes);
  return op === "sum" ? sum : div(sum, group.size);
}
