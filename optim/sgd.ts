/**
 * Stochastic gradient descent.
 */
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import { sgdStep, valuesOf } from "../autograd/internal.ts";
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

const kind: OptimizerKind<SGDOptions> = {
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
  state: { tensors: [], optional: ["momentumBuffer"], numbers: [] },
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
    super(params, options, kind);
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
