/** Element by element, two lanes wide where all arrays lie in the kernels' memory. */
import { type Door, door } from "../door.ts";
import * as activation from "./activation_plain.ts";
import * as arithmetic from "./arithmetic_plain.ts";
import * as pointwise from "./pointwise_plain.ts";
import { inPool, kernelsFor, scratch, smallest, writeNumber } from "../../runtime/instance.ts";
import type { KernelName } from "../../runtime/module.ts";

/** A kernel of one array. */
type Unary = Door<(x: Float64Array, out: Float64Array) => void>;
/** A kernel of two arrays, either of which may be one number. */
type Binary = Door<(x: Float64Array, y: Float64Array, out: Float64Array) => void>;
/** A kernel of a cotangent and what was saved of the forward; it ignores the steps of a binary one. */
type Slope = Binary;

/** Runs a kernel of one array; false where it has to be the plain one. */
function one(name: KernelName, x: Float64Array, out: Float64Array): boolean {
  const kernels = kernelsFor(out);
  if (kernels === null || !inPool(x)) return false;
  kernels[name](x.byteOffset, out.byteOffset, out.length);
  return true;
}

// The makers of doors take their arguments one by one: spreading them costs a tiny tensor 20 ns.
function unary(name: KernelName, plain: Unary["plain"]): Unary {
  const kernel = (x: Float64Array, out: Float64Array): void => {
    if (out.length < smallest || !one(name, x, out)) plain(x, out);
  };
  return Object.assign(kernel, { plain });
}

function binary(name: KernelName, plain: Binary["plain"]): Binary {
  const kernel = (x: Float64Array, y: Float64Array, out: Float64Array): void => {
    if (out.length < smallest || !two(name, x, y, out)) plain(x, y, out);
  };
  return Object.assign(kernel, { plain });
}

/** Runs a kernel that works through blocks of scratch memory; false where it has to be the plain one. */
function inBlocks(
  name: "tanh" | "erf" | "gelu" | "geluBackward",
  inputs: readonly Float64Array[],
  out: Float64Array,
): boolean {
  const kernels = kernelsFor(out);
  if (kernels === null || !inputs.every(inPool)) return false;
  const at = scratch(kernels.blockScratchBytes());
  kernels[name](...inputs.map((x) => x.byteOffset), out.byteOffset, out.length, at);
  return true;
}

/** Runs a kernel of two arrays, either of which may be one number; false where it has to be plain. */
function two(name: KernelName, x: Float64Array, y: Float64Array, out: Float64Array): boolean {
  const kernels = kernelsFor(out);
  const n = out.length;
  const wholeX = x.length === n;
  const wholeY = y.length === n;
  if (kernels === null || wholeX && !inPool(x) || wholeY && !inPool(y)) return false;
  if (wholeX && wholeY) {
    kernels[name](x.byteOffset, y.byteOffset, out.byteOffset, n, 16, 16);
    return true;
  }
  // A pair of equal numbers, on which the kernel stays.
  const pair = scratch(32);
  if (!wholeX) writePair(x[0], pair);
  if (!wholeY) writePair(y[0], pair + 16);
  kernels[name](
    wholeX ? x.byteOffset : pair,
    wholeY ? y.byteOffset : pair + 16,
    out.byteOffset,
    n,
    wholeX ? 16 : 0,
    wholeY ? 16 : 0,
  );
  return true;
}

function writePair(value: number, pointer: number): void {
  writeNumber(value, pointer);
  writeNumber(value, pointer + 8);
}

/** x + y */
export const add: Binary = /* @__PURE__ */ binary("add", arithmetic.add);

/** x − y */
export const sub: Binary = /* @__PURE__ */ binary("sub", arithmetic.sub);

/** x · y */
export const mul: Binary = /* @__PURE__ */ binary("mul", arithmetic.mul);

/** x / y */
export const div: Binary = /* @__PURE__ */ binary("div", arithmetic.div);

/** −x */
export const neg: Unary = /* @__PURE__ */ unary("neg", arithmetic.neg);

/** x^exponent; the common exponents by multiplication, division and square root */
export const powNumber: Door<typeof arithmetic.powNumber> = /* @__PURE__ */ door(
  arithmetic.powNumber,
  (x, out, exponent) => {
    const name = exponent === 2 ? "square" : exponent === 0.5 ? "sqrtOf" : null;
    return name !== null && one(name, x, out);
  },
);

/** eˣ; vectorised within 1.1 units in the last place */
export const exp: Unary = /* @__PURE__ */ unary("exp", pointwise.exp);

/** ln x; vectorised within 0.8 units in the last place */
export const log: Unary = /* @__PURE__ */ unary("log", pointwise.log);

/** √x */
export const sqrt: Unary = /* @__PURE__ */ unary("sqrtOf", pointwise.sqrt);

/** 1 / √x */
export const rsqrt: Unary = /* @__PURE__ */ unary("rsqrt", pointwise.rsqrt);

/** |x| */
export const abs: Unary = /* @__PURE__ */ unary("abs", pointwise.abs);

/** max(x, 0); NaN stays */
export const relu: Unary = /* @__PURE__ */ unary("relu", activation.relu);

/** g where y > 0, else 0; g for NaN */
export const reluBackward: Slope = /* @__PURE__ */ binary("reluBackward", activation.reluBackward);

/** 1 / (1 + e^(−x)); vectorised within 2 units in the last place */
export const sigmoid: Unary = /* @__PURE__ */ unary("sigmoid", activation.sigmoid);

/** g · y · (1 − y) */
export const sigmoidBackward: Slope = /* @__PURE__ */ binary(
  "sigmoidBackward",
  activation.sigmoidBackward,
);

/** tanh x; vectorised within 1.5 units in the last place */
export const tanh: Unary = /* @__PURE__ */ door(
  activation.tanh,
  (x, out) => inBlocks("tanh", [x], out),
);

/** g · (1 − y²) */
export const tanhBackward: Slope = /* @__PURE__ */ binary("tanhBackward", activation.tanhBackward);

/** x · σ(x) */
export const silu: Unary = /* @__PURE__ */ unary("silu", activation.silu);

/** erf x */
export const erf: Unary = /* @__PURE__ */ door(
  pointwise.erf,
  (x, out) => inBlocks("erf", [x], out),
);

/** x · Φ(x) */
export const gelu: Unary = /* @__PURE__ */ door(
  activation.gelu,
  (x, out) => inBlocks("gelu", [x], out),
);

/** g · (Φ(x) + x·φ(x)) */
export const geluBackward: Slope = /* @__PURE__ */ door(
  activation.geluBackward,
  (g, x, out) => inBlocks("geluBackward", [g, x], out),
);
