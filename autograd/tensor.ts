/**
 * The tensor: a shape over float64 values, and its place on the tape.
 *
 * @module
 */
import { operations, TensorMethods } from "./methods.ts";
import { heapValues, release, type Storage } from "./runtime/memory.ts";
import { nest, type NestedArray, print } from "./print.ts";
import { formatShape, type Shape, sizeOf } from "./shape.ts";
import type { GradHook, Node } from "./tape/tape.ts";
import type { BackwardOptions } from "./reverse/backward.ts";

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
export class Tensor extends TensorMethods {
  /** The sizes of the axes. */
  readonly shape: Shape;
  // Private to TypeScript alone: the accessors below the class are the engine's way in.
  private storage: Storage;
  /** The call that made this tensor; `null` for a leaf. */
  private node: Node | null = null;
  /** Which output of its node this is. */
  private slot = 0;
  /** Hooks of a leaf; those of other tensors live at their node. */
  private leafHooks: Set<GradHook> | null = null;
  private heldGrad: Tensor | null = null;
  /** Whether nobody has read the gradient: its values are this tensor's alone. */
  private gradUnread = false;
  private onTape = false;

  /** @internal Users call `tensor()`. */
  constructor(storage: Storage, shape: Shape) {
    super();
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
    this.gradUnread = false;
    return this.heldGrad;
  }

  set grad(grad: Tensor | null) {
    if (this.gradUnread && grad !== this.heldGrad) release(this.heldGrad!.storage);
    this.gradUnread = false;
    this.heldGrad = grad;
  }

  /** Whether gradients flow into or through this tensor. */
  get requiresGrad(): boolean {
    return this.onTape;
  }

  /** Whether no recorded operation made it. */
  get isLeaf(): boolean {
    return this.node === null;
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
  override toString(): string {
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
    operations.backward(this, gradient, options);
  }

  /** The same values off the tape; later edits of one are edits of the other. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape);
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
    this.onTape = on || this.node !== null;
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
    return operations.copyInto(this, source) as this;
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
}

/** The parts of a tensor that only the engine sees. */
interface Internals {
  storage: Storage;
  node: Node | null;
  slot: number;
  leafHooks: Set<GradHook> | null;
  heldGrad: Tensor | null;
  gradUnread: boolean;
  onTape: boolean;
}

function internals(x: Tensor): Internals {
  return x as unknown as Internals;
}

/** The memory behind a tensor, shared with its aliases. */
export function storageOf(x: Tensor): Storage {
  return internals(x).storage;
}

/** The values that kernels work on. */
export function valuesOf(x: Tensor): Float64Array {
  return internals(x).storage.values;
}

/** Edits the values beside the tape and counts the edit; besides this only `copy_` counts one. */
export function write(x: Tensor, fill: (values: Float64Array) => void): void {
  fill(valuesOf(x));
  storageOf(x).version++;
}

/** Puts other memory and another shape behind a tensor that nothing has been computed from. */
export function replaceValues(x: Tensor, storage: Storage, shape: Shape): void {
  Object.assign(x, { storage, shape });
}

/** The call that made a tensor; `null` for a leaf. */
export function nodeOf(x: Tensor): Node | null {
  return internals(x).node;
}

/** Which output of its node a tensor is. */
export function slotOf(x: Tensor): number {
  return internals(x).slot;
}

/** Puts a tensor on the tape as output `slot` of `node`. */
export function attach(x: Tensor, node: Node, slot: number): void {
  const tensor = internals(x);
  tensor.node = node;
  tensor.slot = slot;
  tensor.onTape = true;
}

/** Takes a tensor off the tape: its values no longer depend on anything recorded. */
export function drop(x: Tensor): void {
  const tensor = internals(x);
  tensor.node = null;
  tensor.slot = 0;
  tensor.onTape = false;
}

/** The hooks of a leaf. */
export function leafHooksOf(x: Tensor): ReadonlySet<GradHook> | null {
  return internals(x).leafHooks;
}

/** The gradient, for a caller that lets nobody keep it: this does not count as read. */
export function heldGradOf(x: Tensor): Tensor | null {
  return internals(x).heldGrad;
}

/** Gives a leaf a gradient whose values nobody else can see: its memory is reused once it is cleared. */
export function takeGrad(x: Tensor, grad: Tensor): void {
  x.grad = grad;
  internals(x).gradUnread = true;
}
