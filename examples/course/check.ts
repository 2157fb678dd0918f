/**
 * What a step of the course has to do right.
 */

/** One property of a step. */
export interface Check<Step> {
  /** The property in words. */
  readonly what: string;
  /** Throws unless the step has it. */
  run(step: Step): void | Promise<void>;
}

/** Throws unless numbers agree to twelve digits. */
export function near(actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 12): void {
  const [got, wanted] = [Array.from(actual), Array.from(expected)];
  const isNear = got.length === wanted.length &&
    got.every((value, i) =>
      Math.abs(value - wanted[i]) <= 10 ** -digits * Math.max(1, Math.abs(wanted[i]))
    );
  if (!isNear) throw new Error(`got ${shown(got)}, expected ${shown(wanted)}`);
}

function shown(values: readonly number[]): string {
  const some = values.slice(0, 6).map((value) => String(Number(value.toPrecision(6))));
  return `${some.join(", ")}${values.length > 6 ? ", …" : ""}`;
}
