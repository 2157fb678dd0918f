/**
 * Averaged stochastic gradient descent.
 */
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import { asgdStep, valuesOf } from "../autograd/internal.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

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

const kind: OptimizerKind<ASGDOptions> = {
  name: "ASGD",
  forgetsGradient: () => ASGD,
  defaults: { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false },
  state: { tensors: ["ax"], optional: [], numbers: ["step", "eta", "mu"] },
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
    super(params, options, kind);
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
