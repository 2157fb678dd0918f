/** Element by element, two lanes wide where all arrays lie in the kernels' memory. */
import * as activation from "./activation_plain.ts";
import * as arithmetic from "./arithmetic_plain.ts";
import * as error from "./erf_plain.ts";
import * as pointwise from "./pointwise_plain.ts";
import {
  inPool,
  type Kernels,
  kernelsFor,
  scratch,
  smallest,
  writeNumber,
} from "../../runtime/instance.ts";
import type { KernelName } from "../../runtime/module.ts";

/** Runs a kernel of one array; false where it has to be the plain one. */
function one(name: KernelName, x: Float64Array, out: Float64Array): boolean {
  const kernels = kernelsFor(out);
  if (kernels === null || !inPool(x)) return false;
  kernels[name](x.byteOffset, out.byteOffset, out.length);
  return true;
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

/** Runs a kernel of a cotangent and a value; false where it has to be the plain one. */
function backward(name: KernelName, g: Float64Array, y: Float64Array, out: Float64Array): boolean {
  const kernels = kernelsFor(out);
  if (kernels === null || !inPool(g) || !inPool(y)) return false;
  kernels[name](g.byteOffset, y.byteOffset, out.byteOffset, out.length);
  return true;
}

/** Runs a kernel of two arrays, either of which may be one number; false where it has to be plain. */
function two(name: KernelName, x: Float64Array, y: Float64Array, out: Float64Array): boolean {
  const kernels = kernelsFor(out);
  return kernels !== null && addressed(kernels, name, x, y, out);
}

function addressed(
  kernels: Kernels,
  name: KernelName,
  x: Float64Array,
  y: Float64Array,
  out: Float64Array,
): boolean {
  const n = out.length;
  const wholeX = x.length === n;
  const wholeY = y.length === n;
  if (wholeX && !inPool(x) || wholeY && !inPool(y)) return false;
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
export function add(x: Float64Array, y: Float64Array, out: Float64Array): void {
  if (out.length < smallest || !two("add", x, y, out)) arithmetic.add(x, y, out);
}

/** x − y */
export function sub(x: Float64Array, y: Float64Array, out: Float64Array): void {
  if (out.length < smallest || !two("sub", x, y, out)) arithmetic.sub(x, y, out);
}

/** x · y */
export function mul(x: Float64Array, y: Float64Array, out: Float64Array): void {
  if (out.length < smallest || !two("mul", x, y, out)) arithmetic.mul(x, y, out);
}

/** x / y */
export function div(x: Float64Array, y: Float64Array, out: Float64Array): void {
  if (out.length < smallest || !two("div", x, y, out)) arithmetic.div(x, y, out);
}

/** −x */
export function neg(x: Float64Array, out: Float64Array): void {
  if (!one("neg", x, out)) arithmetic.neg(x, out);
}

/** x^exponent; the common exponents by multiplication, division and square root */
export function powNumber(x: Float64Array, out: Float64Array, exponent: number): void {
  const name = exponent === 2 ? "square" : exponent === 0.5 ? "sqrtOf" : null;
  if (name === null || !one(name, x, out)) arithmetic.powNumber(x, out, exponent);
}

/** eˣ; with WebAssembly within 1.1 units in the last place */
export function exp(x: Float64Array, out: Float64Array): void {
  if (!one("exp", x, out)) pointwise.exp(x, out);
}

/** ln x; with WebAssembly within 0.8 units in the last place */
export function log(x: Float64Array, out: Float64Array): void {
  if (!one("log", x, out)) pointwise.log(x, out);
}

/** √x */
export function sqrt(x: Float64Array, out: Float64Array): void {
  if (!one("sqrtOf", x, out)) pointwise.sqrt(x, out);
}

/** 1 / √x */
export function rsqrt(x: Float64Array, out: Float64Array): void {
  if (!one("rsqrt", x, out)) pointwise.rsqrt(x, out);
}

/** |x| */
export function abs(x: Float64Array, out: Float64Array): void {
  if (!one("abs", x, out)) pointwise.abs(x, out);
}

/** max(x, 0); NaN stays. */
export function relu(x: Float64Array, out: Float64Array): void {
  if (!one("relu", x, out)) activation.relu(x, out);
}

/** g where y > 0, else 0; g for NaN. */
export function reluBackward(g: Float64Array, y: Float64Array, out: Float64Array): void {
  if (!backward("reluBackward", g, y, out)) activation.reluBackward(g, y, out);
}

/** 1 / (1 + e^(−x)); with WebAssembly within 2 units in the last place */
export function sigmoid(x: Float64Array, out: Float64Array): void {
  if (!one("sigmoid", x, out)) activation.sigmoid(x, out);
}

/** g · y · (1 − y) */
export function sigmoidBackward(g: Float64Array, y: Float64Array, out: Float64Array): void {
  if (!backward("sigmoidBackward", g, y, out)) activation.sigmoidBackward(g, y, out);
}

/** tanh x; with WebAssembly within 1.5 units in the last place */
export function tanh(x: Float64Array, out: Float64Array): void {
  if (!inBlocks("tanh", [x], out)) activation.tanh(x, out);
}

/** g · (1 − y²) */
export function tanhBackward(g: Float64Array, y: Float64Array, out: Float64Array): void {
  if (!backward("tanhBackward", g, y, out)) activation.tanhBackward(g, y, out);
}

/** x · σ(x) */
export function silu(x: Float64Array, out: Float64Array): void {
  if (!one("silu", x, out)) activation.silu(x, out);
}

/** erf x */
export function erf(x: Float64Array, out: Float64Array): void {
  if (!inBlocks("erf", [x], out)) error.erf(x, out);
}

/** x · Φ(x) */
export function gelu(x: Float64Array, out: Float64Array): void {
  if (!inBlocks("gelu", [x], out)) activation.gelu(x, out);
}

/** g · (Φ(x) + x·φ(x)) */
export function geluBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  if (!inBlocks("geluBackward", [g, x], out)) activation.geluBackward(g, x, out);
}
