/**
 * The tensor: a shape over float64 values, and its place on the tape.
 *
 * @module
 */
import { heapValues, type Storage } from "./kernels/memory.ts";
import { nest, type NestedArray, print } from "./print.ts";
import { type Dims, formatShape, sameShape, type Shape, sizeOf } from "./shape.ts";
import type { GradHook, Node } from "./tape.ts";
import type * as Ops from "./ops/mod.ts";
import type { Index } from "./ops/index.ts";
import type { DimOptions } from "./ops/join.ts";
import type { AddmmOptions } from "./ops/products.ts";
import type { ReduceOptions } from "./ops/reduce.ts";
import type { FlattenOptions } from "./ops/shape.ts";
import type { DiagonalOptions } from "./ops/view.ts";
import type { BackwardOptions } from "./backward.ts";

/** What `Tensor`'s methods call. The functions make Tensors themselves, so they are tied in later. */
export type Methods = typeof Ops & {
  /** The reverse pass. */
  backward(root: Tensor, gradient: Tensor | null, options: BackwardOptions): void;
};

let ops: Methods;

/** Ties the operations to the methods; `autograd/mod.ts` calls it once, when both are loaded. */
export function tieMethods(methods: Methods): void {
  ops = methods;
}

/** A handle that takes a hook off again. */
export interface HookHandle {
  /** Removes the hook; a second call does nothing. */
  remove(): void;
}

/**
 * An n-dimensional array of float64 values that remembers how it was computed.
 *
 * Made by `tensor()`, `zeros()` and their like, or by an operation. Values are row-major.
 *
 * @example
 * ```ts
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * x.mul(x).sum().backward();
 * assertEquals(x.grad!.toArray(), [[2, 4], [6, 8]]);
 * ```
 */
export class Tensor {
  /** The sizes of the axes. */
  readonly shape: Shape;
  /** The accumulated gradient of a leaf, `null` before the first backward. */
  grad: Tensor | null = null;
  /** @internal The values, shared with aliases. */
  storage: Storage;
  /** @internal The call that made this tensor; `null` for a leaf. */
  node: Node | null = null;
  /** @internal Which output of its node this is. */
  slot = 0;
  /** @internal Hooks of a leaf; those of other tensors live at their node. */
  leafHooks: Set<GradHook> | null = null;
  #requiresGrad = false;

  /** @internal Users call `tensor()`. */
  constructor(storage: Storage, shape: Shape) {
    this.storage = storage;
    this.shape = shape;
  }

  /** The number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * The values, row-major. Writing into them is invisible to the tape; use {@linkcode copy_}.
   */
  get data(): Float64Array {
    return heapValues(this.storage);
  }

  /** Whether gradients flow into or through this tensor. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  /** Whether no recorded operation made it. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /** @internal Puts the tensor on the tape as output `slot` of `node`. */
  attach(node: Node, slot: number): void {
    this.node = node;
    this.slot = slot;
    this.#requiresGrad = true;
  }

  /** @internal Takes the tensor off the tape: its values no longer depend on anything recorded. */
  drop(): void {
    this.node = null;
    this.slot = 0;
    this.#requiresGrad = false;
  }

  /**
   * The value of a tensor of one element.
   *
   * @throws {RangeError} if it has another number of elements.
   */
  item(): number {
    if (this.size !== 1) {
      throw new RangeError(
        `Cannot take the item of a tensor: got shape ${formatShape(this.shape)}, expected one ` +
          `element`,
      );
    }
    return this.storage.values[0];
  }

  /** The values as nested arrays; a number for a scalar. */
  toArray(): NestedArray {
    return nest(this.storage.values, this.shape);
  }

  /** The values in rows, long axes shortened, in PyTorch's layout. */
  toString(): string {
    return print(this.storage.values, this.shape, this.requiresGrad);
  }

  /** @internal Shows the tensor in Deno's console. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** @internal Shows the tensor in Node's console. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Adds the gradients of this tensor to `.grad` of the leaves that it was computed from.
   *
   * @param gradient The cotangent of this tensor; may be left out for a tensor of one element.
   * @param options `retainGraph` keeps the graph for another pass; `createGraph` records the pass so
   * that gradients can be differentiated; `inputs` limits the pass to these leaves.
   * @throws {Error} if nothing requires grad, if the graph was freed, or if a saved tensor was edited.
   * @throws {RangeError} if `gradient` is missing or of another shape.
   */
  backward(gradient: Tensor | null = null, options: BackwardOptions = {}): void {
    ops.backward(this, gradient, options);
  }

