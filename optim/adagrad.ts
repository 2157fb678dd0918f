/**
 * Adagrad, and Adadelta that forgets.
 */
import { adadeltaStep, adagradStep, valuesOf } from "../autograd/internal.ts";
import { full, type Tensor, zerosLike } from "../autograd/mod.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

/** The options of {@linkcode Adagrad}. */
export interface AdagradOptions {
  /** The learning rate, at least 0; defaults to 0.01. */
  readonly lr?: Scalar;
  /** How fast the learning rate falls by itself, at least 0; defaults to 0. */
  readonly lrDecay?: number;
  /** The decay, added to the gradient as wd·p, at least 0; defaults to 0. */
  readonly weightDecay?: number;
  /** What the sum of squares begins with, at least 0; defaults to 0. */
  readonly initialAccumulatorValue?: number;
  /** Keeps the divisor from 0, at least 0; defaults to 1e-10. */
  readonly eps?: number;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode Adagrad} remembers. */
export type AdagradState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The sum of the squared gradients. */
  sum: Tensor;
};

const adagrad: OptimizerKind<AdagradOptions> = {
  name: "Adagrad",
  forgetsGradient: () => Adagrad,
  defaults: {
    lr: 1e-2,
    lrDecay: 0,
    weightDecay: 0,
    initialAccumulatorValue: 0,
    eps: 1e-10,
    maximize: false,
  },
  state: { tensors: ["sum"], numbers: ["step"] },
  check(values) {
    values.atLeastZero("lr", "lrDecay", "weightDecay", "initialAccumulatorValue", "eps");
    values.flags("maximize");
  },
};

/**
 * Adagrad: steps of the gradient divided by the root of the sum of all its squares.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * sum = sum + g²;  p = p − lr/(1 + (t − 1)·lrDecay) · g / (√sum + ε)
 * ```
 *
 * As in PyTorch every parameter has its state from the beginning.
 *
 * @see J. Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic
 * Optimization", JMLR 12 (2011).
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.Adagrad([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 3.75, 1e-8);
 * ```
 */
export class Adagrad extends Optimizer<AdagradOptions, AdagradState> {
  /** @internal */ static override readonly kind: string = "Adagrad";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode AdagradOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, no parameters, a tensor that is no
   * leaf, or one that is listed twice.
   */
  constructor(params: Params<AdagradOptions>, options: AdagradOptions = {}) {
    super(params, options, adagrad);
  }

  /** @internal */
  protected override groupAdded(group: ParamGroup<AdagradOptions>): void {
    for (const param of group.params) this.stateOf(param, group);
  }

  /** @internal */
  protected override initialState(param: Tensor, group: ParamGroup<AdagradOptions>): AdagradState {
    return { step: 0, sum: full(param.shape, valueOf(group.initialAccumulatorValue)) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdagradOptions>): void {
    const state = this.stateOf(param, group);
    const before = state.step++;
    adagradStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.sum),
      valueOf(group.lr) / (1 + before * valueOf(group.lrDecay)),
      valueOf(group.eps),
      valueOf(group.weightDecay),
      group.maximize,
    );
  }
}

/** The options of {@linkcode Adadelta}. */
export interface AdadeltaOptions {
  /** What the step is multiplied with, at least 0; defaults to 1. */
  readonly lr?: Scalar;
  /** ρ: the decay rate of the mean squares, in 0 … 1; defaults to 0.9. */
  readonly rho?: number;
  /** Keeps the divisor from 0, at least 0; defaults to 1e-6. */
  readonly eps?: number;
  /** The decay, added to the gradient as wd·p, at least 0; defaults to 0. */
  readonly weightDecay?: number;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode Adadelta} remembers. */
export type AdadeltaState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The mean square of the gradient. */
  squareAvg: Tensor;
  /** The mean square of the steps. */
  accDelta: Tensor;
};

const adadelta: OptimizerKind<AdadeltaOptions> = {
  name: "Adadelta",
  forgetsGradient: () => Adadelta,
  defaults: { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false },
  state: { tensors: ["squareAvg", "accDelta"], numbers: ["step"] },
  check(values) {
    values.atLeastZero("lr", "eps", "weightDecay");
    values.fraction("rho");
    values.flags("maximize");
  },
};

/**
 * Adadelta: steps whose size follows from the steps before.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * v = ρ·v + (1 − ρ)·g²;  Δ = g·√(a + ε)/√(v + ε);  a = ρ·a + (1 − ρ)·Δ²
 * p = p − lr·Δ
 * ```
 *
 * @see M. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.Adadelta([w]);
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assert(w.item() < 4);
 * ```
 */
export class Adadelta extends Optimizer<AdadeltaOptions, AdadeltaState> {
  /** @internal */ static override readonly kind: string = "Adadelta";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode AdadeltaOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a hyperparameter out of range or NaN, no parameters, a tensor that is no
   * leaf, or one that is listed twice.
   */
  constructor(params: Params<AdadeltaOptions>, options: AdadeltaOptions = {}) {
    super(params, options, adadelta);
  }

  /** @internal */
  protected override initialState(param: Tensor): AdadeltaState {
    return { step: 0, squareAvg: zerosLike(param), accDelta: zerosLike(param) };
  }

  /** @internal */
  protected override update(
    param: Tensor,
    grad: Tensor,
    group: ParamGroup<AdadeltaOptions>,
  ): void {
    const state = this.stateOf(param, group);
    state.step++;
    adadeltaStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.squareAvg),
      valuesOf(state.accDelta),
      valueOf(group.lr),
      valueOf(group.rho),
      valueOf(group.eps),
      valueOf(group.weightDecay),
      group.maximize,
    );
  }
}
