/**
 * Statistics for few runs.
 *
 * @module
 */
export * from "./summary.ts";
export * from "./bootstrap.ts";
export {
  type ComparedGroup,
  compareGroups,
  type CompareOptions,
  type Comparison,
  type Verdict,
} from "./compare.ts";
export {
  holm,
  mannWhitneyTest,
  probabilityOfImprovement,
  signFlipTest,
  type TestResult,
} from "./exact_tests.ts";
export * from "./time_to_target.ts";
