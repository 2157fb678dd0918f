/**
 * Optimizer state, shared among ranks.
 */
import { noGrad, Tensor } from "../autograd/mod.ts";
import {
  heldGradOf,
  sizeOf,
  type Storage,
  storageOf,
  valuesOf,
  write,
} from "../autograd/internal.ts";
import type { Params } from "../optim/groups.ts";
import { Optimizer } from "../optim/optimizer.ts";
import type { OptimizerStateDict, ParameterState } from "../optim/state_dict.ts";
import { type Group, groupFor } from "./group.ts";

/** Values travel together up to this many. */
const TOGETHER = 2 ** 19;

/** A part of the values of a storage, which may move. */
class Slice implements Storage {
  version = 0;
  readonly #whole: Storage;
  readonly #from: number;
  readonly #to: number;

  constructor(whole: Storage, from: number, to: number) {
    this.#whole = whole;
    this.#from = from;
    this.#to = to;
  }

  get values(): Float64Array {
    return this.#whole.values.subarray(this.#from, this.#to);
  }
}

/** The part of a parameter that a rank steps. */
interface Shard {
  readonly param: Tensor;
  /** Where each rank's part begins, and the end of the last. */
  readonly bounds: readonly number[];
  readonly own: Tensor;
}

/** An optimizer's class. */
export type OptimizerClass<Options> = new (
  params: Params<Options>,
  options?: Options,
) => object;

/**
 * An optimizer whose state all ranks share: each rank steps its part of every parameter, and has the state of that
 * part alone, then all get the parameters of all. The memory of momenta and their like falls as 1/size; the steps
 * are those of the optimizer itself, bit for bit.
 *
 * It takes gradients that are the same on all ranks, those of a DistributedDataParallel, and optimizers that move
 * each value by itself, as all of `optim` do. `step`, `stateDict` and `loadStateDict` have to be called by all
 * ranks. Its state dict is that of the optimizer without shards: it loads on any number of ranks.
 *
 * @see Rajbhandari et al.: ZeRO: Memory Optimizations Toward Training Trillion Parameter Models, 2020, stage 1.
 *
 * @example
 * ```ts
 * import { init, ZeroRedundancyOptimizer } from "@tapegrad/tapegrad/distributed";
 * import { optim, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * using _group = init();
 * const w = tensor([4, -4], { requiresGrad: true });
 * const adam = new ZeroRedundancyOptimizer([w], optim.Adam, { lr: 0.5 });
 * w.square().sum().backward();
 * adam.step();
 * assertAlmostEquals(w.data[0], 3.5, 1e-6);
 * ```
 */
export class ZeroRedundancyOptimizer<Options extends object = object> extends Optimizer {
  /** The class's name in errors and printed texts. */
  static override readonly kind: string = "ZeroRedundancyOptimizer";

  readonly #group: Group;
  /** The optimizer without shards: it has groups, and a state only while one is saved or loaded. */
  readonly #whole: Optimizer;
  /** The optimizer of the own shards. */
  readonly #inner: Optimizer;
  readonly #shards: readonly Shard[];

