/**
 * Batch normalisation with what follows it in one pass: the sum with a residual, relu, and the pooling of
 * windows of two. Neither the normalised values nor relu's output nor the places of the largest values are
 * kept: the backward finds them again from x, and goes on to the backward of batch norm.
 *
 * y = P(relu(z)), z = batchNorm(x) + residual; with P the pooling, or nothing. Almost everywhere this is
 * linear in z: the cotangent of z is R(g), that of y at the places that relu let through and P chose.
 */
import { refuse, refuseKind } from "../../check/refuse.ts";
import * as kernels from "../../kernels/mod.ts";
import { allocateUninitialised, release } from "../../runtime/memory.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { type Shape, shaped } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { Tensor, valuesOf, valuesOrNull } from "../../tensor.ts";
import { add } from "../elementwise/arithmetic.ts";
import { relu } from "../elementwise/activation_piecewise.ts";
import { le, where } from "../elementwise/compare.ts";
import { zerosLike } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";
import { gatherPlanes, maxPool1d, maxPool2d, maxPool3d, scatterPlanes } from "../pool/max_pool.ts";
import { useRunning } from "./batch_moments.ts";
import type { BatchNormInputs, Statistics } from "./batch_norm.ts";
import { askedFor, pick, secondOrderByChannel } from "./rules.ts";
import { assertShapes, assertTensors, channelSizes } from "./operands.ts";

/** What follows a batch norm in one pass with it. */
export type BatchNormThen = "none" | "relu" | "relu-maxpool";

/** What follows, with what is added before. */
interface Following {
  readonly then: BatchNormThen;
  readonly residual: Tensor | null;
}

const THEN: readonly BatchNormThen[] = ["none", "relu", "relu-maxpool"];
const POOLS = [maxPool1d, maxPool2d, maxPool3d] as const;

/** Checks what is to follow a batch norm of x. */
export function assertFollowing(action: string, x: Tensor, { then, residual }: Following): void {
  if (!THEN.includes(then)) {
    const known = `one of ${THEN.join(", ")}`;
    if (typeof then !== "string") refuseKind(action, "then", then, known);
    refuse(action, `then "${then}"`, known);
  }
  if (then === "relu-maxpool" && (x.ndim < 3 || x.shape.slice(2).some((size) => size < 2))) {
    refuse(
      action,
      `${shaped("x", x)} with then "relu-maxpool"`,
      "[N, C, …] with room for a window of 2 along each further axis",
    );
  }
  assertTensors(action, x, { residual });
  assertShapes(action, { residual }, x.shape, "");
}

/** What follows, operation by operation. */
export function followed(y: Tensor, { then, residual }: Following): Tensor {
  const sum = residual === null ? y : add(y, residual);
  if (then === "none") return sum;
  return then === "relu" ? relu(sum) : POOLS[y.ndim - 3](relu(sum), 2);
}

/** Whether one pass can do all of it. */
export function isOnePass(x: Tensor, { then }: Following): boolean {
  return x.size > 0 && (then === "relu" || (then === "relu-maxpool" && x.ndim === 4));
}

interface ReluAttrs {
  /** Whether the batch's own statistics are used; else those given. */
  readonly useBatch: boolean;
  readonly eps: number;
  readonly pooled: boolean;
}

type Saved = readonly [
  x: Tensor,
  weight: Input,
  mean: Tensor,
  low: Tensor,
  invStd: Tensor,
  shift: Tensor,
  residual: Input,
];

type Forward = Primitive<
  BatchNormInputs,
  readonly [y: Tensor, ...Statistics, shift: Tensor],
  Saved,
  ReluAttrs
>;

function pooledShape(x: Shape): Shape {
  return x.map((size, i) => i < 2 ? size : size >> 1);
}

/** What the kernels need to know of what follows. */
function following(x: Tensor, residual: Input, pooled: boolean): kernels.Following {
  return {
    residual: valuesOrNull(residual),
    width: pooled ? x.shape[3] : 0,
  };
}

