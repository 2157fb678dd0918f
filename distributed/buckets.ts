/**
 * Gradients, averaged over all ranks in buckets: few large messages in place of many small ones.
 */
import { Tensor } from "../autograd/mod.ts";
import { heldGradOf, scaleKeeping, type Storage, valuesOf } from "../autograd/internal.ts";
import type { Group } from "./group.ts";
import { allReduceIn } from "./reduce.ts";

/** Some parameters, and the memory in which their gradients travel together. */
class Bucket {
  readonly params: Tensor[] = [];
  size = 0;
  #values: Float64Array | null = null;

  add(param: Tensor): void {
    this.params.push(param);
    this.size += param.size;
  }

  get values(): Float64Array {
    return this.#values ??= new Float64Array(this.size);
  }
}

/** The parameters in buckets of about `bytes`, the last ones first: their gradients are there first. */
function intoBuckets(params: readonly Tensor[], bytes: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (const param of params.toReversed()) {
    const open = buckets.at(-1);
    const isFull = open === undefined || 8 * (open.size + param.size) > bytes;
    const bucket = isFull ? new Bucket() : open;
    if (isFull) buckets.push(bucket);
    bucket.add(param);
  }
  return buckets;
}

/** Averages the gradients of some parameters. */
export class GradientBuckets {
  readonly #group: Group;
  readonly #buckets: readonly Bucket[];
  readonly #asViews: boolean;
  /** The gradients that are views of their bucket. */
  readonly #views = new Map<Tensor, Tensor>();

  constructor(group: Group, params: readonly Tensor[], bytes: number, asViews: boolean) {
    this.#group = group;
    this.#buckets = intoBuckets(params, bytes);
    this.#asViews = asViews;
  }

  /** How many messages an average takes. */
  get count(): number {
    return this.#buckets.length;
  }

  /**
   * Replaces gradients by their sum over all ranks, divided by `divisor`.
   *
   * @param left Parameters whose gradients stay as they are, the same on all ranks.
   */
  average(divisor: number, left: ReadonlySet<Tensor>): void {
    for (const bucket of this.#buckets) {
      const params = bucket.params.filter((param) => !left.has(param));
      if (params.length > 0) this.#averageOne(bucket, params, divisor);
    }
  }

  #averageOne(bucket: Bucket, params: readonly Tensor[], divisor: number): void {
    const grads = params.map((param) => heldGradOf(param));
    // Gradients that can be differentiated again are averaged on the tape.
    if (grads.some((grad) => grad?.requiresGrad)) {
      params.forEach((param) => {
        const grad = param.grad ?? zerosLike(param);
        param.grad = allReduceIn(this.#group, grad, "sum").div(divisor);
      });
      return;
    }
    const [only] = grads;
    if (params.length === 1 && only !== null && !this.#asViews) {
      scaleKeeping(only, (values) => this.#reduce(values, divisor));
      return;
    }
    const values = bucket.values;
    let at = 0;
    const places = params.map((param, i) => {
      const place = values.subarray(at, at + param.size);
      at += param.size;
      const grad = grads[i];
      if (grad === null) place.fill(0);
      else if (grad !== this.#views.get(param)) place.set(valuesOf(grad));
      return place;
    });
    this.#reduce(values.subarray(0, at), divisor);
    params.forEach((param, i) => this.#give(param, grads[i], places[i]));
  }

  #reduce(values: Float64Array, divisor: number): void {
    this.#group.reduce("DistributedDataParallel", values, "sum");
    if (divisor === 1) return;
    for (let i = 0; i < values.length; i++) values[i] /= divisor;
  }

  #give(param: Tensor, grad: Tensor | null, values: Float64Array): void {
    if (this.#asViews) {
      const view = this.#views.get(param);
      if (grad !== null && grad === view) return scaleKeeping(grad, () => {});
      const made = new Tensor(storageOn(values), param.shape);
      this.#views.set(param, made);
      param.grad = made;
      return;
    }
    if (grad === null) param.grad = new Tensor(storageOn(values.slice()), param.shape);
    else scaleKeeping(grad, (into) => into.set(values));
  }
}

function storageOn(values: Float64Array): Storage {
  return { values, version: 0 };
}

function zerosLike(param: Tensor): Tensor {
  return new Tensor(storageOn(new Float64Array(param.size)), param.shape);
}
