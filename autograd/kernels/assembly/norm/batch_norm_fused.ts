// Batch norm forward and backward in one call each: the channels in blocks that stay in the
// second-level cache from one pass to the next. All arrays of one value per channel start at the first
// channel of the call; a null pointer stands for weight 1 and bias 0, and for a mask where all counts.
// `total`: how many values of a channel count.
//
// With `active` relu follows, of the sum with `residual` where that is not null, and with a `width` other
// than 0 the pooling of 2 × 2 windows: batch_norm_relu.ts. There is no mask then; `own` is scratch for that, two
// channels of an image.

import {
  imageAffine,
  imageCotangentSums,
  imageInputGradient,
  imageStatistics,
} from "./batch_norm";
import { addRelu, pooledAffine, reluCotangent, windowsOf } from "./batch_norm_relu";
import { rowAffine, rowCotangentSums, rowInputGradient, rowStatistics } from "./batch_norm_rows";

/**
 * y = (x − μ)·inv·weight + bias with inv = 1/√(σ² + eps), 0 for a constant channel without eps. Unless
 * `useBatch`, mean, low and variance are given. `scale` is scratch.
 */
export function batchNormForward(
  x: usize, residual: usize, y: usize, n: i32, c: i32, s: i32, stride: i32, step: i32,
  mask: usize, total: f64, useBatch: bool, eps: f64, active: bool, width: i32,
  weight: usize, bias: usize, mean: usize, low: usize, variance: usize, invStd: usize,
  scale: usize, shift: usize, own: usize,
): void {
  const floor = active && !residual ? 0 : NaN;
  for (let from = 0; from < c; from += step) {
    const count = min(step, c - from);
    const at = <usize>from << 3, offset = <usize>from * <usize>s << 3;
    const m = mean + at, l = low + at, v = variance + at, a = scale + at, b = shift + at;
    if (useBatch) {
      if (s == 1) rowStatistics(x + offset, n, count, stride, m, l, v, mask, total);
      else imageStatistics(x + offset, n, count, s, stride, m, l, v, a, b, mask, total);
    }
    for (let j: usize = 0; j < <usize>count << 3; j += 8) {
      const below = load<f64>(v + j) + eps;
      const inv = useBatch && below == 0 ? 0 : 1 / sqrt<f64>(below);
      const factor = weight ? inv * load<f64>(weight + at + j) : inv;
      const start: f64 = bias ? load<f64>(bias + at + j) : 0;
      store<f64>(invStd + at + j, inv);
      store<f64>(a + j, factor);
      store<f64>(b + j, start - load<f64>(l + j) * factor);
    }
    const beside = residual ? residual + offset : 0;
    if (width) {
      const to = y + (<usize>(from * windowsOf(s, width)) << 3);
      pooledAffine(0, x + offset, beside, to, n, count, s, stride, width, m, a, b, own);
      continue;
    }
    if (s == 1) rowAffine(x + offset, y + offset, n, count, stride, m, a, b, mask, floor);
    else imageAffine(x + offset, y + offset, n, count, s, stride, m, a, b, mask, floor);
    if (active && residual) addRelu(y + offset, beside, n, count * s, stride);
  }
}

// db = Σg; dw = Σ g·x̂ = inv·(Σ g·(x − mean) − low·Σg). With k = dw/M and a = weight·inv,
// dx = a·(g − Σg/M − x̂·k) = p·g + q·(x − mean) + r; without statistics dx = a·g.
/**
 * `dx` may be null; `sums` says whether db and dw are wanted or needed; p … blockGC are scratch. With `active` g
 * is that of what follows, which becomes y's in `routed`; that may be dx. `shift` is what the forward made.
 */
export function batchNormBackward(
  g: usize, x: usize, residual: usize, routed: usize, dx: usize,
  n: i32, c: i32, s: i32, stride: i32, step: i32,
  mask: usize, total: f64, useBatch: bool, sums: bool, active: bool, width: i32,
  weight: usize, shift: usize, mean: usize, low: usize, invStd: usize, db: usize, dw: usize,
  p: usize, q: usize, r: usize, blockG: usize, blockGC: usize, own: usize,
): void {
  for (let from = 0; from < c; from += step) {
    const count = min(step, c - from);
    const at = <usize>from << 3, offset = <usize>from * <usize>s << 3;
    const xs = x + offset, m = mean + at, last = at + (<usize>count << 3);
    for (let j = at; j < last; j += 8) {
      const inv = load<f64>(invStd + j);
      store<f64>(p + j, weight ? inv * load<f64>(weight + j) : inv);
    }
    let gs = g + offset;
    if (active) {
      gs = g + (<usize>(from * windowsOf(s, width)) << 3);
      const beside = residual ? residual + offset : 0, to = routed + offset;
      const a = p + at, b = shift + at;
      if (width) pooledAffine(gs, xs, beside, to, n, count, s, stride, width, m, a, b, own);
      else reluCotangent(gs, xs, beside, to, n, count, s, stride, m, a, b, own);
      gs = to;
    }
    if (sums) {
      if (s == 1) rowCotangentSums(gs, xs, n, count, stride, m, db + at, dw + at, mask);
      else {
        imageCotangentSums(
          gs, xs, n, count, s, stride, m, db + at, dw + at, blockG + at, blockGC + at, mask,
        );
      }
    }
    for (let j = at; j < last; j += 8) {
      const inv = load<f64>(invStd + j), factor = load<f64>(p + j);
      let slope = 0.0, constant = 0.0;
      if (sums) {
        const sum = load<f64>(db + j), lost = load<f64>(low + j);
        const product = inv * (load<f64>(dw + j) - lost * sum);
        store<f64>(dw + j, product);
        if (useBatch) {
          slope = -factor * inv * product / total;
          constant = -factor * sum / total - slope * lost;
        }
      }
      store<f64>(q + j, slope);
      store<f64>(r + j, constant);
    }
    if (!dx) continue;
    const out = dx + offset;
    // Without statistics q and r are zero; r stands in for a mean of zero.
    if (s == 1) {
      if (useBatch) rowInputGradient(gs, xs, out, n, count, stride, m, p + at, q + at, r + at, mask);
      else rowAffine(gs, out, n, count, stride, r + at, p + at, r + at, mask, NaN);
    } else if (useBatch) {
      imageInputGradient(gs, xs, out, n, count, s, stride, m, p + at, q + at, r + at, mask);
    } else imageAffine(gs, out, n, count, s, stride, r + at, p + at, r + at, mask, NaN);
  }
}
