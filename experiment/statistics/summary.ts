/**
 * Numbers that stand for several: median, quantiles, interquartile mean.
 */
import { assertNumbers, show } from "../../autograd/internal.ts";

function checkValues(action: string, values: readonly number[]): void {
  assertNumbers(action, values, "values");
  if (values.length > 0 && values.every((value) => !Number.isNaN(value))) return;
  const got = values.length === 0 ? "no values" : "NaN among the values";
  throw new RangeError(`Cannot ${action}: got ${got}, expected at least one number`);
}

/** The values from the smallest to the largest. */
function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b || 0);
}

/**
 * The value below which a share q of the values lies, interpolated between neighbours as NumPy does.
 *
 * @param values Numbers; infinities stand at the ends.
 * @param q 0 to 1.
 */
export function quantile(values: readonly number[], q: number): number {
  checkValues("take a quantile", values);
  if (typeof q !== "number" || !(q >= 0 && q <= 1)) {
    throw new RangeError(`Cannot take a quantile: got q ${show(q)}, expected a number in 0 … 1`);
  }
  const sorted = ascending(values);
  const place = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  const share = place - Math.floor(place);
  if (low === high || share === 0) return low;
  // Between a number and an infinity there is nothing but the infinity.
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    return Number.isFinite(low) ? high : Number.isFinite(high) ? low : NaN;
  }
  // As NumPy does, from the nearer end: rounding then keeps the order.
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}

/** The middle value; half an unreached run makes it infinite. */
export function median(values: readonly number[]): number {
  checkValues("take a median", values);
  const sorted = ascending(values);
  const half = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[half];
  const [low, high] = [sorted[half - 1], sorted[half]];
  return low === high ? low : (low + high) / 2;
}

/** The arithmetic mean. */
export function mean(values: readonly number[]): number {
  checkValues("take a mean", values);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The interquartile mean: the mean without the lowest and highest quarter, rounded down to whole values,
 * SciPy's `trim_mean(values, 0.25)`.
 *
 * @see R. Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (2021).
 */
export function interquartileMean(values: readonly number[]): number {
  checkValues("take an interquartile mean", values);
  const cut = Math.floor(values.length / 4);
  return mean(ascending(values).slice(cut, values.length - cut));
}