  /**
   * Makes it; all ranks have to, with the same parameters.
   *
   * @param params As the optimizer takes them.
   * @param optimizerClass The optimizer: `optim.Adam`.
   * @param options Its options.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value. @throws {Error} before `init()`.
   */
  constructor(
    params: Params<NoInfer<Options>>,
    optimizerClass: OptimizerClass<Options>,
    options: NoInfer<Options> = {} as Options,
  ) {
    const group = groupFor("make a ZeroRedundancyOptimizer");
    const whole = new optimizerClass(params, options) as unknown as Optimizer;
    super(whole.paramGroups.map(({ params }) => ({ params })), {}, {
      name: "ZeroRedundancyOptimizer",
      defaults: whole.defaults,
      check: () => {},
    });
    // The groups are those of the optimizer itself: a schedule writes into them.
    this.paramGroups.splice(0, Infinity, ...whole.paramGroups);
    this.#group = group;
    this.#whole = whole;
    this.#shards = whole.paramGroups.flatMap((one) =>
      one.params.map((param) => shardOf(group, param))
    );
    const own = new Map(this.#shards.map(({ param, own }) => [param, own]));
    const groups = whole.paramGroups.map((one) => ({
      ...one,
      paramNames: undefined,
      params: one.params.map((param) => own.get(param)!),
    }));
    const shards = groups as unknown as Params<Options>;
    this.#inner = new optimizerClass(shards, options) as unknown as Optimizer;
    this.registerStepPostHook(() => this.#stepShards());
  }

  /** How many values of state this rank has. */
  get ownStateSize(): number {
    let size = 0;
    for (const state of this.#inner.state.values()) {
      for (const value of Object.values(state)) if (value instanceof Tensor) size += value.size;
    }
    return size;
  }

  /** The shards are stepped together, once all gradients are checked. */
  protected override update(): void {}

  #stepShards(): void {
    this.paramGroups.forEach((group, i) => {
      const { params: _, paramNames: __, ...values } = group;
      Object.assign(this.#inner.paramGroups[i], values);
    });
    const moved = this.#shards.filter(({ param, bounds, own }) => {
      const grad = heldGradOf(param);
      const [from, to] = [bounds[this.#group.rank], bounds[this.#group.rank + 1]];
      own.grad = grad === null
        ? null
        : new Tensor(new Slice(storageOf(grad), from, to), [to - from]);
      return grad !== null;
    });
    this.#inner.step();
    for (const { own } of this.#shards) own.grad = null;
    this.#exchange(moved);
  }

  /** Gives all ranks the parts of all. */
  #exchange(shards: readonly Shard[]): void {
    if (this.#group.size === 1) return;
    for (let first = 0; first < shards.length;) {
      let last = first;
      let size = 0;
      while (
        last < shards.length && (last === first || size + shards[last].param.size <= TOGETHER)
      ) {
        size += shards[last++].param.size;
      }
      const batch = shards.slice(first, last);
      const parts = gatherParts(this.#group, batch, batch.map(({ own }) => valuesOf(own)));
      batch.forEach(({ param }, i) => write(param, (values) => values.set(parts[i]), "step"));
      first = last;
    }
  }

  /** The state of the whole, gathered from all ranks, which all have to call it. */
  override stateDict(): OptimizerStateDict {
    try {
      for (const shard of this.#shards) {
        const own = this.#inner.state.get(shard.own);
        if (own === undefined) continue;
        const whole: ParameterState = {};
        for (const [key, value] of Object.entries(own)) {
          whole[key] = value instanceof Tensor && value.ndim === 1
            ? this.#gathered(shard, value)
            : value;
        }
        this.#whole.state.set(shard.param, whole);
      }
      return this.#whole.stateDict();
    } finally {
      this.#whole.state.clear();
    }
  }

  #gathered(shard: Shard, own: Tensor): Tensor {
    const [values] = gatherParts(this.#group, [shard], [valuesOf(own)]);
    return new Tensor({ values, version: 0 }, shard.param.shape);
  }

  /** Takes the own part of a state of the whole, which may come from any number of ranks. */
  override loadStateDict(saved: OptimizerStateDict): void {
    this.#whole.loadStateDict(saved);
    const { rank } = this.#group;
    this.#inner.state.clear();
    for (const { param, bounds, own } of this.#shards) {
      const whole = this.#whole.state.get(param);
      if (whole === undefined) continue;
      const part: ParameterState = {};
      for (const [key, value] of Object.entries(whole)) {
        part[key] = value instanceof Tensor && value.size === sizeOf(param.shape)
          ? noGrad(() => value.reshape([-1]).narrow(0, bounds[rank], own.size))
          : value;
      }
      this.#inner.state.set(own, part);
    }
    this.#whole.state.clear();
  }
}

function shardOf(group: Group, param: Tensor): Shard {
  const bounds = Array.from(
    { length: group.size + 1 },
    (_, rank) => Math.floor(rank * param.size / group.size),
  );
  const [from, to] = [bounds[group.rank], bounds[group.rank + 1]];
  const own = new Tensor(new Slice(storageOf(param), from, to), [to - from]).requiresGrad_();
  return { param, bounds, own };
}

/** The whole values of some shards, whose own parts are given. */
function gatherParts(
  group: Group,
  shards: readonly Shard[],
  own: readonly Float64Array[],
): Float64Array[] {
  const { size } = group;
  const counts = new Int32Array(size);
  for (const { bounds } of shards) {
    for (let rank = 0; rank < size; rank++) counts[rank] += bounds[rank + 1] - bounds[rank];
  }
  const send = new Float64Array(counts[group.rank]);
  let at = 0;
  for (const part of own) {
    send.set(part, at);
    at += part.length;
  }
  const all = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  group.gather("ZeroRedundancyOptimizer", send, counts, all);
  const wholes = shards.map(({ param }) => new Float64Array(param.size));
  at = 0;
  for (let rank = 0; rank < size; rank++) {
    shards.forEach(({ bounds }, i) => {
      const length = bounds[rank + 1] - bounds[rank];
      wholes[i].set(all.subarray(at, at + length), bounds[rank]);
      at += length;
    });
  }
  return wholes;
}
