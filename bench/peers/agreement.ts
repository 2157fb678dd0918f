/**
 * Whether two peers computed the same.
 *
 * @module
 */

/**
 * The largest difference of two arrays as a part of the largest value of `expected`; infinite if one
 * has a NaN or another length.
 */
export function distance(actual: Float64Array, expected: Float64Array): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  let apart = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= Number.MAX_VALUE)) return Infinity;
    if (difference > apart) apart = difference;
    const size = Math.abs(expected[i]);
    if (size > largest) largest = size;
  }
  return apart === 0 ? 0 : apart / largest;
}

/** The worst result of all, by name. */
export function disagreement(
  names: readonly string[],
  actual: readonly Float64Array[],
  expected: readonly Float64Array[],
): { name: string; apart: number } {
  // Each gradient is measured by the largest of its kind of number: those before a BatchNorm are 0 but
  // for rounding, which has no digits to agree in.
  const gradients = expected.filter((_, i) => /^d[a-z]/.test(names[i]));
  const scale = largestOf(gradients);
  let worst = { name: names[0], apart: 0 };
  for (const [i, name] of names.entries()) {
    let apart = distance(actual[i], expected[i]);
    if (gradients.includes(expected[i]) && largestOf([expected[i]]) < 1e-6 * scale) {
      apart *= largestOf([expected[i]]) / scale;
    }
    if (apart > worst.apart) worst = { name, apart };
  }
  return worst;
}

function largestOf(arrays: readonly Float64Array[]): number {
  let largest = 0;
  for (const array of arrays) {
    for (const value of array) if (Math.abs(value) > largest) largest = Math.abs(value);
  }
  return largest;
}
