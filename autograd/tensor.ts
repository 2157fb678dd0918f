/**
 * The tensor: a shape over float64 values, and its place on the tape.
 *
 * @module
 */
import { describe, kindOf } from "./check/describe.ts";
import { assertFunction } from "./check/arguments.ts";
import { heapValues, release, type Storage, valuesToEdit } from "./runtime/memory.ts";
import { nest, type NestedArray, print } from "./print.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "./shape.ts";
import { warnOnce } from "./warnings.ts";
import type { TensorMethods } from "./methods.ts";
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
export class Tensor {
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
  private retainsGrad = false;
  private onTape = false;
  /** The other views of these values; `null` while there are none. */
  private family: Family | null = null;
  /** Up to which recorded edit of the family the place on the tape is right. */
  private edits = 0;

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
   *
   * The array is the caller's to keep, so a large tensor's values move out of the kernels' memory, and
   * kernels on it may be slower from then on (an addition by half).
   */
  get data(): Float64Array {
    return heapValues(this.storage);
  }

  /**
   * The accumulated gradient of a leaf, `null` before the first backward. Other tensors have one after
   * {@linkcode retainGrad}.
   *
   * @throws {TypeError} if it is set to something other than a tensor or `null`.
   * @throws {RangeError} if it is set to a tensor of another shape, or to the tensor itself.
   */
  get grad(): Tensor | null {
    this.gradUnread = false;
    if (this.heldGrad === null && this.node !== null && !this.retainsGrad) {
      const { primitive } = this.node;
      warnOnce(
        primitive,
        "grad-of-non-leaf",
        `${primitive.name}() made a tensor whose grad was read, but backward fills the grad of ` +
          `leaves alone; call retainGrad() on the tensor before backward.`,
      );
    }
    return this.heldGrad;
  }

  set grad(grad: Tensor | null) {
    if (grad !== null && grad !== undefined) assertGradient(this, grad);
    if (this.gradUnread && grad !== this.heldGrad) release(this.heldGrad!.storage);
    this.gradUnread = false;
    this.heldGrad = grad ?? null;
  }

  /** Whether gradients flow into or through this tensor. */
  get requiresGrad(): boolean {
    return current(this).onTape;
  }

