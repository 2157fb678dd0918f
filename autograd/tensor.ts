/**
 * The tensor: a shape over float64 values, and its place on the tape.
 *
 * @module
 */
import { heapValues, release, type Storage } from "./runtime/memory.ts";
import { nest, type NestedArray, print } from "./print.ts";
import { type Dims, formatShape, type Shape, sizeOf } from "./shape.ts";
import type { GradHook, Node } from "./tape/tape.ts";
import type * as Ops from "./ops/mod.ts";
import type { Index } from "./ops/shape/index.ts";
import type { DimOptions } from "./ops/shape/join.ts";
import type { AddmmOptions } from "./ops/matmul/products.ts";
import type { RoundingMode } from "./ops/elementwise/arithmetic.ts";
import type { ClampOptions } from "./ops/elementwise/bounds.ts";
import type {
  AlongDimOptions,
  ExtremumOptions,
  MaxArgument,
  ValuesAndIndices,
} from "./ops/reduce/extremum.ts";
import type { MomentOptions } from "./ops/reduce/moments.ts";
import type { NormOptions } from "./ops/reduce/norm.ts";
import type { ReduceOptions } from "./ops/reduce/reduce.ts";
import type { FlattenOptions } from "./ops/shape/shape.ts";
import type { DiagonalOptions } from "./ops/shape/view.ts";
import type { BackwardOptions } from "./reverse/backward.ts";

