/**
 * Statistics for few runs.
 *
 * @module
 */
export * from "./summary.ts";