const batchNormReluPrimitive = /* @__PURE__ */ ownPrimitive<Forward>({
  name: "batchNormRelu",
  differentiable: [true, false, false, false, false, false],
  shape: ([x], { pooled }) => {
    const c = [x[1]];
    return [pooled ? pooledShape(x) : x, c, c, c, c, c];
  },
  forward([x, weight, bias, runningMean, runningVar, residual], outputs, attrs) {
    const { useBatch, eps, pooled } = attrs;
    const [y, mean, low, variance, invStd, shift] = outputs.map(valuesOf);
    if (!useBatch) useRunning(mean, low, variance, runningMean, runningVar);
    kernels.batchNormReluForward(
      valuesOf(x),
      valuesOrNull(weight),
      valuesOrNull(bias),
      y,
      { mean, low, variance, invStd, shift },
      channelSizes(x.shape),
      eps,
      useBatch,
      following(x, residual, pooled),
    );
  },
  save: ([x, weight, , , , residual], [, mean, low, , invStd, shift]) => [
    x,
    weight,
    mean,
    low,
    invStd,
    shift,
    residual,
  ],
  vjp: ([g], { saved, attrs, needs }) => {
    const wanted = [needs[0], needs[1], needs[2], needs[5]];
    const cotangents = bind(batchNormReluBackward, [g, ...saved], { ...attrs, needs: wanted });
    const [dx, dw, db, dr] = pick(wanted, cotangents);
    return [dx, dw, db, null, null, dr];
  },
});

/* @__PURE__ */ described(
  batchNormReluPrimitive,
  "relu of batchNorm + residual, pooled or not; also μ in two parts, σ², inv and the shift",
  (random) =>
    ([
      [[3, 2], false, true, false],
      [[2, 3, 2], true, true, true],
      [[2, 2, 3], false, false, true],
      [[2, 1, 2, 5], false, true, true],
      [[1, 2, 4, 2], true, true, false],
      [[1, 2, 2, 2], true, false, true],
    ] as const).map(([shape, added, useBatch, affine]) => ({
      inputs: [
        uniform(random, shape, -2, 2),
        affine ? uniform(random, [shape[1]], 0.5, 1.5) : null,
        affine ? uniform(random, [shape[1]], -1, 1) : null,
        useBatch ? null : uniform(random, [shape[1]], -1, 1).requiresGrad_(false),
        useBatch ? null : uniform(random, [shape[1]], 0.5, 2).requiresGrad_(false),
        added ? uniform(random, shape, -1, 1) : null,
      ] as const,
      attrs: { useBatch, eps: 1e-2, pooled: shape.length === 4 },
    })),
);

type BackwardInputs = readonly [g: Tensor, ...Saved];

type Backward = Primitive<
  BackwardInputs,
  readonly [dx: Tensor, dw: Tensor, db: Tensor, dr: Tensor],
  BackwardInputs,
  ReluAttrs & { readonly needs: readonly boolean[] }
>;

const batchNormReluBackward: Backward = /* @__PURE__ */ ownPrimitive<Backward>({
  name: "batchNormReluBackward",
  shape: ([, x], { needs }) => askedFor(needs, [x, [x[1]], [x[1]], x]),
  forward([g, x, weight, mean, low, invStd, shift, residual], outputs, attrs) {
    const { useBatch, pooled, needs } = attrs;
    const [dx, dw, db, dr] = pick(needs, outputs).map(valuesOrNull);
    // R(g) is the cotangent of the residual. Where nobody asks for that it is made where dx will be.
    const spare = dr ?? dx ? null : allocateUninitialised(x.size);
    kernels.batchNormReluBackward(
      valuesOf(g),
      valuesOf(x),
      valuesOrNull(weight),
      {
        mean: valuesOf(mean),
        low: valuesOf(low),
        invStd: valuesOf(invStd),
        shift: valuesOf(shift),
      },
      dr ?? dx ?? spare!.values,
      dx,
      dw,
      db,
      channelSizes(x.shape),
      useBatch,
      following(x, residual, pooled),
    );
    if (spare !== null) release(spare);
  },
  save: (inputs) => inputs,
  // R is linear in g and does not change with x, so the rest is the second order of batch norm.
  vjp: ([vx, vw, vb, vr], { saved, attrs, needs: needed }) => {
    const [g, x, weight, mean, low, invStd, , residual] = saved;
    const { useBatch, eps, needs } = attrs;
    const route = routeOf(saved, attrs.pooled);
    const [toZ, toX, toWeight] = secondOrderByChannel(
      [vx, vw, vb],
      { g: route.back(g), x, weight, statistics: [mean, low, invStd], mask: null },
      { useBatch, eps, needs, count: x.size / x.shape[1] },
      needed[2],
    );
    const both = needs[3] ? toZ === null ? vr : add(toZ, vr) : toZ;
    const orZero = (i: number, cotangent: Input, of: Input): Input =>
      needed[i] ? cotangent ?? zerosLike(of!) : null;
    return [
      needed[0] && both !== null ? route.forth(both) : null,
      orZero(1, toX, x),
      orZero(2, toWeight, weight),
      null,
      null,
      null,
      null,
      orZero(7, null, residual),
    ];
  },
});