  /** Whether no recorded operation made it. */
  get isLeaf(): boolean {
    return current(this).node === null;
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
   * The value of a tensor of one element, in `Number(x)`, in arithmetic and in comparisons; in a template
   * literal the text of `toString()`.
   *
   * @throws {RangeError} as a number if it has another number of elements.
   */
  [Symbol.toPrimitive](hint: string): number | string {
    return hint === "string" ? this.toString() : this.item();
  }

  /**
   * What `JSON.stringify` writes: an object that {@linkcode tensor} takes back, every number exact, NaN
   * and infinities by their names.
   *
   * @throws {RangeError} if it has more than 100,000 elements: such belong into a file of their own,
   * by `saveSafetensors`.
   */
  toJSON(): TensorJson {
    if (this.size > MOST_JSON) {
      throw new RangeError(
        `Cannot write a tensor as JSON: got ${this.size} elements, expected at most ${MOST_JSON}; ` +
          `save it with saveSafetensors`,
      );
    }
    const data = Array.from(
      this.storage.values,
      (value) =>
        Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : Object.is(value, -0)
          ? "-0"
          : String(value),
    );
    return { shape: [...this.shape], data, requiresGrad: this.requiresGrad && this.isLeaf };
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
    if (typeof on !== "boolean") {
      throw new TypeError(`Cannot set requiresGrad: got ${describe(on)}, expected a boolean`);
    }
    const { node } = current(this);
    if (node !== null && !on) {
      throw new Error(
        "Cannot turn off requiresGrad: got a tensor that an operation made, expected a leaf; " +
          "use detach()",
      );
    }
    this.onTape = on || node !== null;
    return this;
  }

  /**
   * Makes backward fill `grad` although an operation made this tensor. A leaf's is filled anyway.
   *
   * @throws {Error} if the tensor does not require grad.
   */
  retainGrad(): void {
    if (this.isLeaf || this.retainsGrad) {
      if (this.requiresGrad) return;
      throw new Error(
        "Cannot retain the grad: got a tensor that does not require grad, expected one that does",
      );
    }
    this.registerHook((grad) => {
      this.grad = this.heldGrad === null ? grad.detach().clone() : this.heldGrad.add(grad.detach());
    });
    this.retainsGrad = true;
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
    assertFunction("register a hook", hook, "hook");
    if (!this.requiresGrad) {
      throw new Error(
        "Cannot register a hook: got a tensor that does not require grad, expected one that does",
      );
    }
    let hooks: Set<GradHook>;
    const { node, slot } = current(this);
    if (node === null) {
      hooks = this.leafHooks ??= new Set();
    } else {
      const bySlot = node.hooks ??= new Map();
      hooks = bySlot.get(slot) ?? new Set();
      bySlot.set(slot, hooks);
    }
    const entry: GradHook = (grad) => hook(grad);
    hooks.add(entry);
    return { remove: () => void hooks.delete(entry) };
  }
}

/** The methods that are operations. */
export interface Tensor extends TensorMethods {}

/** What the class itself calls of what makes tensors. */
interface Operations {
  /** The reverse pass. */
  backward(root: Tensor, gradient: Tensor | null, options: BackwardOptions): void;
  /** What `copy_` does. */
  copyInto(target: Tensor, source: Tensor | number): Tensor;
  /** A view, on the tape whatever the grad mode is. */
  viewOf(x: Tensor, shape: Shape): Tensor;
}

let operations: Operations;

/** Gives tensors the operations as methods; `autograd/mod.ts` calls it once, when all are loaded. */
export function tieMethods(methods: TensorMethods, tied: Operations): void {
  Object.setPrototypeOf(Tensor.prototype, methods);
  operations = tied;
}

/** A tensor as JSON has it. */
export interface TensorJson {
  /** The sizes of the axes. */
  readonly shape: readonly number[];
  /** The values, row-major; "NaN", "Infinity", "-Infinity" and "-0" where JSON has no number. */
  readonly data: readonly (number | string)[];
  /** Whether it is a leaf that collects gradients. */
  readonly requiresGrad: boolean;
}

const MOST_JSON = 100_000;

/**
 * Tensors over the same values. An edit of one that is recorded changes what all of them depend on: each
 * finds its new place on the tape when it is next asked for.
 */
interface Family {
  /** The tensor that the others are views of. */
  readonly base: Tensor;
  /** The one that was edited last. */
  latest: Tensor | null;
  /** How many recorded edits there have been. */
  edits: number;
}

/** The parts of a tensor that only the engine sees. */
interface Internals {
  family: Family | null;
  edits: number;
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

/** The internals, with the place on the tape that is right after all edits of the family. */
function current(x: Tensor): Internals {
  const tensor = internals(x);
  const { family } = tensor;
  if (family === null || family.edits === tensor.edits) return tensor;
  tensor.edits = family.edits;
  const latest = family.latest!;
  const view = internals(operations.viewOf(latest, x.shape));
  tensor.node = view.node;
  tensor.slot = view.slot;
  tensor.onTape = view.onTape;
  return tensor;
}

/** A view: the same values under another shape, following the edits of the tensor it was made from. */
export function aliasOf(x: Tensor, shape: Shape): Tensor {
  const tensor = internals(x);
  const family = tensor.family ??= { base: x, latest: null, edits: 0 };
  const view = new Tensor(tensor.storage, shape);
  internals(view).family = family;
  internals(view).edits = family.edits;
  return view;
}

/** The tensor that a view was made from, or the tensor itself. */
export function baseOf(x: Tensor): Tensor {
  return internals(x).family?.base ?? x;
}

/** Puts an edited tensor, and by it its family, on the tape. */
export function reattach(x: Tensor, node: Node, slot: number): void {
  attach(x, node, slot);
  const tensor = internals(x);
  if (tensor.family === null) return;
  tensor.family.latest = x;
  tensor.edits = ++tensor.family.edits;
}

function assertGradient(x: Tensor, grad: unknown): void {
  if (!(grad instanceof Tensor)) {
    const copy = typeof grad === "object" && kindOf(grad as object) === "Tensor";
    throw new TypeError(
      `Cannot set grad: got ${describe(grad)}${copy ? " of another copy of the library" : ""}, ` +
        `expected a Tensor or null`,
    );
  }
  if (grad === x || !sameShape(grad.shape, x.shape)) {
    throw new RangeError(
      `Cannot set grad: got ${
        grad === x ? "the tensor itself" : `shape ${formatShape(grad.shape)}`
      }, ` +
        `expected another tensor of shape ${formatShape(x.shape)}`,
    );
  }
}

/** The memory behind a tensor, shared with its aliases. */
export function storageOf(x: Tensor): Storage {
  return internals(x).storage;
}

/** The values that kernels work on. */
export function valuesOf(x: Tensor): Float64Array {
  return internals(x).storage.values;
}

/** The values of an operand that may be absent. */
export function valuesOrNull(x: Tensor | null): Float64Array | null {
  return x === null ? null : valuesOf(x);
}

/** Edits the values beside the tape and counts the edit; besides this only `copy_` counts one. */
export function write(x: Tensor, fill: (values: Float64Array) => void, editedBy?: string): void {
  const storage = storageOf(x);
  fill(valuesToEdit(storage));
  storage.version++;
  if (storage.editedBy !== editedBy) storage.editedBy = editedBy;
  if (editWatcher !== null) editWatcher(storage, editedBy);
}

/** Sees each edit in place after it was made: its memory, and who says that it made it. */
export type EditWatcher = (storage: Storage, editedBy: string | undefined) => void;

let editWatcher: EditWatcher | null = null;

/** Sets the watcher of edits and returns the previous one. */
export function watchEdits(next: EditWatcher | null): EditWatcher | null {
  const before = editWatcher;
  editWatcher = next;
  return before;
}

/** Puts other memory and another shape behind a tensor that nothing has been computed from. */
export function replaceValues(x: Tensor, storage: Storage, shape: Shape): void {
  Object.assign(x, { storage, shape });
}

/** The call that made a tensor; `null` for a leaf. */
export function nodeOf(x: Tensor): Node | null {
  return current(x).node;
}

/** Which output of its node a tensor is. */
export function slotOf(x: Tensor): number {
  return current(x).slot;
}

/** Puts a tensor on the tape as output `slot` of `node`. */
export function attach(x: Tensor, node: Node, slot: number): void {
  const tensor = internals(x);
  tensor.node = node;
  tensor.slot = slot;
  tensor.onTape = true;
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
