/**
 * Losses between numbers.
 */
import type { Tensor } from "../../autograd/mod.ts";
import { checkFlag, checkNumber, layerOptions } from "../module/arguments.ts";
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
    super(layerOptions("MSELoss", options, ["reduction"]));
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { reduction } = this;
    return mseLoss(x, target, { reduction });
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
    super(layerOptions("L1Loss", options, ["reduction"]));
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { reduction } = this;
    return l1Loss(x, target, { reduction });
  }
}

/** Square near 0, then |d| − beta/2; see {@linkcode smoothL1Loss}. */
export class SmoothL1Loss extends Loss {
  /** @internal */ static override readonly kind: string = "SmoothL1Loss";

  /** Where the square becomes a straight line. */
  readonly beta: number;

  /**
   * Makes the layer.
   *
   * @param options beta = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: SmoothL1LossOptions = {}) {
    super(layerOptions("SmoothL1Loss", options, ["reduction", "beta"]));
    this.beta = checkNumber("SmoothL1Loss", "beta", options?.beta ?? 1);
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { beta, reduction } = this;
    return smoothL1Loss(x, target, { beta, reduction });
  }
}

/** Square near 0, then a line of slope delta; see {@linkcode huberLoss}. */
export class HuberLoss extends Loss {
  /** @internal */ static override readonly kind: string = "HuberLoss";

  /** Where the square becomes a straight line. */
  readonly delta: number;

  /**
   * Makes the layer.
   *
   * @param options delta = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: LossOptions & { readonly delta?: number } = {}) {
    super(layerOptions("HuberLoss", options, ["reduction", "delta"]));
    this.delta = checkNumber("HuberLoss", "delta", options?.delta ?? 1);
  }

  /** The loss of x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { delta, reduction } = this;
    return huberLoss(x, target, { delta, reduction });
  }
}

/** Counts under Poisson distributions; see {@linkcode poissonNllLoss}. */
export class PoissonNLLLoss extends Loss {
  /** @internal */ static override readonly kind: string = "PoissonNLLLoss";

  /** Whether x is the logarithm of the rate. */
  readonly logInput: boolean;
  /** Whether Stirling's approximation of ln target! is added. */
  readonly full: boolean;
  /** Added to a rate before its logarithm is taken. */
  readonly eps: number;

  /**
   * Makes the layer.
   *
   * @param options logInput = true, full = false, eps = 1e-8, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: PoissonNllLossOptions = {}) {
    super(
      layerOptions("PoissonNLLLoss", options, ["logInput", "full", "eps", "reduction"]),
    );
    this.logInput = checkFlag("PoissonNLLLoss", "logInput", options?.logInput ?? true);
    this.full = checkFlag("PoissonNLLLoss", "full", options?.full ?? false);
    this.eps = checkNumber("PoissonNLLLoss", "eps", options?.eps ?? 1e-8);
  }

  /** The loss of rates x at counts. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { logInput, full, eps, reduction } = this;
    return poissonNllLoss(x, target, { logInput, full, eps, reduction });
  }
}

/** Numbers under normal distributions; see {@linkcode gaussianNllLoss}. */
export class GaussianNLLLoss extends Loss {
  /** @internal */ static override readonly kind: string = "GaussianNLLLoss";

  /** Whether the constant ln(2π)/2 is added. */
  readonly full: boolean;
  /** The least variance. */
  readonly eps: number;

  /**
   * Makes the layer.
   *
   * @param options full = false, eps = 1e-6, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: GaussianNllLossOptions = {}) {
    super(layerOptions("GaussianNLLLoss", options, ["full", "eps", "reduction"]));
    this.full = checkFlag("GaussianNLLLoss", "full", options?.full ?? false);
    this.eps = checkNumber("GaussianNLLLoss", "eps", options?.eps ?? 1e-6);
  }

  /** The loss of means x and variances at a target. */
  override forward(x: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    const { full, eps, reduction } = this;
    return gaussianNllLoss(x, target, variance, { full, eps, reduction });
  }
}
