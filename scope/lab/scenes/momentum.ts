/**
 * Batches around a mean of 3 arrive; a running mean that started at 0 follows them.
 */
import { Generator, nn } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  /** The weight of a new batch, as PyTorch and this library mean it. */
  readonly momentum: number;
  readonly batches: number;
}

/** A running mean and how fast it forgets. */
export interface Follower {
  readonly momentum: number;
  /** At the start and after each batch. */
  readonly runningMean: number[];
  /** What the 0 of the start still weighs, at the start and after each batch. */
  readonly initialShare: number[];
  /** The batches after which half is forgotten, ln 2 / −ln(1 − momentum): infinite for 0. */
  readonly halfLife: number;
  /** The batches after which the start weighs less than a tenth, and less than a hundredth. */
  readonly toTenth: number;
  readonly toHundredth: number;
}

/** What the scene shows. */
export interface Numbers {
  readonly batchMean: number[];
  readonly asMeant: Follower;
  /** The same number taken from a Keras program, where it weighs the old statistics, and kept as it is. */
  readonly mistaken: Follower;
  /** momentum: null, the plain average of all batches. */
  readonly average: number[];
}

const BATCH = 16;
const MEAN = 3;

/** Lets the three follow. */
export function run({ seed, momentum, batches }: State): Numbers {
  const generator = new Generator(seed);
  const data = Array.from(
    { length: batches },
    () => drawNoise([BATCH, 1], generator).mul(2).add(MEAN),
  );
  const path = (momentum: number | null) => {
    const bn = new nn.BatchNorm1d(1);
    bn.momentum = momentum;
    return [0, ...data.map((batch) => (bn.forward(batch), bn.runningMean!.item()))];
  };
  const follower = (momentum: number): Follower => {
    // The first n with (1 − momentum)ⁿ < share
    const below = (share: number) =>
      momentum === 1 ? 1 : Math.floor(Math.log(share) / Math.log(1 - momentum)) + 1;
    return {
      momentum,
      runningMean: path(momentum),
      initialShare: Array.from({ length: batches + 1 }, (_, n) => (1 - momentum) ** n),
      halfLife: Math.LN2 / -Math.log1p(-momentum),
      toTenth: below(0.1),
      toHundredth: below(0.01),
    };
  };
  return {
    batchMean: data.map((batch) => batch.mean().item()),
    asMeant: follower(momentum),
    mistaken: follower(nn.BatchNorm.fromKeras({ momentum }).momentum!),
    average: path(null),
  };
}
