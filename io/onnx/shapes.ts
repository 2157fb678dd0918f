/**
 * Shapes, reductions and picking by index.
 */
import type { Shape } from "../../autograd/mod.ts";
import { stridesOf } from "../../autograd/internal.ts";
import { type Call, type Converter, NoCounterpart } from "./converter.ts";

/** A reduction that keeps its axes with size 1. */
function reduction(op: string): Converter {
  return ({ graph, names, attrs }: Call<{ readonly dims: readonly number[] }>) =>
    graph.node(op, names, { axes: attrs.dims, keepdims: 1 });
}

function position(op: string): Converter {
  return ({ graph, names, attrs }: Call<{ readonly dims: readonly number[] }>) => {
    if (attrs.dims.length !== 1) throw new NoCounterpart("over several axes");
    return graph.toFloats(graph.node(op, names, { axis: attrs.dims[0], keepdims: 1 }));
  };
}

/** Σ(x − mean)² / (n − correction), the axes kept. */
function variance(call: Call<{ readonly dims: readonly number[]; readonly correction: number }>) {
  const { graph, names: [x], inputs, attrs: { dims, correction } } = call;
  const axes = { axes: dims, keepdims: 1 };
  const centred = graph.node("Sub", [x, graph.node("ReduceMean", [x], axes)]);
  const mean = graph.node("ReduceMean", [graph.node("Mul", [centred, centred])], axes);
  const count = dims.reduce((product, dim) => product * inputs[0]!.shape[dim], 1);
  return correction === 0
    ? mean
    : graph.node("Mul", [mean, graph.scalar(count / (count - correction))]);
}

interface Walk {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A walk that takes every axis by itself, as narrow, flip and steps do, is a Slice. */
function asSlice(shape: Shape, { shape: out, strides, offset }: Walk): number[][] | null {
  if (shape.length !== out.length) return null;
  const starts: number[] = [];
  const steps: number[] = [];
  const units = stridesOf(shape);
  let rest = offset;
  for (let axis = 0; axis < shape.length; axis++) {
    const unit = units[axis];
    const start = Math.floor(rest / unit);
    const step = out[axis] === 1 ? 1 : strides[axis] / unit;
    const last = start + (out[axis] - 1) * step;
    if (!Number.isInteger(step) || step === 0 || Math.min(start, last) < 0) return null;
    if (Math.max(start, last) >= shape[axis]) return null;
    rest -= start * unit;
    starts.push(start);
    steps.push(step);
  }
  const ends = starts.map((start, axis) => {
    const end = start + out[axis] * steps[axis];
    return end < 0 ? -shape[axis] - 1 : end;
  });
  return [starts, ends, steps];
}

function strided({ graph, names: [x], inputs, attrs }: Call<Walk>): string {
  const { shape } = inputs[0]!;
  const slice = asSlice(shape, attrs);
  if (slice === null) throw new NoCounterpart("of a view that is no slice");
  const [starts, ends, steps] = slice;
  // Axes that stay whole are left out, so that their sizes stay open.
  const axes = shape.map((_, axis) => axis)
    .filter((axis) => attrs.shape[axis] !== shape[axis] || steps[axis] !== 1);
  if (axes.length === 0) return x;
  const pick = (values: readonly number[]): string => graph.ints(axes.map((axis) => values[axis]));
  return graph.node("Slice", [x, pick(starts), pick(ends), graph.ints(axes), pick(steps)]);
}

/** By the name of the primitive. */
export const shapes: Readonly<Record<string, Converter>> = {
  reshape: ({ graph, names: [x], attrs }: Call<{ readonly shape: Shape }>) =>
    graph.reshape(x, attrs.shape),
  permute: ({ graph, names, attrs }: Call<{ readonly dims: readonly number[] }>) =>
    graph.node("Transpose", names, { perm: attrs.dims }),
  broadcastTo: ({ graph, names: [x], attrs }: Call<{ readonly shape: Shape }>) =>
    graph.node("Expand", [x, graph.ints(attrs.shape)]),
  sumTo: ({ graph, names: [x], inputs, attrs }: Call<{ readonly shape: Shape }>) => {
    const from = inputs[0]!.shape;
    const extra = from.length - attrs.shape.length;
    const axes = from.map((_, axis) => axis).filter((axis) =>
      axis < extra || (attrs.shape[axis - extra] === 1 && from[axis] !== 1)
    );
    if (axes.length === 0) return x;
    const sum = graph.node("ReduceSum", [x, graph.ints(axes)], { keepdims: 1 });
    const kept = from.map((n, axis) => axes.includes(axis) ? 1 : n);
    return extra === 0 ? sum : graph.reshape(sum, kept.slice(extra));
  },
  strided,
  cat: ({ graph, names, attrs }: Call<{ readonly dim: number }>) =>
    graph.node("Concat", names, { axis: attrs.dim }),
  split: ({ graph, names: [x], outputs, attrs }: Call<
    { readonly dim: number; readonly sizes: readonly number[] }
  >) => graph.nodes("Split", [x, graph.ints(attrs.sizes)], outputs.length, { axis: attrs.dim }),
  pad: ({ graph, names: [x], inputs, attrs }: Call<
    { readonly shape: Shape; readonly before: readonly number[]; readonly value: number }
  >) => {
    const after = attrs.shape.map((n, axis) => n - attrs.before[axis] - inputs[0]!.shape[axis]);
    return graph.node("Pad", [
      x,
      graph.ints([...attrs.before, ...after]),
      graph.scalar(attrs.value),
    ]);
  },
  indexSelect: ({ graph, names: [x, index], attrs }: Call<{ readonly dim: number }>) =>
    graph.node("Gather", [x, graph.toInts(index)], { axis: attrs.dim }),
  gather: ({ graph, names: [x, index], attrs }: Call<{ readonly dim: number }>) =>
    graph.node("GatherElements", [x, graph.toInts(index)], { axis: attrs.dim }),
  cumsum: (
    { graph, names: [x], attrs }: Call<{ readonly dim: number; readonly reverse: boolean }>,
  ) => graph.node("CumSum", [x, graph.ints([attrs.dim], [])], { reverse: Number(attrs.reverse) }),
  amax: reduction("ReduceMax"),
  amin: reduction("ReduceMin"),
  logsumexp: reduction("ReduceLogSumExp"),
  argmax: position("ArgMax"),
  argmin: position("ArgMin"),
  softmax: ({ graph, names, attrs }: Call<{ readonly dim: number }>) =>
    graph.node("Softmax", names, { axis: attrs.dim }),
  logSoftmax: ({ graph, names, attrs }: Call<{ readonly dim: number }>) =>
    graph.node("LogSoftmax", names, { axis: attrs.dim }),
  variance,
  std: (call) => call.graph.node("Sqrt", [variance(call)]),
  norm: (
    { graph, names, attrs }: Call<{ readonly p: number; readonly dims: readonly number[] }>,
  ) => {
    const axes = { axes: attrs.dims, keepdims: 1 };
    if (attrs.p === 1) return graph.node("ReduceL1", names, axes);
    if (attrs.p === 2) return graph.node("ReduceL2", names, axes);
    if (attrs.p === Infinity) return graph.node("ReduceMax", [graph.node("Abs", names)], axes);
    throw new NoCounterpart(`with p = ${attrs.p}`);
  },
};
