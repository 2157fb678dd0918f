/**
 * Adam with the infinity norm.
 */
import { type Tensor, zerosLike } from "../autograd/mod.ts";
import { adamaxStep, valuesOf } from "../autograd/internal.ts";
import type { ParamGroup, Params } from "./groups.ts";
import { type Scalar, valueOf } from "./hyperparameters.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";

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

const kind: OptimizerKind<AdamaxOptions> = {
  name: "Adamax",
  forgetsGradient: () => Adamax,
  defaults: { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false },
  state: { tensors: ["expAvg", "expInf"], optional: [], numbers: ["step"] },
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
    super(params, options, kind);
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
