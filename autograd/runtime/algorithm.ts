/**
 * How convolutions are computed.
 *
 * @module
 */

/**
 * `"auto"`: with fewer multiplications where that is faster, each output within 1.5e-13 · Σ|w| · max|x|
 * of its own window; `"direct"`: as sums of products, within 1e-15 · Σ|w·x|.
 */
export type ConvAlgorithm = "auto" | "direct";

let algorithm: ConvAlgorithm = "auto";

/** The way in force. */
export function convAlgorithm(): ConvAlgorithm {
  return algorithm;
}

/** Puts a way in force. */
export function useConvAlgorithm(next: ConvAlgorithm): void {
  algorithm = next;
}
