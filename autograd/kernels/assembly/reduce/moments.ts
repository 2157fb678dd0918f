// The last step of the statistics, for one channel.

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