/** What `Tensor`'s methods call. The functions make Tensors themselves, so they are tied in later. */
export type Methods = typeof Ops & {
  /** What `copy_` does. */
  copyInto(target: Tensor, source: Tensor | number): Tensor;
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
  #grad: Tensor | null = null;
  /** Whether nobody has read the gradient: its values are this tensor's alone. */
  #gradUnread = false;
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

  /** The accumulated gradient of a leaf, `null` before the first backward. */
  get grad(): Tensor | null {
    this.#gradUnread = false;
    return this.#grad;
  }

  set grad(grad: Tensor | null) {
    if (this.#gradUnread && grad !== this.#grad) release(this.#grad!.storage);
    this.#gradUnread = false;
    this.#grad = grad;
  }

  /** @internal The gradient, for a caller that lets nobody keep it: this does not count as read. */
  get heldGrad(): Tensor | null {
    return this.#grad;
  }

  /** @internal Takes a gradient whose values nobody else can see: they go back when it is cleared. */
  takeGrad(grad: Tensor): void {
    this.grad = grad;
    this.#gradUnread = true;
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

  /**
   * As a number, in `Number(x)` and in arithmetic, the value of a tensor of one element; else the text
   * of `toString()`.
   *
   * @throws {RangeError} as a number if it has another number of elements.
   */
  [Symbol.toPrimitive](hint: string): number | string {
    return hint === "number" ? this.item() : this.toString();
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

  // Arithmetic.

  /** See {@linkcode Ops.add}. */
  add(y: Tensor | number, options?: { readonly alpha?: number }): Tensor {
    return ops.add(this, y, options);
  }
  /** See {@linkcode Ops.sub}. */
  sub(y: Tensor | number, options?: { readonly alpha?: number }): Tensor {
    return ops.sub(this, y, options);
  }
  /** See {@linkcode Ops.mul}. */
  mul(y: Tensor | number): Tensor {
    return ops.mul(this, y);
  }
  /** See {@linkcode Ops.div}. */
  div(y: Tensor | number, options?: { readonly roundingMode?: RoundingMode | null }): Tensor {
    return ops.div(this, y, options);
  }
  /** See {@linkcode Ops.pow}. */
  pow(y: Tensor | number): Tensor {
    return ops.pow(this, y);
  }
  /** See {@linkcode Ops.neg}. */
  neg(): Tensor {
    return ops.neg(this);
  }

  // Elementwise.

  /** See {@linkcode Ops.abs}. */
  abs(): Tensor {
    return ops.abs(this);
  }
  /** See {@linkcode Ops.sign}. */
  sign(): Tensor {
    return ops.sign(this);
  }
  /** See {@linkcode Ops.exp}. */
  exp(): Tensor {
    return ops.exp(this);
  }
  /** See {@linkcode Ops.expm1}. */
  expm1(): Tensor {
    return ops.expm1(this);
  }
  /** See {@linkcode Ops.log}. */
  log(): Tensor {
    return ops.log(this);
  }
  /** See {@linkcode Ops.log1p}. */
  log1p(): Tensor {
    return ops.log1p(this);
  }
  /** See {@linkcode Ops.sqrt}. */
  sqrt(): Tensor {
    return ops.sqrt(this);
  }
  /** See {@linkcode Ops.rsqrt}. */
  rsqrt(): Tensor {
    return ops.rsqrt(this);
  }
  /** See {@linkcode Ops.square}. */
  square(): Tensor {
    return ops.square(this);
  }
  /** See {@linkcode Ops.reciprocal}. */
  reciprocal(): Tensor {
    return ops.reciprocal(this);
  }
  /** See {@linkcode Ops.sin}. */
  sin(): Tensor {
    return ops.sin(this);
  }
  /** See {@linkcode Ops.cos}. */
  cos(): Tensor {
    return ops.cos(this);
  }
  /** See {@linkcode Ops.tanh}. */
  tanh(): Tensor {
    return ops.tanh(this);
  }
  /** See {@linkcode Ops.sigmoid}. */
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }
  /** See {@linkcode Ops.erf}. */
  erf(): Tensor {
    return ops.erf(this);
  }
  /** See {@linkcode Ops.relu}. */
  relu(): Tensor {
    return ops.relu(this);
  }
  /** See {@linkcode Ops.prelu}. */
  prelu(weight: Tensor): Tensor {
    return ops.prelu(this, weight);
  }
  /** See {@linkcode Ops.softmax}. */
  softmax(dim: number): Tensor {
    return ops.softmax(this, dim);
  }
  /** See {@linkcode Ops.logSoftmax}. */
  logSoftmax(dim: number): Tensor {
    return ops.logSoftmax(this, dim);
  }

  // Bounds, comparisons and choices.

  /** See {@linkcode Ops.clamp}. */
  clamp(options: ClampOptions): Tensor {
    return ops.clamp(this, options);
  }
  /** See {@linkcode Ops.clampMin}. */
  clampMin(min: Tensor): Tensor {
    return ops.clampMin(this, min);
  }
  /** See {@linkcode Ops.clampMax}. */
  clampMax(max: Tensor): Tensor {
    return ops.clampMax(this, max);
  }
  /** See {@linkcode Ops.maximum}. */
  maximum(y: Tensor): Tensor {
    return ops.maximum(this, y);
  }
  /** See {@linkcode Ops.minimum}. */
  minimum(y: Tensor): Tensor {
    return ops.minimum(this, y);
  }
  /** See {@linkcode Ops.eq}. */
  eq(y: Tensor | number): Tensor {
    return ops.eq(this, y);
  }
  /** See {@linkcode Ops.ne}. */
  ne(y: Tensor | number): Tensor {
    return ops.ne(this, y);
  }
  /** See {@linkcode Ops.lt}. */
  lt(y: Tensor | number): Tensor {
    return ops.lt(this, y);
  }
  /** See {@linkcode Ops.le}. */
  le(y: Tensor | number): Tensor {
    return ops.le(this, y);
  }
  /** See {@linkcode Ops.gt}. */
  gt(y: Tensor | number): Tensor {
    return ops.gt(this, y);
  }
  /** See {@linkcode Ops.ge}. */
  ge(y: Tensor | number): Tensor {
    return ops.ge(this, y);
  }
  /** This where the condition is not 0, y elsewhere: `where(condition, this, y)`. */
  where(condition: Tensor, y: Tensor | number): Tensor {
    return ops.where(condition, this, y);
  }
  /** See {@linkcode Ops.maskedFill}. */
  maskedFill(mask: Tensor, value: Tensor | number): Tensor {
    return ops.maskedFill(this, mask, value);
  }

  // Reductions.

  /** See {@linkcode Ops.sum}. */
  sum(options?: ReduceOptions): Tensor {
    return ops.sum(this, options);
  }
  /** See {@linkcode Ops.mean}. */
  mean(options?: ReduceOptions): Tensor {
    return ops.mean(this, options);
  }
  /** See {@linkcode Ops.prod}. */
  prod(options?: ReduceOptions): Tensor {
    return ops.prod(this, options);
  }
  /** See {@linkcode Ops.variance}. */
  var(options?: MomentOptions): Tensor {
    return ops.variance(this, options);
  }
  /** See {@linkcode Ops.std}. */
  std(options?: MomentOptions): Tensor {
    return ops.std(this, options);
  }
  /** See {@linkcode Ops.amax}. */
  amax(options?: ReduceOptions): Tensor {
    return ops.amax(this, options);
  }
  /** See {@linkcode Ops.amin}. */
  amin(options?: ReduceOptions): Tensor {
    return ops.amin(this, options);
  }
  /** See {@linkcode Ops.argmax}. */
  argmax(options?: ExtremumOptions): Tensor {
    return ops.argmax(this, options);
  }
  /** See {@linkcode Ops.argmin}. */
  argmin(options?: ExtremumOptions): Tensor {
    return ops.argmin(this, options);
  }
  /** See {@linkcode Ops.max}: along a dim. */
  max(options: AlongDimOptions): ValuesAndIndices;
  /** The largest of all elements. */
  max(options?: { readonly dim?: null }): Tensor;
  /** The larger of two tensors, element by element. */
  max(y: Tensor): Tensor;
  max(argument?: MaxArgument): Tensor | ValuesAndIndices {
    return ops.max(this, argument);
  }
  /** See {@linkcode Ops.min}: along a dim. */
  min(options: AlongDimOptions): ValuesAndIndices;
  /** The smallest of all elements. */
  min(options?: { readonly dim?: null }): Tensor;
  /** The smaller of two tensors, element by element. */
  min(y: Tensor): Tensor;
  min(argument?: MaxArgument): Tensor | ValuesAndIndices {
    return ops.min(this, argument);
  }
  /** See {@linkcode Ops.logsumexp}. */
  logsumexp(options?: ReduceOptions): Tensor {
    return ops.logsumexp(this, options);
  }
  /** See {@linkcode Ops.norm}. */
  norm(options?: NormOptions): Tensor {
    return ops.norm(this, options);
  }
  /** See {@linkcode Ops.cumsum}. */
  cumsum(dim: number): Tensor {
    return ops.cumsum(this, dim);
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

/**
 * @internal Edits values past the tape and counts the edit, so that a backward that saved them throws.
 * This and `copy_` are the only places that count one.
 */
export function write(x: Tensor, fill: (values: Float64Array) => void): void {
  fill(x.storage.values);
  x.storage.version++;
}
