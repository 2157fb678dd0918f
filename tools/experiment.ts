/**
 * Lists, runs and compares the experiments in bench/experiments.
 *
 *     deno task experiment [NAME] [--help]
 *
 * @module
 */
import { main } from "../experiment/mod.ts";

await main(new URL("../bench/experiments/", import.meta.url).href);
