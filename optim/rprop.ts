/**
 * Resilient backpropagation, and RMSprop, its form for small batches.
 */
import { rmspropStep, rpropStep, valuesOf } from "../autograd/internal.ts";
import { full, type Tensor, zerosLike } from "../autograd/mod.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

/** The options of {@linkcode Rprop}. */
export interface RpropOptions {
  /** The size of the first steps, at least 0; defaults to 0.01. */
  readonly lr?: Scalar;
  /** The factors that shrink (in 0 … 1) and grow (above 1) a step; defaults to [0.5, 1.2]. */
  readonly etas?: readonly [number, number];
  /** The smallest and the largest step; defaults to [1e-6, 50]. */
  readonly stepSizes?: readonly [number, number];
  /** Whether to go up instead of down. */
  readonly maximize?: boolean;
}

/** What {@linkcode Rprop} remembers. */
export type RpropState = {
  /** How often the parameter was stepped. */
  step: number;
  /** The gradient of the step before; 0 where the sign turned. */
  prev: Tensor;
  /** The size of the steps. */
  stepSize: Tensor;
};

const rprop: OptimizerKind<RpropOptions> = {
  name: "Rprop",
  forgetsGradient: () => Rprop,
  defaults: { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false },
  state: { tensors: ["prev", "stepSize"], numbers: ["step"] },
  check(values) {
    values.atLeastZero("lr");
    const [minus, plus] = values.pair("etas");
    if (!(0 < minus && minus < 1 && 1 < plus)) {
      throw new RangeError(values.fault("etas", "0 < etas[0] < 1 < etas[1]"));
    }
    values.pair("stepSizes").forEach((size, i) => {
      if (Number.isNaN(size)) {
        throw new RangeError(values.fault(`stepSizes[${i}]`, "a number", size));
      }
    });
    values.flags("maximize");
  },
};

/**
 * Resilient backpropagation: only the sign of the gradient counts. A step grows while the sign
 * stays, and shrinks where it turns; there the parameter rests once. For full batches.
 *
 * @see M. Riedmiller and H. Braun, "A direct adaptive method for faster backpropagation learning: the
 * RPROP algorithm", 1993.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const w = tensor([4], { requiresGrad: true });
 * const optimizer = new optim.Rprop([w], { lr: 0.25 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * assertEquals(w.item(), 3.75);
 * ```
 */
export class Rprop extends Optimizer<RpropOptions, RpropState> {
  /** @internal */ static override readonly kind: string = "Rprop";

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options See {@linkcode RpropOptions}.
   * @throws {TypeError} for a wrong kind.
   * @throws {RangeError} for a hyperparameter out of range or NaN, no parameters, a tensor that is no
   * leaf, or one that is listed twice.
   */
  constructor(params: Params<RpropOptions>, options: RpropOptions = {}) {
    super(params, options, rprop);
  }

  /** @internal */
  protected override initialState(param: Tensor, group: ParamGroup<RpropOptions>): RpropState {
    return {
      step: 0,
      prev: zerosLike(param),
      stepSize: full(param.shape, valueOf(group.lr)),
    };
  }

  /** @internal */
  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RpropOptions>): void {
    const state = this.stateOf(param, group);
    state.step++;
    rpropStep(
      valuesOf(param),
      valuesOf(grad),
      valuesOf(state.prev),
      valuesOf(state.stepSize),
      group.etas[0],
      group.etas[1],
      group.stepSizes[0],
      group.stepSizes[1],
      group.maximize,
    );
  }
}

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

const rmsprop: OptimizerKind<RMSpropOptions> = {
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
    super(params, options, rmsprop);
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
