/**
 * Adam with a rectified variance.
 */
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import { radamStep, valuesOf } from "../autograd/internal.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

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

const kind: OptimizerKind<RAdamOptions> = {
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
  state: { tensors: ["expAvg", "expAvgSq"], optional: [], numbers: ["step"] },
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
    super(params, options, kind);
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