  /** The same values off the tape; later edits of one are edits of the other. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape);
  }

  /** A copy of the values, on the tape. */
  clone(): Tensor {
    return ops.clone(this);
  }

  /**
   * Sets whether a leaf collects gradients.
   *
   * @throws {Error} if it is not a leaf and `on` is false: detach it instead.
   */
  requiresGrad_(on = true): this {
    if (this.node !== null && !on) {
      throw new Error(
        "Cannot turn off requiresGrad: got a tensor that an operation made, expected a leaf; " +
          "use detach()",
      );
    }
    this.#requiresGrad = on || this.node !== null;
    return this;
  }

  /**
   * Writes `source`, broadcast to this shape, into this tensor: the one way to write in place. The
   * tape notices: a backward that needs the old values throws.
   *
   * With grad mode on and a graph behind either tensor, this tensor takes the source's place on the
   * tape.
   *
   * @throws {Error} if it is a leaf that requires grad and grad mode is on: wrap it in `noGrad`.
   * @throws {RangeError} if the source does not broadcast to this shape.
   */
  copy_(source: Tensor | number): this {
    return ops.copyInto(this, source) as this;
  }

  /**
   * Calls `hook` with the gradient of this tensor in each backward pass, before it goes on; what the
   * hook returns takes its place.
   *
   * @returns A handle whose `remove()` takes the hook off.
   * @throws {Error} if the tensor does not require grad.
   */
  registerHook(hook: GradHook): HookHandle {
    if (!this.requiresGrad) {
      throw new Error(
        "Cannot register a hook: got a tensor that does not require grad, expected one that does",
      );
    }
    let hooks: Set<GradHook>;
    if (this.node === null) {
      hooks = this.leafHooks ??= new Set();
    } else {
      const bySlot = this.node.hooks ??= new Map();
      hooks = bySlot.get(this.slot) ?? new Set();
      bySlot.set(this.slot, hooks);
    }
    const entry: GradHook = (grad) => hook(grad);
    hooks.add(entry);
    return { remove: () => void hooks.delete(entry) };
  }

  /** See {@linkcode Ops.add}. */
  add(y: Tensor | number, options?: { readonly alpha?: number }): Tensor {
    return ops.add(this, y, options);
  }
  /** See {@linkcode Ops.mul}. */
  mul(y: Tensor | number): Tensor {
    return ops.mul(this, y);
  }
  /** See {@linkcode Ops.sum}. */
  sum(options?: ReduceOptions): Tensor {
    return ops.sum(this, options);
  }

  // Shape.

