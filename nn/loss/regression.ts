/**
 * Losses between numbers.
 */
import type { Tensor } from "../../autograd/mod.ts";
import {
  gaussianNllLoss,
  type GaussianNllLossOptions,
  huberLoss,
  l1Loss,
  type LossOptions,
  mseLoss,
  poissonNllLoss,
  type PoissonNllLossOptions,
  smoothL1Loss,
  type SmoothL1LossOptions,
} from "../functional.ts";
import { Loss } from "./base.ts";

/** The squared difference; see {@linkcode mseLoss}. */
export class MSELoss extends Loss {
  /** @internal */ static override readonly kind: string = "MSELoss";

  /**
   * Makes the layer.
   *
   * @param options reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: LossOptions = {}) {
    super(options, { reduction: "mean" });
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return mseLoss(x, target, this.lossOptions());
  }
}

/** The absolute difference; see {@linkcode l1Loss}. */
export class L1Loss extends Loss {
  /** @internal */ static override readonly kind: string = "L1Loss";

  /**
   * Makes the layer.
   *
   * @param options reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: LossOptions = {}) {
    super(options, { reduction: "mean" });
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return l1Loss(x, target, this.lossOptions());
  }
}

/** Square near 0, then |d| − beta/2; see {@linkcode smoothL1Loss}. */
export class SmoothL1Loss extends Loss<SmoothL1LossOptions> {
  /** @internal */ static override readonly kind: string = "SmoothL1Loss";

  /** Where the square becomes a straight line. */
  declare readonly beta: number;

  /**
   * Makes the layer.
   *
   * @param options beta = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: SmoothL1LossOptions = {}) {
    super(options, { reduction: "mean", beta: 1 });
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(x, target, this.lossOptions());
  }
}

/** Square near 0, then a line of slope delta; see {@linkcode huberLoss}. */
export class HuberLoss extends Loss<LossOptions & { readonly delta?: number }> {
  /** @internal */ static override readonly kind: string = "HuberLoss";

  /** Where the square becomes a straight line. */
  declare readonly delta: number;

  /**
   * Makes the layer.
   *
   * @param options delta = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: LossOptions & { readonly delta?: number } = {}) {
    super(options, { reduction: "mean", delta: 1 });
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return huberLoss(x, target, this.lossOptions());
  }
}

/** Counts under Poisson distributions; see {@linkcode poissonNllLoss}. */
export class PoissonNLLLoss extends Loss<PoissonNllLossOptions> {
  /** @internal */ static override readonly kind: string = "PoissonNLLLoss";

  /** Whether x is the logarithm of the rate. */
  declare readonly logInput: boolean;
  /** Whether Stirling's approximation of ln target! is added. */
  declare readonly full: boolean;
  /** Added to a rate before its logarithm is taken. */
  declare readonly eps: number;

  /**
   * Makes the layer.
   *
   * @param options logInput = true, full = false, eps = 1e-8, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: PoissonNllLossOptions = {}) {
    super(options, { logInput: true, full: false, eps: 1e-8, reduction: "mean" });
  }

  /** The loss of rates x at counts. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(x, target, this.lossOptions());
  }
}

/** Numbers under normal distributions; see {@linkcode gaussianNllLoss}. */
export class GaussianNLLLoss extends Loss<GaussianNllLossOptions> {
  /** @internal */ static override readonly kind: string = "GaussianNLLLoss";

  /** Whether the constant ln(2π)/2 is added. */
  declare readonly full: boolean;
  /** The least variance. */
  declare readonly eps: number;

  /**
   * Makes the layer.
   *
   * @param options full = false, eps = 1e-6, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: GaussianNllLossOptions = {}) {
    super(options, { full: false, eps: 1e-6, reduction: "mean" });
  }

  /** The loss of means x and variances at a target. */
  override forward(x: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return gaussianNllLoss(x, target, variance, this.lossOptions());
  }
}
