/**
 * Recorded cases that do not apply here, and why. A case is named by its file and its number in it.
 *
 * @module
 */
const oneDtype = "about mixed dtypes, and every tensor here is float64";
const noOut = "about the out argument, which is not offered here";
const numberBound = "clamp takes a number as a bound here";
const unseeded = "draws a dropout mask from a seed that was not recorded";

/** Reasons by case. A skipped case that passes is stale and fails the tests. */
export const skips: Record<string, string> = {
  "operrors/0": numberBound,
  "operrors/22": oneDtype,
  "operrors/25": oneDtype,
  "operrors/58": noOut,
  "operrors/60": noOut,
  "opinfo/271": unseeded,
};
