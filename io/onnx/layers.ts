/**
 * Convolutions, products, normalisation.
 *
 * ONNX Runtime has no float64 convolution. In float64 one is written as what it is: patches of the
 * padded input, picked by index, times the weights.
 */
import type { Shape } from "../../autograd/mod.ts";
import { sizeOf } from "../../autograd/internal.ts";
import { type Call, type Converter, NoCounterpart } from "./converter.ts";
import type { Graph } from "./graph.ts";

/** The geometry of a convolution, in three axes of which the last ones count. */
interface Window {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

interface Convolution {
  readonly window: Window;
  readonly groups: number;
}

/** A geometry in the axes that the input has. */
interface Spatial extends Window {
  /** The padding behind the input. */
  readonly behind: readonly number[];
  /** What the last windows do not reach. */
  readonly unreached: readonly number[];
}

function spatialOf(window: Window, axes: number): Spatial {
  const last = (values: readonly number[]): number[] => values.slice(3 - axes);
  const own: Window = {
    input: last(window.input),
    kernel: last(window.kernel),
    output: last(window.output),
    stride: last(window.stride),
    padding: last(window.padding),
    dilation: last(window.dilation),
  };
  const past = own.input.map((size, i) =>
    (own.output[i] - 1) * own.stride[i] + extent(own, i) - size - own.padding[i]
  );
  const behind = past.map((size) => Math.max(size, 0));
  return { ...own, behind, unreached: past.map((size) => Math.max(-size, 0)) };
}

/** How far a window reaches. */
function extent({ kernel, dilation }: Window, axis: number): number {
  return (kernel[axis] - 1) * dilation[axis] + 1;
}

function conv(call: Call<Convolution>): string {
  const { graph, names: [x, weight, bias], inputs, attrs: { window, groups } } = call;
  const axes = inputs[0]!.ndim - 2;
  if (graph.dtype === "F64") return convByPatches(call);
  const { kernel, stride, padding, behind, dilation } = spatialOf(window, axes);
  return graph.node("Conv", bias === "" ? [x, weight] : [x, weight, bias], {
    kernel_shape: kernel,
    strides: stride,
    pads: [...padding, ...behind],
    dilations: dilation,
    group: groups,
  });
}

function convByPatches(call: Call<Convolution>): string {
  const { graph, names: [x, weight, bias], inputs, outputs, attrs: { window, groups } } = call;
  const axes = inputs[0]!.ndim - 2;
  const own = spatialOf(window, axes);
  const padded = own.input.map((size, i) => own.padding[i] + size + own.behind[i]);
  const [batch, channels] = inputs[0]!.shape;
  const filters = outputs[0].shape[1];
  const windows = sizeOf(own.output);
  const taps = sizeOf(own.kernel);
  const inside = [...own.padding, ...own.behind].every((size) => size === 0)
    ? x
    : graph.node("Pad", [x, graph.ints([0, 0, ...own.padding, 0, 0, ...own.behind])]);
  const flat = graph.reshape(inside, [batch, groups, channels / groups, sizeOf(padded)]);
  const indices = graph.ints(patchIndices(own, padded), [taps, windows]);
  const patches = graph.node("Gather", [flat, indices], { axis: 3 });
  const columns = graph.reshape(patches, [batch, groups, channels / groups * taps, windows]);
  const rows = graph.reshape(weight, [groups, filters / groups, channels / groups * taps]);
  const product = graph.node("MatMul", [rows, columns]);
  const y = graph.reshape(product, [batch, filters, ...own.output]);
  return bias === "" ? y : graph.node("Add", [y, perChannel(graph, bias, filters, axes)]);
}

/** For each tap and window the place in the padded plane. */
function patchIndices(window: Window, padded: readonly number[]): Int32Array {
  const taps = places(window.kernel);
  const starts = places(window.output);
  const out = new Int32Array(taps.length * starts.length);
  taps.forEach((tap, t) =>
    starts.forEach((start, w) => {
      let place = 0;
      for (let axis = 0; axis < padded.length; axis++) {
        const along = start[axis] * window.stride[axis] + tap[axis] * window.dilation[axis];
        place = place * padded[axis] + along;
      }
      out[t * starts.length + w] = place;
    })
  );
  return out;
}

/** All indices into a shape, row-major. */
function places(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (before, size) =>
      before.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

function convTranspose(call: Call<Convolution>): string {
  const { graph, names: [y, weight, bias], inputs, attrs: { window, groups } } = call;
  const own = spatialOf(window, inputs[0]!.ndim - 2);
  return graph.node("ConvTranspose", bias === "" ? [y, weight] : [y, weight, bias], {
    kernel_shape: own.kernel,
    strides: own.stride,
    pads: [...own.padding, ...own.behind],
    output_padding: own.unreached,
    dilations: own.dilation,
    group: groups,
  });
}

interface Product {
  readonly transA: boolean;
  readonly transB: boolean;
}

function matmul({ graph, names: [a, b, bias], inputs, attrs }: Call<Product>): string {
  const { transA, transB } = attrs;
  const ndim = inputs[0]!.ndim;
  if (ndim === 2) {
    return graph.node("Gemm", bias === "" ? [a, b] : [a, b, bias], {
      transA: Number(transA),
      transB: Number(transB),
    });
  }
  if (graph.dtype === "F64") {
    // ONNX Runtime fuses Transpose into MatMul, and then has none for float64; Einsum it leaves alone.
    const axes = "abcdefgh".slice(0, ndim - 2);
    const left = transA ? "ji" : "ij";
    const right = transB ? "kj" : "jk";
    const equation = `${axes}${left},${axes}${right}->${axes}ik`;
    const product = graph.node("Einsum", [a, b], { equation });
    return bias === "" ? product : graph.node("Add", [product, bias]);
  }
  const swap = [...Array(ndim).keys()];
  [swap[ndim - 2], swap[ndim - 1]] = [ndim - 1, ndim - 2];
  const turned = (name: string, isTurned: boolean): string =>
    isTurned ? graph.node("Transpose", [name], { perm: swap }) : name;
  const product = graph.node("MatMul", [turned(a, transA), turned(b, transB)]);
  return bias === "" ? product : graph.node("Add", [product, bias]);
}

interface BatchNorm {
  readonly useBatch: boolean;
  readonly eps: number;
}

function batchNorm(call: Call<BatchNorm>): string {
  const { graph, names: [x, weight, bias, mean], inputs, attrs: { useBatch, eps } } = call;
  const channels = inputs[0]!.shape[1];
  const axes = inputs[0]!.ndim - 2;
  if (useBatch) {
    const over = [0, ...Array.from({ length: axes }, (_, i) => i + 2)];
    return scaled(graph, normalised(graph, x, over, eps), weight, bias, channels, axes);
  }
  const filled = (name: string, value: number): string =>
    name === "" ? graph.constant(new Array(channels).fill(value), [channels]) : name;
  // The attribute is a float32; what it lacks is added to the variance.
  const rest = graph.dtype === "F64" ? eps - Math.fround(eps) : 0;
  const variance = rest === 0 ? call.names[4] : graph.initializer(
    "running_var_and_eps",
    Float64Array.from(call.constant(4), (value) => value + rest),
    [channels],
  );
  return graph.node("BatchNormalization", [x, filled(weight, 1), filled(bias, 0), mean, variance], {
    epsilon: { float: eps },
  });
}

/** Batch norm, a residual, relu, and perhaps the largest of each 2 × 2 window: node by node. */
function batchNormRelu(call: Call<BatchNorm & { readonly pooled: boolean }>): string {
  const { graph, names: [, , , , , residual], attrs: { pooled } } = call;
  const y = batchNorm(call);
  const active = graph.node("Relu", [residual === "" ? y : graph.node("Add", [y, residual])]);
  const pairs = { kernel_shape: [2, 2], strides: [2, 2] };
  return pooled ? graph.node("MaxPool", [active], pairs) : active;
}

/** (x − μ) / √(σ² + eps) over axes. */
function normalised(graph: Graph, x: string, axes: readonly number[], eps: number): string {
  const over = { axes, keepdims: 1 };
  const centred = graph.node("Sub", [x, graph.node("ReduceMean", [x], over)]);
  const variance = graph.node("ReduceMean", [graph.node("Mul", [centred, centred])], over);
  const deviation = graph.node("Sqrt", [graph.node("Add", [variance, graph.scalar(eps)])]);
  return graph.node("Div", [centred, deviation]);
}

/** x · weight + bias by channel, either absent. */
function scaled(
  graph: Graph,
  x: string,
  weight: string,
  bias: string,
  channels: number,
  axes: number,
): string {
  const y = weight === "" ? x : graph.node("Mul", [x, perChannel(graph, weight, channels, axes)]);
  return bias === "" ? y : graph.node("Add", [y, perChannel(graph, bias, channels, axes)]);
}

function perChannel(graph: Graph, name: string, channels: number, axes: number): string {
  return axes === 0 ? name : graph.reshape(name, [channels, ...new Array(axes).fill(1)]);
}

interface GroupNorm {
  readonly groups: number;
  readonly eps: number;
}

function groupNorm(call: Call<GroupNorm>): string {
  const { graph, names: [x, weight, bias], inputs, attrs: { groups, eps } } = call;
  const { shape } = inputs[0]!;
  if (sizeOf(shape) === 0) throw new NoCounterpart("of an empty tensor");
  const rows = graph.reshape(x, [shape[0], groups, sizeOf(shape) / shape[0] / groups]);
  const y = graph.reshape(normalised(graph, rows, [2], eps), shape);
  return scaled(graph, y, weight, bias, shape[1], shape.length - 2);
}

/** x/√(S(x²) + eps) · weight over rows. */
function rmsNorm(call: Call<{ readonly eps: number }>): string {
  const { graph, names: [x, weight], attrs: { eps } } = call;
  const squares = graph.node("ReduceMean", [graph.node("Mul", [x, x])], { axes: [1], keepdims: 1 });
  const root = graph.node("Sqrt", [graph.node("Add", [squares, graph.scalar(eps)])]);
  const y = graph.node("Div", [x, root]);
  return weight === "" ? y : graph.node("Mul", [y, weight]);
}

/** By the name of the primitive. */
export const layers: Readonly<Record<string, Converter>> = {
  conv,
  convInput: convTranspose,
  matmul,
  batchNorm,
  batchNormRelu,
  groupNorm,
  rmsNorm,
};
