/**
 * Compares a tensor with a recorded one and says where they part.
 *
 * @module
 */
import { Tensor } from "../../autograd/mod.ts";
import { numbers, type RecordedTensor } from "./recorded.ts";

/** A difference between what was recorded and what came out here. */
export class Mismatch extends Error {}

/** How far values may lie apart: |a - b| ≤ absolute + relative · |b|. */
export interface Tolerance {
  absolute: number;
  relative: number;
}

/** The tolerance of operators and modules. */
export const operatorTolerance: Tolerance = { absolute: 1e-12, relative: 1e-9 };

/** The largest finite magnitude among recorded values. */
export function largest(recorded: RecordedTensor): number {
  let max = 0;
  for (const v of numbers(recorded.data)) if (Number.isFinite(v)) max = Math.max(max, Math.abs(v));
  return max;
}

function multiIndex(flat: number, shape: readonly number[]): string {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return `[${index.join(", ")}]`;
}

/** Throws a {@linkcode Mismatch} unless `actual` is the recorded tensor within the tolerance. */
export function compareTensor(
  what: string,
  actual: unknown,
  recorded: RecordedTensor,
  tolerance: Tolerance = operatorTolerance,
): void {
  if (!(actual instanceof Tensor)) {
    throw new Mismatch(
      `${what}: got ${
        actual === null ? "null" : typeof actual
      }, expected a tensor of shape [${recorded.tensor}]`,
    );
  }
  if (actual.shape.join() !== recorded.tensor.join()) {
    throw new Mismatch(`${what}: got shape [${actual.shape}], expected [${recorded.tensor}]`);
  }
  const got = actual.data;
  const expected = numbers(recorded.data);
  const wrong: number[] = [];
  for (let i = 0; i < expected.length; i++) {
    const a = got[i], b = expected[i];
    const same = Object.is(a, b) || a === b ||
      Math.abs(a - b) <= tolerance.absolute + tolerance.relative * Math.abs(b);
    if (!same) wrong.push(i);
  }
  if (wrong.length === 0) return;
  const i = wrong[0];
  throw new Mismatch(
    `${what} at ${multiIndex(i, recorded.tensor)}: got ${got[i]}, expected ${expected[i]}, ` +
      `${Math.abs(got[i] - expected[i]).toExponential(2)} apart (allowed ${tolerance.absolute} + ` +
      `${tolerance.relative}·|expected|); ${wrong.length} of ${expected.length} values differ`,
  );
}

/** Compares two lists of keys, order included. */
export function compareKeys(what: string, actual: Iterable<string>, expected: string[]): void {
  const got = [...actual];
  if (got.join() !== expected.join()) {
    throw new Mismatch(`${what}: got keys [${got.join(", ")}], expected [${expected.join(", ")}]`);
  }
}

/** Compares a state dict, order of keys included. */
export function compareState(
  what: string,
  actual: ReadonlyMap<string, Tensor>,
  recorded: Record<string, RecordedTensor>,
  tolerance: Tolerance = operatorTolerance,
): void {
  compareKeys(what, actual.keys(), Object.keys(recorded));
  for (const [key, value] of Object.entries(recorded)) {
    compareTensor(`${what}.${key}`, actual.get(key), value, tolerance);
  }
}
