/**
 * A model whose weights are averages of another's.
 */
import { noGrad, type Tensor, zeros } from "../../autograd/mod.ts";
import {
  assertFunction,
  assertOptions,
  describe,
  formatShape,
  refuse,
  refuseKind,
  sameShape,
} from "../../autograd/internal.ts";
import { assertModule } from "../../nn/module/arguments.ts";
import { Module } from "../../nn/module/module.ts";

/** The next average, from the one so far, the current values and how many were averaged. */
export type AverageFunction = (averaged: Tensor, current: Tensor, count: number) => Tensor;

/** How {@linkcode AveragedModel} averages. */
export interface AveragedModelOptions {
  /** The next average; defaults to the plain mean of all updates. */
  readonly avgFn?: AverageFunction | null;
  /** Whether buffers are averaged like parameters; else they are copied at each update. */
  readonly useBuffers?: boolean;
}

/** The plain mean: averaged + (current − averaged)/(count + 1). */
export function getSwaAvgFn(): AverageFunction {
  return (averaged, current, count) =>
    averaged.add(current.sub(averaged), { alpha: 1 / (count + 1) });
}

/**
 * The exponential mean: decay·averaged + (1 − decay)·current.
 *
 * @throws {RangeError} if `decay` is not in 0 … 1.
 */
export function getEmaAvgFn(decay = 0.999): AverageFunction {
  if (typeof decay !== "number" || !(decay >= 0 && decay <= 1)) {
    refuse("make an exponential mean", `decay ${describe(decay)}`, "a number in 0 … 1");
  }
  return (averaged, current) => averaged.mul(decay).add(current, { alpha: 1 - decay });
}

/**
 * A copy of a model whose parameters follow the average of the model's over its updates.
 *
 * The running statistics of its BatchNorm layers do not belong to the averaged weights: take them
 * recomputed with `optim.swa.updateBn` before use, or average them too with `useBuffers`.
 *
 * @see P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI
 * 2018.
 *
 * @example
 * ```ts
 * import { nn, noGrad, optim, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const model = new nn.Linear(1, 1, { bias: false });
 * const averaged = new optim.swa.AveragedModel(model);
 * for (const value of [1, 2, 6]) {
 *   noGrad(() => model.weight.copy_(tensor(value)));
 *   averaged.updateParameters(model);
 * }
 * assertEquals(averaged.module.weight.item(), 3);
 * assertEquals([...averaged.stateDict().keys()], ["n_averaged", "module.weight"]);
 * ```
 */
export class AveragedModel<Model extends Module = Module> extends Module {
  /** @internal */ static override readonly kind: string = "AveragedModel";

  /** The copy with averaged weights. */
  readonly module: Model;
  /** How many updates were averaged; a scalar. */
  nAveraged: Tensor;
  private readonly avgFn: AverageFunction;
  private readonly useBuffers: boolean;

  /**
   * Copies the model.
   *
   * @param model The model to begin with; it is copied.
   * @param options See {@linkcode AveragedModelOptions}.
   * @throws {TypeError} if an argument is of the wrong kind.
   */
  constructor(model: Model, options: AveragedModelOptions = {}) {
    super();
    const action = "make an AveragedModel";
    assertOptions(action, options, ["avgFn", "useBuffers"]);
    const { avgFn, useBuffers = false } = options;
    assertModule(action, "model", model);
    if (avgFn !== undefined && avgFn !== null) assertFunction(action, avgFn, "avgFn");
    if (typeof useBuffers !== "boolean") {
      refuseKind(action, "useBuffers", useBuffers, "true or false");
    }
    this.module = model.deepCopy();
    this.nAveraged = this.registerBuffer("n_averaged", zeros([]));
    this.avgFn = avgFn ?? getSwaAvgFn();
    this.useBuffers = useBuffers;
  }

  /** The averaged model's output. */
  override forward(...inputs: Parameters<Model["forward"]>): ReturnType<Model["forward"]> {
    return this.module.forward(...inputs) as ReturnType<Model["forward"]>;
  }

  /**
   * Averages the current values in. The first update copies them.
   *
   * @param model A model like the first one.
   * @throws {TypeError} if it is not a module.
   * @throws {RangeError} if its parameters or buffers are others; nothing is changed then.
   */
  updateParameters(model: Module): void {
    assertModule("updateParameters", "model", model);
    const averaged = pairs(this.module.namedParameters(), model.namedParameters(), "parameters");
    const tracked = pairs(this.module.namedBuffers(), model.namedBuffers(), "buffers");
    const count = this.nAveraged.item();
    noGrad(() => {
      for (const pair of this.useBuffers ? [...averaged, ...tracked] : averaged) {
        this.average(pair, count);
      }
      if (!this.useBuffers) { for (const { mine, theirs } of tracked) mine.copy_(theirs); }
      this.nAveraged.copy_(count + 1);
    });
  }

  /** Takes one tensor into its average. */
  private average({ name, mine, theirs }: Pair, count: number): void {
    if (count === 0) {
      mine.copy_(theirs);
      return;
    }
    const next = this.avgFn(mine.detach(), theirs.detach(), count);
    mine.copy_(next);
    // A counter is int64 on disk and in PyTorch, which drops the fraction.
    if (/(^|\.)num_batches_tracked$/.test(name)) mine.copy_(Math.trunc(mine.item()));
  }
}

interface Pair {
  readonly name: string;
  readonly mine: Tensor;
  readonly theirs: Tensor;
}

function pairs(
  mine: readonly [string, Tensor][],
  theirs: readonly [string, Tensor][],
  kind: string,
): Pair[] {
  if (mine.length !== theirs.length) {
    refuse("updateParameters", `a model with ${theirs.length} ${kind}`, `${mine.length}`);
  }
  return mine.map(([name, tensor], i) => {
    const [otherName, other] = theirs[i];
    if (!sameShape(tensor.shape, other.shape)) {
      refuse(
        "updateParameters",
        `${otherName} of shape ${formatShape(other.shape)}`,
        `${formatShape(tensor.shape)} as ${name}`,
      );
    }
    return { name, mine: tensor, theirs: other };
  });
}
