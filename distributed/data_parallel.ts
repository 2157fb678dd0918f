/**
 * One model on all ranks, each with its share of the batch.
 */
import { isGradEnabled, Tensor, zeros } from "../autograd/mod.ts";
import {
  assertFunction,
  assertOptions,
  describe,
  type Known,
  onAccumulated,
} from "../autograd/internal.ts";
import { Module } from "../nn/module/module.ts";
import { type LoadResult, StateDict, type StateSource } from "../nn/module/state_dict.ts";
import { GradientBuckets } from "./buckets.ts";
import { type Group, groupFor } from "./group.ts";
import { assertSameTensors, spreadTensors } from "./replicas.ts";

/** How a {@linkcode DistributedDataParallel} runs. */
export interface DataParallelOptions {
  /** How many bytes of gradients travel in one message; 25 MiB where left out. */
  readonly bucketBytes?: number;
  /** Whether each forward in training begins with the buffers of rank 0; true where left out. */
  readonly broadcastBuffers?: boolean;
  /** Whether a backward pass may leave out parameters, others on each rank; false where left out. */
  readonly findUnusedParameters?: boolean;
  /** Whether gradients are views of the messages' memory, which saves a copy; false where left out. */
  readonly gradientAsBucketView?: boolean;
}

const KNOWN: Known<DataParallelOptions> = [
  "bucketBytes",
  "broadcastBuffers",
  "findUnusedParameters",
  "gradientAsBucketView",
];

/** How {@linkcode DistributedDataParallel.join} runs. */
export interface JoinOptions {
  /**
   * What a rank without a batch does after each backward of the others, to stay in step with them: clip,
   * `optimizer.step()`. Where left out it takes the parameters of the others at the end, as in PyTorch; the
   * state of its optimizer then lacks those steps.
   */
  readonly step?: () => void;
  /** Whether gradients are divided by the number of all ranks, not by that of those with a batch. */
  readonly divideByInitialWorldSize?: boolean;
}

const BUCKET_BYTES = 25 * 2 ** 20;
const ACTION = "make a DistributedDataParallel";
/** What ranks tell of a forward: whether they have a batch, and its shape. */
const MOST_AXES = 15;

/**
 * Trains one model on all ranks: each rank runs it on its own batch, and a backward pass ends with the
 * average of all ranks' gradients in `grad`, bit for bit the same, so that the optimizers of all ranks take
 * the same step.
 *
 * At the start all ranks get the parameters and buffers of rank 0. Gradients travel in buckets, the last
 * registered first, at the end of the pass: MPI moves no data while the program computes, so to send them
 * earlier gains nothing. Gradients that were accumulated in {@linkcode noSync} before are averaged with them.
 * BatchNorm normalises with the own batch unless it is a SyncBatchNorm:
 * `nn.SyncBatchNorm.convertSyncBatchnorm(module)`.
 *
 * The keys of its state dict begin with `module.`, as PyTorch's; `loadStateDict` takes them with or without.
 *
 * @example
 * ```ts
 * import { DistributedDataParallel, init } from "@tapegrad/tapegrad/distributed";
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using _group = init();
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.SyncBatchNorm(8), new nn.Linear(8, 1));
 * const model = new DistributedDataParallel(net);
 * const sgd = new optim.SGD(model.parameters(), { lr: 0.1 });
 * model.forward(randn([16, 4])).square().mean().backward();
 * sgd.step(); // the same step on all ranks
 * assertEquals([...model.stateDict().keys()][0], "module.0.weight");
 * ```
 */
