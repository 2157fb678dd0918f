/**
 * RMSprop.
 */
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import { rmspropStep, valuesOf } from "../autograd/internal.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

/** The options of {@linkcode RMSprop}. */
export interface RMSpropOptions {
  /** The learning rate, at least 0; defaults to 0.01. */
  readonly lr?: Scalar;
  /** The decay rate of the mean square, at least 0; defaults to 0.99. */
  readonly alpha?: number;
  /** Keeps the divisor from 0, at least 0; defaults to 1e-8. */
  readonly eps?: number;
  /** The decay, added to the gradient as wd·p, at least 0; defaults to 0. */
  readonly weightDecay?: number;
  /** μ: how much of the last step is kept, at least 0; defaults to 0. */
  readonly momentum?: number;
  /** Whether to divide by the standard deviation instead of the root mean square. */
  readonly centered?: boolean;
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode RMSprop} remembers. */
export type RMSpropState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The mean square of the gradient. */
  squareAvg: Tensor;
  /** The step that momentum carries on. */
  momentumBuffer?: Tensor;
  /** The mean of the gradient, if centered. */
  gradAvg?: Tensor;
};

const kind: OptimizerKind<RMSpropOptions> = {
  name: "RMSprop",
  forgetsGradient: () => RMSprop,
  defaults: {
    lr: 1e-2,
    alpha: 0.99,
    eps: 1e-8,
    weightDecay: 0,
    momentum: 0,
    centered: false,
    maximize: false,
  },
  state: { tensors: ["squareAvg"], optional: ["momentumBuffer", "gradAvg"], numbers: ["step"] },
  check(values) {
    values.atLeastZero("lr", "eps", "momentum", "weightDecay", "alpha");
    values.flags("centered", "maximize");
  },
};

/**
 * RMSprop: steps of the gradient divided by the root of its mean square.
 *
 * ```text
 * g = maximize ? −grad : grad;  g = g + wd·p
 * v = α·v + (1 − α)·g²;  mean = α·mean + (1 − α)·g     if centered
 * d = g / (√(centered ? v − mean² : v) + ε)
 * buf = μ·buf + d;  p = p − lr·(μ > 0 ? buf : d)
 * ```
 *
 * @see G. Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012.
 * @see A. Graves, "Generating Sequences With Recurrent Neural Networks", 2013 (centered).
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.RMSprop([w], { lr: 0.1, alpha: 0.75 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(w.item(), 4 - 0.1 / 0.5, 1e-9);
 * ```
 */
export class RMSprop extends Optimizer<RMSpropOptions, RMSpropState> {
  /** @internal */ static override readonly kind: string = "RMSprop";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode RMSpropOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a negative or NaN hyperparameter, no parameters, a tensor that is no
   * leaf, or one that is listed twice.
   */
  constructor(params: Params<RMSpropOptions>, options: RMSpropOptions = {}) {
    super(params, options, kind);
  }

  /** @internal */
  protected override initialState(param: Tensor): RMSpropState {
    return { step: 0, squareAvg: zerosLike(param) };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RMSpropOptions>): void {
    const state = this.stateOf(param, group);
    const momentum = valueOf(group.momentum);
    const buffer = momentum > 0 ? state.momentumBuffer ??= zerosLike(param) : null;
    const mean = group.centered ? state.gradAvg ??= zerosLike(param) : null;
    state.step++;
    rmspropStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.squareAvg),
      mean === null ? null : valuesOf(mean),
      buffer === null ? null : valuesOf(buffer),
      valueOf(group.lr),
      valueOf(group.alpha),
      valueOf(group.eps),
      momentum,
      valueOf(group.weightDecay),
      group.maximize,
    );
  }
}
