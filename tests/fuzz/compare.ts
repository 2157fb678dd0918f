/**
 * Compares what two runs of a program showed, and shrinks a program while it still shows a difference.
 *
 * @module
 */
import { type Observation, type Program, without } from "./program.ts";

/** Runs a program somewhere. */
export type Runner = (program: Program) => Promise<readonly Observation[]>;

/** The first place where two runs disagree. */
export interface Difference {
  /** The number of the statement. */
  readonly statement: number;
  readonly expected: Observation | number | null;
  readonly actual: Observation | number | null;
}

/** How closely numbers must agree, as a share of the largest one shown by the statement. */
const TOLERANCE = 1e-8;

function sameNumbers(
  statement: number,
  expected: readonly (number | null)[],
  actual: readonly (number | null)[],
): Difference | null {
  if (expected.length !== actual.length) return { statement, expected, actual };
  const largest = expected.reduce<number>(
    (most, value) => Number.isFinite(value) ? Math.max(most, Math.abs(value!)) : most,
    1,
  );
  for (const [i, value] of expected.entries()) {
    const other = actual[i];
    if (Object.is(value, other) || value === other) continue;
    if (value === null || other === null || !(Math.abs(value - other) <= TOLERANCE * largest)) {
      return { statement, expected: value, actual: other };
    }
  }
  return null;
}

/**
 * The first difference between two runs, or `null`.
 *
 * @param edited Whether nothing is compared any more once a gradient was taken through an edit in place:
 * which tensors a rule saves is each library's own business, and PyTorch's second pass through an edited
 * view adds to the gradients of the first.
 */
export function difference(
  program: Program,
  expected: readonly Observation[],
  actual: readonly Observation[],
  { edited = false }: { readonly edited?: boolean } = {},
): Difference | null {
  let edits = 0;
  let stepped = false;
  for (const [i, statement] of program.entries()) {
    if (statement.kind === "copy" || statement.kind === "step") edits++;
    stepped ||= statement.kind === "step";
    const reads = statement.kind === "grad" || statement.kind === "backward";
    const last = edited && edits > 0 && reads;
    // PyTorch loses views of what a step has moved.
    if (last && stepped) return null;
    if (expected[i] === "threw" && actual[i] === "threw") {
      // PyTorch has added a part of the gradients by then, or counted the batch; this library has not.
      if (edited && (statement.kind === "backward" || statement.kind === "forward")) return null;
      continue;
    }
    if (expected[i] === "threw" || actual[i] === "threw") {
      if (last) return null;
      return { statement: i, expected: expected[i], actual: actual[i] };
    }
    const found = sameNumbers(
      i,
      expected[i] as readonly (number | null)[],
      actual[i] as readonly (number | null)[],
    );
    if (found !== null || last) return found;
  }
  return null;
}

/** The shortest program that dropping statements leads to and that still differs. */
export async function shrink(
  program: Program,
  differs: (candidate: Program) => Promise<boolean>,
): Promise<Program> {
  let current = program;
  for (let shrunk = true; shrunk;) {
    shrunk = false;
    for (let i = current.length - 1; i >= 0; i--) {
      const candidate = without(current, i);
      if (candidate.length > 0 && candidate.length < current.length && await differs(candidate)) {
        current = candidate;
        i = Math.min(i, current.length);
        shrunk = true;
      }
    }
  }
  return current;
}
