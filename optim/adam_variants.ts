/**
 * Variants of Adam: with Nesterov's momentum, and with a rectified variance.
 */
import { nadamStep, radamStep, valuesOf } from "../autograd/internal.ts";
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

/** The options of {@linkcode NAdam}. */
export interface NAdamOptions {
  /** The learning rate η, at least 0; defaults to 2e-3. */
  readonly lr?: Scalar;
  /** The decay rates of the two moments, at least 0 and below 1; defaults to [0.9, 0.999]. */
  readonly betas?: readonly [Scalar, Scalar];
  /** Keeps the divisor from 0, at least 0; defaults to 1e-8. */
  readonly eps?: Scalar;
  /** The decay of the weights, at least 0; defaults to 0. */
  readonly weightDecay?: Scalar;
  /** ψ: how fast momentum grows to β₁, at least 0; defaults to 4e-3. */
  readonly momentumDecay?: number;
  /** Whether weights decay beside the moments instead of through the gradient. */
  readonly decoupledWeightDecay?: boolean;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode NAdam} remembers. */
export type NAdamState = {
  /** How often the parameter was stepped. */
  step: number;
  /** ∏μ, the product of the momenta so far. */
  muProduct: number;
  /** The first moment. */
  expAvg: Tensor;
  /** The second moment. */
  expAvgSq: Tensor;
};

const nadam: OptimizerKind<NAdamOptions> = {
  name: "NAdam",
  forgetsGradient: () => NAdam,
  defaults: {
    lr: 2e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0,
    momentumDecay: 4e-3,
    decoupledWeightDecay: false,
    maximize: false,
  },
  state: { tensors: ["expAvg", "expAvgSq"], numbers: ["step", "muProduct"] },
  check(values) {
    values.atLeastZero("lr", "eps", "weightDecay", "momentumDecay");
    values.betas();
    values.flags("decoupledWeightDecay", "maximize");
  },
};

/**
 * Adam with Nesterov's momentum.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * μₜ = β₁·(1 − ½·0.96^(t·ψ))
 * m = β₁·m + (1 − β₁)·g;  v = β₂·v + (1 − β₂)·g²
 * p = p − η · (g·(1 − μₜ)/(1 − ∏μ₁…ₜ) + m·μₜ₊₁/(1 − ∏μ₁…ₜ₊₁)) / (√(v/(1 − β₂ᵗ)) + ε)
 * ```
 *
 * @see T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.NAdam([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assert(w.item() < 4);
 * ```
 */
export class NAdam extends Optimizer<NAdamOptions, NAdamState> {
  /** @internal */ static override readonly kind: string = "NAdam";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode NAdamOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, a β of 1 or more, no parameters, a
   * tensor that is not a leaf, or one that is listed twice.
   */
  constructor(params: Params<NAdamOptions>, options: NAdamOptions = {}) {
    super(params, options, nadam);
  }

  /** @internal */
  protected override initialState(param: Tensor): NAdamState {
    return { step: 0, muProduct: 1, expAvg: zerosLike(param), expAvgSq: zerosLike(param) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<NAdamOptions>): void {
    const state = this.stateOf(param, group);
    const step = ++state.step;
    const lr = valueOf(group.lr);
    const beta1 = valueOf(group.betas[0]);
    const beta2 = valueOf(group.betas[1]);
    const weightDecay = valueOf(group.weightDecay);
    const decoupled = group.decoupledWeightDecay;
    const mu = beta1 * (1 - 0.5 * 0.96 ** (step * group.momentumDecay));
    const next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * group.momentumDecay));
    state.muProduct = state.muProduct * mu;
    nadamStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.expAvg),
      valuesOf(state.expAvgSq),
      lr * (1 - mu) / (1 - state.muProduct),
      lr * next / (1 - state.muProduct * next),
      beta1,
      beta2,
      valueOf(group.eps),
      1 - beta2 ** step,
      decoupled ? 0 : weightDecay,
      decoupled ? 1 - lr * weightDecay : 1,
      group.maximize,
    );
  }
}

/** The options of {@linkcode RAdam}. */
export interface RAdamOptions {
  /** The learning rate η, at least 0; defaults to 1e-3. */
  readonly lr?: Scalar;
  /** The decay rates of the two moments, at least 0 and below 1; defaults to [0.9, 0.999]. */
  readonly betas?: readonly [Scalar, Scalar];
  /** Keeps the divisor from 0, at least 0; defaults to 1e-8. */
  readonly eps?: Scalar;
  /** The decay of the weights, at least 0; defaults to 0. */
  readonly weightDecay?: Scalar;
  /** Whether weights decay beside the moments instead of through the gradient. */
  readonly decoupledWeightDecay?: boolean;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode RAdam} remembers. */
export type RAdamState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The first moment. */
  expAvg: Tensor;
  /** The second moment. */
  expAvgSq: Tensor;
};

const radam: OptimizerKind<RAdamOptions> = {
  name: "RAdam",
  forgetsGradient: () => RAdam,
  defaults: {
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0,
    decoupledWeightDecay: false,
    maximize: false,
  },
  state: { tensors: ["expAvg", "expAvgSq"], numbers: ["step"] },
  check(values) {
    values.atLeastZero("lr", "eps", "weightDecay");
    values.betas();
    values.flags("decoupledWeightDecay", "maximize");
  },
};

/**
 * Adam that steps by the mean alone until the second moment can be trusted, and then rectified.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * m = β₁·m + (1 − β₁)·g;  v = β₂·v + (1 − β₂)·g²
 * ρ∞ = 2/(1 − β₂) − 1;  ρ = ρ∞ − 2t·β₂ᵗ/(1 − β₂ᵗ)
 * r = √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ))
 * p = p − η · m/(1 − β₁ᵗ) · (ρ > 5 ? r·√(1 − β₂ᵗ)/(√v + ε) : 1)
 * ```
 *
 * @see L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.RAdam([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 4 - 0.25 * 8, 1e-12);
 * ```
 */
export class RAdam extends Optimizer<RAdamOptions, RAdamState> {
  /** @internal */ static override readonly kind: string = "RAdam";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode RAdamOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, a β of 1 or more, no parameters, a
   * tensor that is not a leaf, or one that is listed twice.
   */
  constructor(params: Params<RAdamOptions>, options: RAdamOptions = {}) {
    super(params, options, radam);
  }

  /** @internal */
  protected override initialState(param: Tensor): RAdamState {
    return { step: 0, expAvg: zerosLike(param), expAvgSq: zerosLike(param) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RAdamOptions>): void {
    const state = this.stateOf(param, group);
    const step = ++state.step;
    const lr = valueOf(group.lr);
    const beta1 = valueOf(group.betas[0]);
    const beta2 = valueOf(group.betas[1]);
    const weightDecay = valueOf(group.weightDecay);
    const decoupled = group.decoupledWeightDecay;
    radamStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.expAvg),
      valuesOf(state.expAvgSq),
      lr / (1 - beta1 ** step),
      rectification(step, beta2),
      beta1,
      beta2,
      valueOf(group.eps),
      decoupled ? 0 : weightDecay,
      decoupled ? 1 - lr * weightDecay : 1,
      group.maximize,
    );
  }
}

/** r·√(1 − β₂ᵗ), or null while the variance of the second moment has no bound. */
function rectification(step: number, beta2: number): number | null {
  const power = beta2 ** step;
  const correction = 1 - power;
  const limit = 2 / (1 - beta2) - 1;
  const rho = limit - 2 * step * power / correction;
  if (!(rho > 5)) return null;
  return Math.sqrt(
    (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * correction,
  );
}
