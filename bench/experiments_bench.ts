/**
 * A training step of each config of some experiments.
 *
 * @module
 */
import { benchSteps } from "../experiment/mod.ts";
import { silenceWarnings } from "../mod.ts";
import bnOnly from "./experiments/bn_only.ts";
import normalisationBatch from "./experiments/normalisation_batch.ts";

// Small normalisation batches and frozen parameters are what is timed here.
silenceWarnings("bn-few-values");
silenceWarnings("bn-frozen-in-training");

await benchSteps(normalisationBatch);
await benchSteps(bnOnly);