/* @__PURE__ */ described(
  batchNormReluBackward,
  "cotangents of batchNormRelu's x, weight, bias and residual; μ and inv as functions of x",
  (random) =>
    ([
      [[3, 2, 2], true, [true, true, true, true]],
      [[3, 2, 2], false, [true, false, false, false]],
      [[2, 2, 2, 4], true, [false, true, false, true]],
      [[2, 2, 4, 2], false, [false, false, true, false]],
    ] as const).map(([shape, useBatch, needs]) => {
      // The statistics count as functions of x, so that x can only be varied through batchNormRelu.
      const x = uniform(random, shape, -2, 2).requiresGrad_(!useBatch);
      const residual = needs[3] ? uniform(random, shape, -1, 1) : null;
      const weight = uniform(random, [2], 0.5, 1.5);
      const attrs = { useBatch, eps: 1e-2, pooled: shape.length === 4 };
      const running = [0.25, 0.5].map((at) =>
        uniform(random, [2], at, 2 * at).requiresGrad_(false)
      );
      const [y, mean, low, , invStd, shift] = bind(
        batchNormReluPrimitive,
        [
          x.detach(),
          weight.detach(),
          null,
          useBatch ? null : running[0],
          useBatch ? null : running[1],
          residual?.detach() ?? null,
        ],
        attrs,
      );
      // The shift counts as a constant, so the weight can only be varied through batchNormRelu too.
      weight.requiresGrad_(false);
      return {
        inputs: [
          uniform(random, y.shape, -1, 1),
          x,
          weight,
          mean,
          low,
          invStd,
          shift,
          residual,
        ] as const,
        attrs: { ...attrs, needs },
      };
    }),
);

/** R and its transpose, from what the forward saved. */
function routeOf(
  [, x, weight, mean, , invStd, shift, residual]: BackwardInputs,
  pooled: boolean,
): { back(g: Tensor): Tensor; forth(v: Tensor): Tensor } {
  const z = new Tensor(allocateUninitialised(x.size), x.shape);
  const inv = valuesOf(invStd);
  const scale = weight === null ? inv : inv.map((value, c) => value * valuesOf(weight)[c]);
  const values = valuesOf(z);
  kernels.channelAffine(
    valuesOf(x),
    channelSizes(x.shape),
    valuesOf(mean),
    scale,
    valuesOf(shift),
    values,
  );
  if (residual !== null) kernels.add(values, valuesOf(residual), values);
  if (!pooled) {
    const shut = le(z, 0);
    const through = (t: Tensor): Tensor => where(shut, 0, t);
    return { back: through, forth: through };
  }
  const [largest, places] = maxPool2d(z, 2, { returnIndices: true });
  const shut = le(largest, 0);
  return {
    back: (g) => scatterPlanes(where(shut, 0, g), places, x.shape),
    forth: (v) => where(shut, 0, gatherPlanes(v, places)),
  };
}

/** Batch norm and what follows in one pass: y, and the statistics as batch norm returns them. */
export function batchNormRelu(
  [x, weight, bias, runningMean, runningVar]: BatchNormInputs,
  { then, residual }: Following,
  settings: { readonly useBatch: boolean; readonly eps: number },
): readonly [y: Tensor, ...Statistics, shift: Tensor] {
  return bind(
    batchNormReluPrimitive,
    [x, weight, bias, runningMean, runningVar, residual],
    { ...settings, pooled: then === "relu-maxpool" },
  );
}