// deno-lint-ignore no-explicit-any -- as Module: models differ in what they take and return.
export class DistributedDataParallel<Inputs extends any[] = any[], Output = any>
  extends Module<Inputs, Output> {
  /** The class's name in errors and printed texts. */
  static override readonly kind: string = "DistributedDataParallel";

  /** The model itself. */
  readonly module: Module<Inputs, Output>;
  readonly #group: Group;
  readonly #options: Required<DataParallelOptions>;
  readonly #params: readonly (readonly [name: string, param: Tensor])[];
  readonly #buckets: GradientBuckets;
  /** Whether gradients are to be averaged: the mode outside noSync, and that of the last forward. */
  #synchronising = true;
  #armed = false;
  #join: { divisor: number | null; inputs: readonly unknown[] | null } | null = null;

  /**
   * Takes the model; all ranks have to, with the same one.
   *
   * @param module The model.
   * @param options See {@linkcode DataParallelOptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} if the ranks' models differ in names or shapes,
   * or there is nothing to train. @throws {Error} before `init()`.
   */
  constructor(module: Module<Inputs, Output>, options: DataParallelOptions = {}) {
    super();
    assertOptions(ACTION, options, KNOWN);
    if (!(module instanceof Module)) {
      throw new TypeError(`Cannot ${ACTION}: got module ${describe(module)}, expected a Module`);
    }
    this.#group = groupFor(ACTION);
    this.#options = readSettings(options);
    this.module = module;
    this.#params = module.namedParameters().filter(([, param]) => param.requiresGrad);
    if (this.#params.length === 0) {
      throw new RangeError(
        `Cannot ${ACTION}: got a module without a parameter that requires grad, expected at least one`,
      );
    }
    assertSameTensors(this.#group, ACTION, "parameters", module.namedParameters());
    assertSameTensors(this.#group, ACTION, "buffers", module.namedBuffers());
    const state = [...module.parameters(), ...module.buffers()];
    spreadTensors(this.#group, "DistributedDataParallel", state, 0);
    const params = this.#params.map(([, param]) => param);
    const { bucketBytes, gradientAsBucketView } = this.#options;
    this.#buckets = new GradientBuckets(this.#group, params, bucketBytes, gradientAsBucketView);
    onAccumulated(params, (leaves) => this.#afterBackward(leaves));
  }

  /** Runs the model on the own batch. */
  override forward(...inputs: Inputs): Output {
    const isTraining = this.training && isGradEnabled();
    if (this.#join !== null && isTraining) {
      this.#join.inputs = inputs;
      this.#join.divisor = this.#meet(inputs).count;
    }
    return this.#run(inputs, isTraining);
  }

  #run(inputs: readonly unknown[], isTraining: boolean): Output {
    if (this.training && this.#synchronising && this.#options.broadcastBuffers) {
      spreadTensors(this.#group, "DistributedDataParallel", this.module.buffers(), 0);
    }
    if (isTraining) this.#armed = this.#synchronising;
    return this.module.forward(...inputs as Inputs);
  }

  /**
   * Runs `fn` without averaging: backward passes of forwards in it only accumulate, and the next pass outside
   * averages the sum. For gradient accumulation, at the cost of one average for all micro-batches.
   *
   * @param fn Forwards and backwards; synchronous.
   * @returns What it returns.
   */
  noSync<T>(fn: () => T): T {
    assertFunction("run noSync", fn, "fn");
    const before = this.#synchronising;
    this.#synchronising = false;
    try {
      const result = fn();
      if (result instanceof Promise) {
        throw new TypeError(
          "Cannot run noSync: got a function that returns a Promise, expected a synchronous one: its " +
            "later part would synchronise after all",
        );
      }
      return result;
    } finally {
      this.#synchronising = before;
    }
  }

  /**
   * Runs a loop of which some ranks have fewer batches. A rank that is through takes part in the forwards and
   * backwards of the others with batches of no samples, which add nothing to gradients and to the statistics of
   * SyncBatchNorm, until all are through. What else the loop does together, such as an `allReduce` of losses, it
   * cannot take part in.
   *
   * @param fn The loop over the own batches; synchronous.
   * @param options See {@linkcode JoinOptions}.
   * @returns What `fn` returns.
   */
  join<T>(fn: () => T, options: JoinOptions = {}): T {
    const action = "run join";
    assertFunction(action, fn, "fn");
    assertOptions(action, options, ["step", "divideByInitialWorldSize"]);
    const { step, divideByInitialWorldSize = true } = options;
    if (this.#group.size === 1) return fn();
    this.#join = { divisor: null, inputs: null };
    this.#divideByAll = divideByInitialWorldSize;
    try {
      const result = fn();
      const missed = this.#shadow(step);
      if (step === undefined) this.#takeFrom(missed === 0);
      return result;
    } finally {
      this.#join = null;
      this.#divideByAll = true;
    }
  }

  #divideByAll = true;

  /** Takes part without a batch until no rank has one; returns in how many steps. */
  #shadow(step: (() => void) | undefined): number {
    for (let steps = 0;; steps++) {
      const { count, shape } = this.#meet(null);
      if (count === 0) return steps;
      this.#join!.divisor = count;
      const inputs = this.#join!.inputs?.map(withoutSamples) ?? [zeros([0, ...shape.slice(1)])];
      this.module.zeroGrad();
      const output = this.#run(inputs, true);
      for (const x of tensorsIn(output)) x.sum().backward();
      step?.();
    }
  }

  /** The ranks with a batch, and the shape of the first input of one of them. */
  #meet(inputs: readonly unknown[] | null): { count: number; shape: number[] } {
    const { size } = this.#group;
    const length = MOST_AXES + 2;
    const own = new Float64Array(length);
    const first = inputs?.[0];
    if (inputs !== null) own[0] = 1;
    if (first instanceof Tensor) own.set([first.ndim, ...first.shape.slice(0, MOST_AXES)], 1);
    const all = new Float64Array(length * size);
    this.#group.gather("join", own, new Int32Array(size).fill(length), all);
    let count = 0;
    let shape: number[] = [];
    for (let at = 0; at < all.length; at += length) {
      if (all[at] === 0) continue;
      if (count++ === 0) shape = [...all.subarray(at + 2, at + 2 + all[at + 1])];
    }
    return { count, shape };
  }

  /** Gives all ranks the state of one that missed no step. */
  #takeFrom(missedNone: boolean): void {
    const { rank } = this.#group;
    const last = Float64Array.of(missedNone ? rank : -1);
    this.#group.reduce("join", last, "max");
    const state = [...this.module.parameters(), ...this.module.buffers()];
    spreadTensors(this.#group, "join", state, last[0]);
  }

  #afterBackward(leaves: ReadonlySet<Tensor>): void {
    if (!this.#armed || this.#group.size === 1) return;
    const wanted = this.#params.filter(([, param]) => param.requiresGrad);
    const frozen = this.#params.filter(([, param]) => !param.requiresGrad).map(([, x]) => x);
    const left = new Set(frozen);
    if (this.#options.findUnusedParameters) {
      const used = Float64Array.from(wanted, ([, param]) => leaves.has(param) ? 1 : 0);
      this.#group.reduce("DistributedDataParallel", used, "max");
      wanted.forEach(([, param], i) => used[i] === 0 && left.add(param));
    } else {
      const unused = wanted.filter(([, param]) => !leaves.has(param)).map(([name]) => name);
      if (unused.length > 0) {
        throw new Error(
          `Cannot average the gradients of a DistributedDataParallel: got none for ${unused.length} of ` +
            `${wanted.length} parameters on rank ${this.#group.rank} (${
              unused.slice(0, 5).join(", ")
            }${
              unused.length > 5 ? ", …" : ""
            }), expected one for each; pass findUnusedParameters: true if some are left out on purpose`,
        );
      }
    }
    const active = this.#join?.divisor ?? null;
    const divisor = this.#divideByAll || active === null ? this.#group.size : active;
    this.#buckets.average(divisor, left);
  }

  /**
   * Copies values into the parameters and buffers, whose names may begin with `module.` or not: a model that was
   * trained on one process loads, and the other way round by `module.loadStateDict`.
   */
  override loadStateDict(
    state: StateSource,
    options: { readonly strict?: boolean } = {},
  ): LoadResult {
    return super.loadStateDict(withPrefix(state), options);
  }
}

function readSettings(options: DataParallelOptions): Required<DataParallelOptions> {
  const { bucketBytes = BUCKET_BYTES } = options;
  if (typeof bucketBytes !== "number") {
    throw new TypeError(
      `Cannot ${ACTION}: got bucketBytes ${describe(bucketBytes)}, expected a number`,
    );
  }
  if (!(bucketBytes > 0)) {
    throw new RangeError(
      `Cannot ${ACTION}: got bucketBytes ${bucketBytes}, expected a positive number`,
    );
  }
  const flags = {
    broadcastBuffers: options.broadcastBuffers ?? true,
    findUnusedParameters: options.findUnusedParameters ?? false,
    gradientAsBucketView: options.gradientAsBucketView ?? false,
  };
  for (const [name, value] of Object.entries(flags)) {
    if (typeof value === "boolean") continue;
    throw new TypeError(
      `Cannot ${ACTION}: got ${name} ${describe(value)}, expected true or false`,
    );
  }
  return { bucketBytes, ...flags };
}

const PREFIX = "module.";

/** A state whose names begin with the prefix, as they do or did not. */
function withPrefix(state: StateSource): StateSource {
  if (typeof state !== "object" || state === null) return state;
  const entries: [string, unknown][] = state instanceof Map
    ? [...state]
    : Object.entries(state as Readonly<Record<string, unknown>>);
  if (entries.some(([name]) => name.startsWith(PREFIX))) return state;
  const renamed = entries.map(([name, value]) => [PREFIX + name, value] as const);
  if (!(state instanceof Map)) return Object.fromEntries(renamed) as StateSource;
  const prefixed = new StateDict();
  for (const [name, value] of renamed) prefixed.set(name, value as Tensor);
  if (state instanceof StateDict) {
    for (const [path, about] of state.metadata) {
      prefixed.metadata.set(path === "" ? "module" : PREFIX + path, about);
    }
  }
  return prefixed;
}

/** An input as a batch of no samples. */
function withoutSamples(input: unknown): unknown {
  return input instanceof Tensor && input.ndim > 0 ? zeros([0, ...input.shape.slice(1)]) : input;
}

function tensorsIn(output: unknown): Tensor[] {
  if (output instanceof Tensor) return output.requiresGrad ? [output] : [];
  if (typeof output !== "object" || output === null) return [];
  return Object.values(output).flatMap(tensorsIn);
}
