/**
 * Stochastic gradient descent, plain and averaged.
 */
import { asgdStep, sgdStep, valuesOf } from "../autograd/internal.ts";
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

/** The options of {@linkcode SGD}. */
export interface SGDOptions {
  /** The learning rate, at least 0; defaults to 1e-3. */
  readonly lr?: Scalar;
  /** μ: how much of the last step is kept, at least 0; defaults to 0. */
  readonly momentum?: Scalar;
  /** τ: how much of the gradient momentum leaves out; defaults to 0. */
  readonly dampening?: number;
  /** The decay, added to the gradient as wd·p, at least 0; defaults to 0. */
  readonly weightDecay?: Scalar;
  /** Whether to step from where momentum leads; needs momentum and no dampening. */
  readonly nesterov?: boolean;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode SGD} remembers: nothing without momentum. */
export type SGDState = {
  /** The step that momentum carries on. */
  momentumBuffer?: Tensor;
};

const sgd: OptimizerKind<SGDOptions> = {
  name: "SGD",
  forgetsGradient: () => SGD,
  defaults: {
    lr: 1e-3,
    momentum: 0,
    dampening: 0,
    weightDecay: 0,
    nesterov: false,
    maximize: false,
  },
  state: { optional: ["momentumBuffer"] },
  check(values, group) {
    values.atLeastZero("lr", "momentum", "weightDecay");
    values.noNaN("dampening");
    values.flags("nesterov", "maximize");
    if (group.nesterov && (valueOf(group.momentum) <= 0 || group.dampening !== 0)) {
      throw new RangeError(
        values.fault("nesterov", "it with a momentum above 0 and no dampening", true),
      );
    }
  },
};

/**
 * Stochastic gradient descent, with momentum.
 *
 * ```text
 * g = maximize ? −grad : grad
 * g = g + wd·p                                  if wd ≠ 0
 * buf = first step of p ? g : μ·buf + (1 − τ)·g     if μ ≠ 0
 * g = nesterov ? g + μ·buf : buf
 * p = p − lr·g
 * ```
 *
 * The learning rate stands outside of the buffer, so a change of it acts at once. A parameter whose
 * gradient is `null` is skipped; one whose gradient is zero still decays and carries momentum.
 *
 * @see I. Sutskever et al., "On the importance of initialization and momentum in deep learning",
 * ICML 2013.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.SGD([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertEquals(w.toArray(), [2]);
 * ```
 */
export class SGD extends Optimizer<SGDOptions, SGDState> {
  /** @internal */ static override readonly kind: string = "SGD";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode SGDOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, nesterov without momentum or with
   * dampening, no parameters, a tensor that is not a leaf, or one that is listed twice.
   */
  constructor(params: Params<SGDOptions>, options: SGDOptions = {}) {
    super(params, options, sgd);
  }

  /** @internal */
  protected override initialState(): SGDState {
    return {};
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<SGDOptions>): void {
    const momentum = valueOf(group.momentum);
    let buffer: Tensor | null = null;
    let first = false;
    if (momentum !== 0) {
      const state = this.stateOf(param, group);
      first = state.momentumBuffer === undefined;
      buffer = state.momentumBuffer ??= zerosLike(param);
    }
    sgdStep(
      valuesOf(param),
      valuesOf(grad),
      buffer === null ? null : valuesOf(buffer),
      valueOf(group.lr),
      momentum,
      group.dampening,
      valueOf(group.weightDecay),
      group.nesterov,
      group.maximize,
      first,
    );
  }
}

/** The options of {@linkcode ASGD}. */
export interface ASGDOptions {
  /** The learning rate, at least 0; defaults to 0.01. */
  readonly lr?: Scalar;
  /** λ: the decay of the weights and of the step size; defaults to 1e-4. */
  readonly lambd?: number;
  /** The power with which the step size falls; defaults to 0.75. */
  readonly alpha?: number;
  /** The step at which averaging begins; defaults to 1e6. */
  readonly t0?: number;
  /** The decay, added to the gradient as wd·p, at least 0; defaults to 0. */
  readonly weightDecay?: number;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode ASGD} remembers. */
export type ASGDState = {
  /** How often the parameter was stepped. */
  step: number;
  /** η: the size of the next step. */
  eta: number;
  /** μ: the weight of the next value in the average. */
  mu: number;
  /** The average of the parameter. */
  ax: Tensor;
};

const asgd: OptimizerKind<ASGDOptions> = {
  name: "ASGD",
  forgetsGradient: () => ASGD,
  defaults: { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false },
  state: { tensors: ["ax"], numbers: ["step", "eta", "mu"] },
  check(values) {
    values.atLeastZero("lr", "weightDecay");
    values.noNaN("lambd", "alpha", "t0");
    values.flags("maximize");
  },
};

/**
 * Averaged stochastic gradient descent; the average is `state.get(p).ax`.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * p = (1 − λη)·p − η·g;  ax = ax + μ·(p − ax)
 * η = lr/(1 + λ·lr·t)^α;  μ = 1/max(1, t − t0)
 * ```
 *
 * @see B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.ASGD([w], { lr: 0.25, lambd: 0 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 2, 1e-12);
 * ```
 */
export class ASGD extends Optimizer<ASGDOptions, ASGDState> {
  /** @internal */ static override readonly kind: string = "ASGD";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode ASGDOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a hyperparameter out of range or NaN, no parameters, a tensor that is no
   * leaf, or one that is listed twice.
   */
  constructor(params: Params<ASGDOptions>, options: ASGDOptions = {}) {
    super(params, options, asgd);
  }

  /** @internal */
  protected override initialState(param: Tensor, group: ParamGroup<ASGDOptions>): ASGDState {
    return { step: 0, eta: valueOf(group.lr), mu: 1, ax: zerosLike(param) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<ASGDOptions>): void {
    const state = this.stateOf(param, group);
    const lr = valueOf(group.lr);
    const { lambd, alpha, t0 } = group;
    asgdStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.ax),
      state.eta,
      lambd,
      state.mu,
      valueOf(group.weightDecay),
      group.maximize,
    );
    const step = ++state.step;
    state.eta = lr / (1 + lambd * lr * step) ** alpha;
    state.mu = 1 / Math.max(1, step - t0);
  }
}
