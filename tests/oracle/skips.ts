/**
 * Recorded cases that do not apply here, and why. A case is named by its file and its number in it.
 *
 * @module
 */
const oneDtype = "about mixed dtypes, and every tensor here is float64";
const unseeded = "draws a dropout mask from a seed that was not recorded";

/** Reasons by case. A skipped case that passes is stale and fails the tests. */
export const skips: Record<string, string> = {
  "operrors/22": oneDtype,
  "operrors/25": oneDtype,
  "opinfo/271": unseeded,
};