  /** See {@linkcode Ops.reshape}. */
  reshape(shape: Shape): Tensor {
    return ops.reshape(this, shape);
  }
  /** The same as {@linkcode reshape}: values are always contiguous here. */
  view(shape: Shape): Tensor {
    return ops.reshape(this, shape);
  }
  /** See {@linkcode Ops.flatten}. */
  flatten(options?: FlattenOptions): Tensor {
    return ops.flatten(this, options);
  }
  /** See {@linkcode Ops.squeeze}. */
  squeeze(dim?: Dims | null): Tensor {
    return ops.squeeze(this, dim);
  }
  /** See {@linkcode Ops.unsqueeze}. */
  unsqueeze(dim: number): Tensor {
    return ops.unsqueeze(this, dim);
  }
  /** See {@linkcode Ops.permute}. */
  permute(dims: readonly number[]): Tensor {
    return ops.permute(this, dims);
  }
  /** See {@linkcode Ops.transpose}. */
  transpose(dim0: number, dim1: number): Tensor {
    return ops.transpose(this, dim0, dim1);
  }
  /** See {@linkcode Ops.t}. */
  t(): Tensor {
    return ops.t(this);
  }
  /** See {@linkcode Ops.broadcastTo}. */
  broadcastTo(shape: Shape): Tensor {
    return ops.broadcastTo(this, shape);
  }
  /** See {@linkcode Ops.expand}. */
  expand(shape: Shape): Tensor {
    return ops.expand(this, shape);
  }
  /** See {@linkcode Ops.repeat}. */
  repeat(sizes: readonly number[]): Tensor {
    return ops.repeat(this, sizes);
  }
  /** See {@linkcode Ops.tile}. */
  tile(sizes: readonly number[]): Tensor {
    return ops.tile(this, sizes);
  }
  /** See {@linkcode Ops.narrow}. */
  narrow(dim: number, start: number | Tensor, length: number): Tensor {
    return ops.narrow(this, dim, start, length);
  }
  /** See {@linkcode Ops.select}. */
  select(dim: number, index: number): Tensor {
    return ops.select(this, dim, index);
  }
  /** See {@linkcode Ops.flip}. */
  flip(dims: number | readonly number[]): Tensor {
    return ops.flip(this, dims);
  }
  /** See {@linkcode Ops.roll}. */
  roll(shifts: number | readonly number[], dims?: number | readonly number[] | null): Tensor {
    return ops.roll(this, shifts, dims);
  }
  /** See {@linkcode Ops.diagonal}. */
  diagonal(options?: DiagonalOptions): Tensor {
    return ops.diagonal(this, options);
  }
  /** See {@linkcode Ops.unfold}. */
  unfold(dim: number, size: number, step: number): Tensor {
    return ops.unfold(this, dim, size, step);
  }
  /** See {@linkcode Ops.split}. */
  split(sizeOrSizes: number | readonly number[], options?: DimOptions): Tensor[] {
    return ops.split(this, sizeOrSizes, options);
  }
  /** See {@linkcode Ops.chunk}. */
  chunk(chunks: number, options?: DimOptions): Tensor[] {
    return ops.chunk(this, chunks, options);
  }
  /** See {@linkcode Ops.unbind}. */
  unbind(options?: DimOptions): Tensor[] {
    return ops.unbind(this, options);
  }
  /** See {@linkcode Ops.gather}. */
  gather(dim: number, index: Index): Tensor {
    return ops.gather(this, dim, index);
  }
  /** See {@linkcode Ops.scatterAdd}. */
  scatterAdd(dim: number, index: Index, src: Tensor): Tensor {
    return ops.scatterAdd(this, dim, index, src);
  }
  /** See {@linkcode Ops.indexSelect}. */
  indexSelect(dim: number, index: Index): Tensor {
    return ops.indexSelect(this, dim, index);
  }
  /** See {@linkcode Ops.tril}. */
  tril(k?: number): Tensor {
    return ops.tril(this, k);
  }
  /** See {@linkcode Ops.triu}. */
  triu(k?: number): Tensor {
    return ops.triu(this, k);
  }

  // Matrix products.

  /** See {@linkcode Ops.matmul}. */
  matmul(y: Tensor): Tensor {
    return ops.matmul(this, y);
  }
  /** See {@linkcode Ops.mm}. */
  mm(y: Tensor): Tensor {
    return ops.mm(this, y);
  }
  /** See {@linkcode Ops.bmm}. */
  bmm(y: Tensor): Tensor {
    return ops.bmm(this, y);
  }
  /** See {@linkcode Ops.mv}. */
  mv(y: Tensor): Tensor {
    return ops.mv(this, y);
  }
  /** See {@linkcode Ops.dot}. */
  dot(y: Tensor): Tensor {
    return ops.dot(this, y);
  }
  /** See {@linkcode Ops.outer}. */
  outer(y: Tensor): Tensor {
    return ops.outer(this, y);
  }
  /** See {@linkcode Ops.addmm}. */
  addmm(a: Tensor, b: Tensor, options?: AddmmOptions): Tensor {
    return ops.addmm(this, a, b, options);
  }
}

/** Checks that a user's shape and a tensor's agree; used where two tensors must match exactly. */
export function assertSameShape(action: string, got: Shape, expected: Shape, name: string): void {
  if (!sameShape(got, expected)) {
    throw new RangeError(
      `Cannot ${action}: got ${name} of shape ${formatShape(got)}, expected ` +
        formatShape(expected),
    );
  }
}
