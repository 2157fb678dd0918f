/**
 * Signs of trouble that a network's state shows by itself.
 */
import { valuesOf } from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { BatchNorm } from "./batch_norm.ts";
import { BROKEN } from "./running_statistics.ts";
import { assertModule } from "../module/arguments.ts";
import type { Module } from "../module/module.ts";
import { join } from "../module/state_dict.ts";

/** The kinds of findings. */
export type HealthCode =
  | "broken-statistics"
  | "non-finite-parameter"
  | "dead-channel"
  | "gamma-near-zero"
  | "redundant-bias"
  | "variance-below-eps";

/** One finding. */
export interface HealthFinding {
  /** Its kind. */
  readonly code: HealthCode;
  /** The dotted name of the module. */
  readonly name: string;
  /** The channels concerned; empty where it is the whole module. */
  readonly channels: readonly number[];
  /** What was seen and what it means. */
  readonly message: string;
}

/** γ below this share of the layer's largest is as good as zero. */
const NEAR_ZERO = 1e-3;
/** A variance this much smaller than eps is not normalised any more. */
const FAR_BELOW = 0.01;

/**
 * Looks for broken statistics, dead channels, γ near zero, biases that a BatchNorm subtracts, and variances
 * far below eps. Only reads the state.
 *
 * - broken-statistics: a running mean or variance is NaN or infinite, or a variance is negative.
 * - non-finite-parameter: γ or β is NaN or infinite.
 * - dead-channel: the running variance is 0, so the input is constant and the output is β alone.
 * - gamma-near-zero: |γ| below 1/1000 of the layer's largest: almost nothing passes through the channel.
 * - redundant-bias: a layer with a bias is directly followed, in order of registration, by a BatchNorm
 *   of as many channels, which subtracts the bias with the mean.
 * - variance-below-eps: the running variance is below 1/100 of eps: eps alone sets the scale.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const net = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
 * assertEquals(nn.healthReport(net).map(({ code, name }) => [code, name]), [["redundant-bias", "0"]]);
 * ```
 */
export function healthReport(model: Module): HealthFinding[] {
  assertModule("report on health", "model", model);
  return model.namedModules().flatMap(([name, module]) => [
    ...(module instanceof BatchNorm ? findingsOf(name, module) : []),
    ...redundantBiases(name, module),
  ]);
}

function findingsOf(name: string, layer: BatchNorm): HealthFinding[] {
  const { weight, bias, runningVar, eps, numFeatures } = layer;
  const gammas = weight === null ? [] : [...valuesOf(weight)].filter(Number.isFinite);
  const largest = gammas.reduce((most, gamma) => Math.max(most, Math.abs(gamma)), 0);
  const where = (tensor: Tensor | null, test: (value: number) => boolean): number[] =>
    tensor === null ? [] : [...valuesOf(tensor)].flatMap((value, c) => test(value) ? [c] : []);
  const isBroken = (value: number): boolean => !Number.isFinite(value);
  const looks: readonly [HealthCode, channels: number[], what: string][] = [
    [
      "broken-statistics",
      layer.statistics.brokenChannels(),
      `have ${BROKEN}: reset them or call updateBn()`,
    ],
    ["non-finite-parameter", where(weight, isBroken), "have a γ that is not finite"],
    ["non-finite-parameter", where(bias, isBroken), "have a β that is not finite"],
    [
      "dead-channel",
      where(runningVar, (variance) => variance === 0),
      "never vary: their output is β alone",
    ],
    [
      "gamma-near-zero",
      where(weight, (gamma) => Math.abs(gamma) <= NEAR_ZERO * largest),
      "have a γ near zero: almost nothing passes through them",
    ],
    [
      "variance-below-eps",
      where(runningVar, (variance) => variance > 0 && variance < FAR_BELOW * eps),
      `have a running variance far below eps ${eps}, which then sets their scale`,
    ],
  ];
  return looks.filter(([, channels]) => channels.length > 0).map(([code, channels, what]) => ({
    code,
    name,
    channels,
    message: `${channels.length} of ${numFeatures} channels ${what}`,
  }));
}

function redundantBiases(path: string, module: Module): HealthFinding[] {
  const children = module.namedChildren();
  return children.flatMap(([name, layer], i) => {
    const next = children[i + 1]?.[1];
    const bias = (layer as { bias?: unknown }).bias as Tensor | null | undefined;
    if (!(next instanceof BatchNorm) || !bias || layer instanceof BatchNorm) return [];
    if (bias.size !== next.numFeatures) return [];
    return [{
      code: "redundant-bias" as const,
      name: join(path, name),
      channels: [],
      message: `the BatchNorm after it subtracts its bias with the mean: make it with bias: false`,
    }];
  });
}
