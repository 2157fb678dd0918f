/**
 * Activations and, as `…Backward`, the cotangent times their slope, each in one pass. The slope is
 * taken at x, or from y = f(x) where the function's own value says it all.
 *
 * Where two values are to choose from, both stand in an array that is read by the condition: signs
 * that a processor cannot predict would make a branch five times as slow.
 */
import { erfcOf } from "./pointwise_plain.ts";

/** max(x, 0); NaN stays. */
export function relu(x: Float64Array, out: Float64Array): void {
  reluBackward(x, x, out);
}

/** g where y > 0, else 0; g for NaN. */
export function reluBackward(g: Float64Array, y: Float64Array, out: Float64Array): void {
  const choice = new Float64Array(2);
  for (let i = 0; i < out.length; i++) {
    choice[1] = g[i];
    out[i] = choice[Number(!(y[i] <= 0))];
  }
}

/** 1 / (1 + e^(−x)) */
export function sigmoid(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = logistic(x[i]);
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** g · y · (1 − y) */
export function sigmoidBackward(g: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = g[i] * (1 - y[i]) * y[i];
}

/** tanh x */
export function tanh(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.tanh(x[i]);
}

/** g · (1 − y²) */
export function tanhBackward(g: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = g[i] * (1 - y[i] * y[i]);
}

/** g strictly between low and high, else 0; g for NaN. */
export function hardtanhBackward(
  g: Float64Array,
  x: Float64Array,
  out: Float64Array,
  low: number,
  high: number,
): void {
  const choice = new Float64Array(2);
  for (let i = 0; i < out.length; i++) {
    choice[0] = g[i];
    out[i] = choice[Number(x[i] <= low) | Number(x[i] >= high)];
  }
}

/** x for x > 0, else slope · x */
export function leakyRelu(x: Float64Array, out: Float64Array, slope: number): void {
  leakyReluBackward(x, x, out, slope);
}

/** g for x > 0, else slope · g */
export function leakyReluBackward(
  g: Float64Array,
  x: Float64Array,
  out: Float64Array,
  slope: number,
): void {
  const factors = Float64Array.of(slope, 1);
  for (let i = 0; i < out.length; i++) out[i] = g[i] * factors[Number(x[i] > 0)];
}

/** scale · x for x > 0, else scale · alpha · (eˣ − 1) */
export function elu(x: Float64Array, out: Float64Array, alpha: number, scale: number): void {
  const factor = alpha * scale;
  for (let i = 0; i < out.length; i++) {
    out[i] = x[i] <= 0 ? Math.expm1(x[i]) * factor : x[i] * scale;
  }
}

/** scale · g for x > 0, else scale · alpha · eˣ · g */
export function eluBackward(
  g: Float64Array,
  x: Float64Array,
  out: Float64Array,
  alpha: number,
  scale: number,
): void {
  const factor = alpha * scale;
  for (let i = 0; i < out.length; i++) {
    out[i] = x[i] <= 0 ? g[i] * factor * Math.exp(x[i]) : g[i] * scale;
  }
}

const ROOT_HALF = Math.SQRT1_2;
const INVERSE_ROOT_TWO_PI = 1 / Math.sqrt(2 * Math.PI);

/** x · Φ(x) */
export function gelu(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = 0.5 * x[i] * erfcOf(-x[i] * ROOT_HALF);
}

/** g · (Φ(x) + x·φ(x)) */
export function geluBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const v = x[i];
    const density = INVERSE_ROOT_TWO_PI * Math.exp(-0.5 * v * v);
    out[i] = g[i] * (0.5 * erfcOf(-v * ROOT_HALF) + v * density);
  }
}

/** √(2/π) in gelu's tanh approximation: tanh(√(2/π)·(x + 0.044715·x³)). */
export const GELU_SCALE: number = Math.sqrt(2 / Math.PI);
/** The weight of x³ in gelu's tanh approximation. */
export const GELU_CUBIC = 0.044715;

/** 0.5 · x · (1 + tanh(√(2/π)·(x + 0.044715·x³))) */
export function geluTanh(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const v = x[i];
    out[i] = 0.5 * v * (1 + Math.tanh(GELU_SCALE * (v + GELU_CUBIC * v * v * v)));
  }
}

/** g times the slope of {@linkcode geluTanh} at x */
export function geluTanhBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const v = x[i];
    const t = Math.tanh(GELU_SCALE * (v + GELU_CUBIC * v * v * v));
    const inner = GELU_SCALE * (1 + 3 * GELU_CUBIC * v * v);
    out[i] = g[i] * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * inner);
  }
}

/** x · σ(x) */
export function silu(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] / (1 + Math.exp(-x[i]));
}

/** g · σ(x) · (1 + x·(1 − σ(x))) */
export function siluBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const s = logistic(x[i]);
    out[i] = g[i] * s * (1 + x[i] * (1 - s));
  }
}

/** ln(1 + e^(beta·x)) / beta; x itself where beta·x is above the threshold */
export function softplus(
  x: Float64Array,
  out: Float64Array,
  beta: number,
  threshold: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const z = x[i] * beta;
    out[i] = z > threshold ? x[i] : (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / beta;
  }
}

/** g · σ(beta·x); g where beta·x is above the threshold */
export function softplusBackward(
  g: Float64Array,
  x: Float64Array,
  out: Float64Array,
  beta: number,
  threshold: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const z = x[i] * beta;
    out[i] = z > threshold ? g[i] : g[i] * logistic(z);
  }
}

/** ln σ(x) */
export function logsigmoid(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.min(x[i], 0) - Math.log1p(Math.exp(-Math.abs(x[i])));
  }
}

/** g · σ(−x) */
export function logsigmoidBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = g[i] * logistic(-x[i]);
}

/** x · min(max(x + 3, 0), 6) / 6 */
export function hardswish(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = x[i] * Math.min(Math.max(x[i] + 3, 0), 6) / 6;
  }
}

/** 0 up to −3, g from 3 on, g · (x/3 + 1/2) between */
export function hardswishBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const v = x[i];
    out[i] = v <= -3 ? 0 : v < 3 ? g[i] * (v / 3 + 0.5) : g[i];
  }
}

/** tanh(ln(1 + eˣ)) = n / (n + 2) with n = eˣ(eˣ + 2); 1 where eˣ is large */
function tanhSoftplus(x: number): number {
  if (x > 20) return 1;
  const e = Math.exp(x);
  const n = e * (e + 2);
  return n / (n + 2);
}

/** x · tanh(ln(1 + eˣ)) */
export function mish(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] * tanhSoftplus(x[i]);
}

/** g · (t + x·(1 − t²)·σ(x)) with t = tanh(ln(1 + eˣ)) */
export function mishBackward(g: Float64Array, x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const t = tanhSoftplus(x[i]);
    out[i] = g[i] * (t + x[i] * (1 - t * t) * logistic(x[i]));
  }
}

/** x for x > 0, else slope · x, with one slope for each run of `inner` elements in turn */
export function prelu(
  x: Float64Array,
  slopes: Float64Array,
  out: Float64Array,
  inner: number,
): void {
  for (let from = 0, channel = 0; from < x.length; from += inner) {
    const slope = slopes[channel];
    for (let i = from; i < from + inner; i++) out[i] = x[i] > 0 ? x[i] : x[i] * slope;
    channel = channel + 1 === slopes.length ? 0 : channel + 1;
  }
}
