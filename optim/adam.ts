/**
 * Adam, AdamW that decays weights beside the moments, and Adamax with the infinity norm.
 */
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import { adamaxStep, adamStep, valuesOf } from "../autograd/internal.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";
import type { OptimizerStateDict } from "./state_dict.ts";

/** The options of {@linkcode AdamW}. */
export interface AdamWOptions {
  /** The learning rate η, at least 0; defaults to 1e-3. */
  readonly lr?: Scalar;
  /** The decay rates of the two moments, at least 0 and below 1; defaults to [0.9, 0.999]. */
  readonly betas?: readonly [Scalar, Scalar];
  /** Keeps the divisor from 0, at least 0; defaults to 1e-8. */
  readonly eps?: Scalar;
  /** The decay of the weights, at least 0; defaults to 0 for Adam and 0.01 for AdamW. */
  readonly weightDecay?: Scalar;
  /** Whether to divide by the largest second moment so far. */
  readonly amsgrad?: boolean;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** The options of {@linkcode Adam}. */
export interface AdamOptions extends AdamWOptions {
  /** Whether weights decay beside the moments, as in AdamW, instead of through the gradient. */
  readonly decoupledWeightDecay?: boolean;
}

/** What {@linkcode Adam} remembers. */
export type AdamState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The first moment. */
  expAvg: Tensor;
  /** The second moment. */
  expAvgSq: Tensor;
  /** The largest second moment so far, for amsgrad. */
  maxExpAvgSq?: Tensor;
};

function adamKind(name: string, defaults: Required<AdamOptions>): OptimizerKind<AdamOptions> {
  return {
    name,
    forgetsGradient: () => Adam,
    defaults,
    state: { tensors: ["expAvg", "expAvgSq"], optional: ["maxExpAvgSq"], numbers: ["step"] },
    check(values) {
      values.atLeastZero("lr", "eps", "weightDecay");
      values.betas();
      values.flags("amsgrad", "maximize", "decoupledWeightDecay");
    },
  };
}

const adam = adamKind("Adam", {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
  decoupledWeightDecay: false,
});

const adamW = adamKind("AdamW", {
  ...adam.defaults,
  weightDecay: 1e-2,
  decoupledWeightDecay: true,
});

/**
 * Adam: steps of the gradient's mean divided by the root of its mean square.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * m = β₁·m + (1 − β₁)·g;  v = β₂·v + (1 − β₂)·g²
 * p = p − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)
 * ```
 *
 * ε stands outside of the root. With `amsgrad` the largest v so far takes its place.
 *
 * @see D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
 * @see S. Reddi et al., "On the Convergence of Adam and Beyond", ICLR 2018 (amsgrad).
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.Adam([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 3.75, 1e-8);
 * ```
 */
export class Adam extends Optimizer<AdamOptions, AdamState> {
  /** @internal */ static override readonly kind: string = "Adam";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode AdamOptions}.
   * @param kind For subclasses.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, a β of 1 or more, no parameters, a
   * tensor that is not a leaf, or one that is listed twice.
   */
  constructor(
    params: Params<AdamOptions>,
    options: AdamOptions = {},
    kind: OptimizerKind<AdamOptions> = adam,
  ) {
    super(params, options, kind);
  }

  /** @internal */
  protected override initialState(param: Tensor): AdamState {
    return { step: 0, expAvg: zerosLike(param), expAvgSq: zerosLike(param) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdamOptions>): void {
    const state = this.stateOf(param, group);
    const largest = group.amsgrad ? state.maxExpAvgSq ??= zerosLike(param) : null;
    const step = ++state.step;
    const lr = valueOf(group.lr);
    const beta1 = valueOf(group.betas[0]);
    const beta2 = valueOf(group.betas[1]);
    const weightDecay = valueOf(group.weightDecay);
    const decoupled = group.decoupledWeightDecay;
    adamStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.expAvg),
      valuesOf(state.expAvgSq),
      largest === null ? null : valuesOf(largest),
      lr / (1 - beta1 ** step),
      beta1,
      beta2,
      valueOf(group.eps),
      Math.sqrt(1 - beta2 ** step),
      decoupled ? 0 : weightDecay,
      decoupled ? 1 - lr * weightDecay : 1,
      group.maximize,
    );
  }
}

/**
 * Adam with decoupled weight decay: p = p − η·wd·p before the step of {@linkcode Adam}, so that the
 * decay is not divided by the root of the second moment.
 *
 * @see I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.AdamW([w], { lr: 0.25, weightDecay: 0.1 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 4 - 0.25 * 0.1 * 4 - 0.25, 1e-8);
 * ```
 */
export class AdamW extends Adam {
  /** @internal */ static override readonly kind: string = "AdamW";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode AdamWOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, a β of 1 or more, no parameters, a
   * tensor that is not a leaf, or one that is listed twice.
   */
  constructor(params: Params<AdamWOptions>, options: AdamWOptions = {}) {
    super(params, options, adamW);
  }

  /** As in the base; a state of Adam is taken over too, but the decay stays decoupled. */
  override loadStateDict(saved: OptimizerStateDict): void {
    super.loadStateDict(saved);
    for (const group of this.paramGroups) group.decoupledWeightDecay = true;
  }
}

/** The options of {@linkcode Adamax}. */
export interface AdamaxOptions {
  /** The learning rate η, at least 0; defaults to 2e-3. */
  readonly lr?: Scalar;
  /** The decay rates of mean and norm, at least 0 and below 1; defaults to [0.9, 0.999]. */
  readonly betas?: readonly [Scalar, Scalar];
  /** Keeps the norm from 0, at least 0; defaults to 1e-8. */
  readonly eps?: Scalar;
  /** The decay, added to the gradient as wd·p, at least 0; defaults to 0. */
  readonly weightDecay?: Scalar;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode Adamax} remembers. */
export type AdamaxState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The first moment. */
  expAvg: Tensor;
  /** The infinity norm. */
  expInf: Tensor;
};

const adamax: OptimizerKind<AdamaxOptions> = {
  name: "Adamax",
  forgetsGradient: () => Adamax,
  defaults: { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false },
  state: { tensors: ["expAvg", "expInf"], numbers: ["step"] },
  check(values) {
    values.atLeastZero("lr", "eps", "weightDecay");
    values.betas();
    values.flags("maximize");
  },
};

/**
 * Adam with the infinity norm in the place of the second moment.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * m = β₁·m + (1 − β₁)·g;  u = max(β₂·u, |g| + ε)
 * p = p − η · m/(1 − β₁ᵗ) / u
 * ```
 *
 * @see D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, section 7.1.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.Adamax([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 3.75, 1e-8);
 * ```
 */
export class Adamax extends Optimizer<AdamaxOptions, AdamaxState> {
  /** @internal */ static override readonly kind: string = "Adamax";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode AdamaxOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, a β of 1 or more, no parameters, a
   * tensor that is not a leaf, or one that is listed twice.
   */
  constructor(params: Params<AdamaxOptions>, options: AdamaxOptions = {}) {
    super(params, options, adamax);
  }

  /** @internal */
  protected override initialState(param: Tensor): AdamaxState {
    return { step: 0, expAvg: zerosLike(param), expInf: zerosLike(param) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdamaxOptions>): void {
    const state = this.stateOf(param, group);
    const step = ++state.step;
    const beta1 = valueOf(group.betas[0]);
    adamaxStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.expAvg),
      valuesOf(state.expInf),
      valueOf(group.lr) / (1 - beta1 ** step),
      beta1,
      valueOf(group.betas[1]),
      valueOf(group.eps),
      valueOf(group.weightDecay),
      group.maximize,
    );
  }
}
