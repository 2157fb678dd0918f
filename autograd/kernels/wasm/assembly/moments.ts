// The last step of the statistics, for one channel, and the coefficients that the streaming passes of
// batch normalisation multiply by.

/** From `k` in mean, Σ(x − k) and Σ(x − k)²: the mean in two parts and the biased variance. */
export function finishStatistics(
  mean: usize, low: usize, variance: usize, sum: f64, squares: f64, count: f64,
): void {
  const k = load<f64>(mean);
  const d = sum / count;
  const m = k + d;
  // Two-sum: what rounding k + d threw away.
  const z = m - k;
  const lost = (k - (m - z)) + (d - z);
  const v = squares / count - d * d;
  store<f64>(mean, m);
  store<f64>(low, isFinite(lost) ? lost : 0);
  store<f64>(variance, v < 0 ? 0 : v);
}

/** invStd = 1/√(variance + eps), and 0 where that would divide by zero and `guard` is on. */
export function inverseDeviation(variance: usize, invStd: usize, c: i32, eps: f64, guard: bool): void {
  for (let j: usize = 0; j < <usize>c << 3; j += 8) {
    const v = load<f64>(variance + j) + eps;
    store<f64>(invStd + j, guard && v == 0 ? 0 : 1 / sqrt<f64>(v));
  }
}

/** scale = weight·invStd, shift = bias − low·scale; a null pointer stands for weight 1, bias 0, low 0. */
export function forwardCoefficients(
  invStd: usize, low: usize, weight: usize, bias: usize, scale: usize, shift: usize, c: i32,
): void {
  for (let j: usize = 0; j < <usize>c << 3; j += 8) {
    const a = weight ? load<f64>(invStd + j) * load<f64>(weight + j) : load<f64>(invStd + j);
    const b: f64 = bias ? load<f64>(bias + j) : 0;
    store<f64>(scale + j, a);
    store<f64>(shift + j, low ? b - load<f64>(low + j) * a : b);
  }
}

// dw = Σ g·x̂ = (Σ g·(x − mean) − low·Σg)·invStd; with k = dw/M and a = weight·invStd,
// dx = a·(g − Σg/M − x̂·k) = p·g + q·(x − mean) + r.
/** Turns Σ g·(x − mean) in `products` into dweight and fills p, q, r. */
export function backwardCoefficients(
  sumG: usize, products: usize, low: usize, invStd: usize, weight: usize,
  p: usize, q: usize, r: usize, c: i32, count: f64,
): void {
  for (let j: usize = 0; j < <usize>c << 3; j += 8) {
    const inv = load<f64>(invStd + j), g = load<f64>(sumG + j);
    const lost: f64 = low ? load<f64>(low + j) : 0;
    const dw = (load<f64>(products + j) - lost * g) * inv;
    store<f64>(products + j, dw);
    const a = weight ? inv * load<f64>(weight + j) : inv;
    const slope = -a * inv * (dw / count);
    store<f64>(p + j, a);
    store<f64>(q + j, slope);
    store<f64>(r + j, -a * (g / count) - slope * lost);
  }
}
