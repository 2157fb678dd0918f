/**
 * Recorded cases that do not apply here, and why. A case is named by its file and its number in it.
 *
 * @module
 */
const oneDtype = "the case is about mixed dtypes, and every tensor here is float64";
const noOut = "the case is about the out argument, which is not offered here";
const numberBound = "clamp takes a number as a bound here";

/** Reasons by case. A skipped case that passes is stale and fails the tests. */
export const skips: Record<string, string> = {};
for (
  const [reason, cases] of [
    [oneDtype, []],
    [noOut, []],
    [numberBound, []],
  ] as [string, string[]][]
) {
  for (const id of cases) skips[id] = reason;
}
