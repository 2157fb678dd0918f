/**
 * The sections of the page, in their order.
 */
import { view as batchSize } from "./batch_size.ts";
import { view as fiveModes } from "./five_modes.ts";
import { view as momentum } from "./momentum.ts";
import { view as oneSample } from "./one_sample.ts";
import { view as gradientParts } from "./gradient_parts.ts";
import { view as teacher } from "./teacher.ts";
import { view as shift } from "./shift.ts";
import { view as scaleInvariance } from "./scale_invariance.ts";
import { view as leakage } from "./leakage.ts";
import type { View } from "./view.ts";
import { view as whoMovesWhat } from "./who_moves_what.ts";

/** All of them. */
export const views: readonly View[] = [
  whoMovesWhat,
  oneSample,
  fiveModes,
  momentum,
  batchSize,
  gradientParts,
  teacher,
  shift,
  scaleInvariance,
  leakage,
];
