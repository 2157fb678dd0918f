/**
 * The tape: what a forward pass leaves behind so that a backward pass can differentiate it. Calls of
 * primitives are recorded here; reverse/pass.ts walks them from the last to the first.
 *
 * @module
 */
import { describe } from "../check/describe.ts";
import { callSynchronously } from "../check/arguments.ts";
import {
  allocateUninitialised,
  defer,
  deferredFrom,
  isPooled,
  noteFreed,
  noteSaved,
  settle,
  type Storage,
} from "../runtime/memory.ts";
import type { AnyPrimitive, Input, Primitive, ShapesOf, VjpContext } from "./primitive.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { aliasOf, attach, nodeOf, slotOf, storageOf, Tensor } from "../tensor.ts";

let gradEnabled = true;
let nodeCount = 0;

/** What a reverse pass that is under way knows of a recorded call. */
export class Visit {
  /** The cotangents that have arrived so far, by output; `null` before the first. */
  arrived: (Tensor | null)[] | null = null;
  /** Whether the caller asked for the cotangents of its outputs. */
  isWanted = false;
  /** Whether a path leads from here to a place that the caller asked for. */
  isNeeded = false;

  readonly pass: object;
  /** The visit of a pass that is waiting: a rule or a hook has begun another one. */
  readonly outer: Visit | null;

  constructor(pass: object, outer: Visit | null) {
    this.pass = pass;
    this.outer = outer;
  }
}

/** One recorded call of a primitive. It holds its parents and what the rule saved, but not its inputs. */
export class Node implements VjpContext {
  /** Counts up over all nodes: a consumer's number is above those of its parents. */
  readonly id: number = nodeCount++;
  /** The call site, kept only while anomalies are looked for. */
  callSite: string | null = null;
  /** Hooks on the outputs' cotangents, by output. */
  hooks: Map<number, Set<GradHook>> | null = null;
  /** Set once a backward pass has released what was saved. */
  freed = false;
  /** The visit of the reverse pass that is under way. */
  visit: Visit | null = null;
  #saved: readonly Input[];
  readonly #versions: readonly number[];

  readonly primitive: AnyPrimitive;
  readonly attrs: unknown;
  readonly inputShapes: readonly (Shape | null)[];
  readonly outputShapes: readonly Shape[];
  readonly needs: readonly boolean[];
  /** For each input the node that made it, the leaf that it is, or `null` if it needs nothing. */
  readonly parents: readonly (Node | Tensor | null)[];
  /** Which output of its node each input is; `null` if each is the first. */
  readonly slots: readonly number[] | null;

  constructor(
    primitive: AnyPrimitive,
    attrs: unknown,
    inputShapes: readonly (Shape | null)[],
    outputShapes: readonly Shape[],
    needs: readonly boolean[],
    parents: readonly (Node | Tensor | null)[],
    slots: readonly number[] | null,
    saved: readonly Input[],
  ) {
    this.primitive = primitive;
    this.attrs = attrs;
    this.inputShapes = inputShapes;
    this.outputShapes = outputShapes;
    this.needs = needs;
    this.parents = parents;
    this.slots = slots;
    this.#saved = saved;
    this.#versions = saved.length === 0 ? NO_VERSIONS : saved.map(versionOf);
    for (const tensor of saved) if (tensor !== null) noteSaved(storageOf(tensor));
  }

  /** What the rule saved, after checking that nobody has edited it since. */
  get saved(): readonly Input[] {
    if (this.freed) {
      throw new Error(
        `Cannot run backward through ${this.primitive.name} a second time: its saved tensors were ` +
          `freed, expected retainGraph: true in the first pass`,
      );
    }
    for (let i = 0; i < this.#saved.length; i++) {
      const version = versionOf(this.#saved[i]);
      if (version !== this.#versions[i]) {
        throw new Error(
          `Cannot run backward of ${this.primitive.name}: a tensor of shape ` +
            `[${this.#saved[i]!.shape.join(", ")}] that it saved was edited in place, got ` +
            `version ${version}, expected version ${this.#versions[i]}; ${remedy(this.#saved[i]!)}`,
        );
      }
    }
    return this.#saved;
  }

  /** Drops what was saved; a rule that saved nothing can be run again. */
  free(): void {
    if (this.#saved.length === 0) return;
    this.freed = true;
    for (const tensor of this.#saved) if (tensor !== null) noteFreed(storageOf(tensor));
    this.#saved = NOTHING;
  }
}

/** Sees the cotangent of a tensor and may return another one in its place. */
export type GradHook = (grad: Tensor) => Tensor | void;

/** Inspects each call after its outputs are computed, while anomalies are searched for. */
export interface Inspector {
  /** Called after each forward; `node` is `null` if the call was not recorded. */
  forward(
    primitive: AnyPrimitive,
    inputs: readonly Input[],
    outputs: readonly Tensor[],
    node: Node | null,
    attrs: unknown,
  ): void;
  /** Called after each vjp. */
  backward(node: Node, cotangents: readonly Input[]): void;
}

let inspector: Inspector | null = null;

/** Sets the inspector and returns the previous one. */
export function setInspector(next: Inspector | null): Inspector | null {
  const before = inspector;
  inspector = next;
  return before;
}

/** Whether somebody sees each call. */
export function isInspected(): boolean {
  return inspector !== null;
}

let watcher: ((storage: Storage) => void) | null = null;

/** Reports the pooled storages that `bind` allocates, so that the caller can release them; returns the previous watcher. */
export function watchAllocations(
  next: ((storage: Storage) => void) | null,
): ((storage: Storage) => void) | null {
  const before = watcher;
  watcher = next;
  return before;
}

const NOTHING: readonly Input[] = [];
const NO_VERSIONS: readonly number[] = [];

function remedy(edited: Tensor): string {
  const { editedBy } = storageOf(edited);
  return editedBy === undefined
    ? "clone it before the edit"
    : `${editedBy} edited it: run backward before that, or the forward again after it`;
}

function versionOf(tensor: Input): number {
  return tensor === null ? 0 : storageOf(tensor).version;
}

/**
 * Runs a primitive: applies its shape rule, allocates the outputs, fills them, and records the call if
 * an input requires grad and grad mode is on.
 *
 * @param primitive The record, from `definePrimitive`.
 * @param inputs Its tensors; `null` where an optional one is absent.
 * @param attrs Its constants.
 * @returns Its outputs.
 */
export function bind<
  Inputs extends readonly Input[],
  Outputs extends readonly Tensor[],
  Saved extends readonly Input[],
  Attrs,
>(
  primitive: Primitive<Inputs, Outputs, Saved, Attrs>,
  inputs: Inputs,
  attrs: Attrs,
): Outputs {
  if (typeof primitive?.shape !== "function" || !Array.isArray(inputs)) refuse(primitive, inputs);
  const count = inputs.length;
  const inputShapes = new Array<Shape | null>(count);
  let tracked = false;
  for (let i = 0; i < count; i++) {
    const input: Input = inputs[i];
    const shape = input === null ? null : input?.shape;
    if (shape === undefined) refuse(primitive, inputs);
    inputShapes[i] = shape;
    tracked ||= input !== null && input.requiresGrad;
  }
  const shapes = primitive.shape(
    inputShapes as ShapesOf<Inputs>,
    attrs,
  ) as unknown as readonly Shape[];
  const outputs = new Array<Tensor>(shapes.length);
  if (primitive.alias === true) {
    outputs[0] = aliasOf(inputs[0]!, shapes[0]);
  } else {
    const size = shapes.length === 0 ? 0 : sizeOf(shapes[0]);
    if (
      size < deferredFrom || primitive.elementwise === undefined ||
      !defersTo(outputs, primitive, inputs, shapes[0], attrs)
    ) {
      // A kernel takes the values of several tensors, and they must not move while others are computed.
      if (size >= deferredFrom) { for (const x of inputs) if (x !== null) settle(storageOf(x)); }
      for (let i = 0; i < shapes.length; i++) {
        const storage = allocateUninitialised(i === 0 ? size : sizeOf(shapes[i]));
        if (watcher !== null && isPooled(storage)) watcher(storage);
        outputs[i] = new Tensor(storage, shapes[i]);
      }
      primitive.forward(inputs, outputs as unknown as Outputs, attrs);
    }
  }
  const node = tracked && gradEnabled && primitive.vjp !== undefined
    ? record(primitive, inputs, outputs, inputShapes, shapes, attrs)
    : null;
  if (inspector !== null) inspector.forward(primitive, inputs, outputs, node, attrs);
  return outputs as unknown as Outputs;
}

/**
 * Makes the output of an elementwise primitive, to be computed when somebody reads it; `false` where it has
 * to be computed at once, for one who gives memory back at once.
 */
function defersTo<Attrs>(
  outputs: Tensor[],
  primitive: Primitive<readonly Input[], readonly Tensor[], readonly Input[], Attrs>,
  inputs: readonly Input[],
  shape: Shape,
  attrs: Attrs,
): boolean {
  if (watcher !== null) return false;
  const size = sizeOf(shape);
  const storages = new Array<Storage>(inputs.length);
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!;
    if (input.size !== size && input.size !== 1) return false;
    storages[i] = storageOf(input);
  }
  const storage = defer(primitive.elementwise!(attrs), storages, size);
  if (storage === null) return false;
  outputs[0] = new Tensor(storage, shape);
  return true;
}

/** Says what is wrong with the arguments of `bind`. */
function refuse(primitive: AnyPrimitive, inputs: unknown): never {
  if (typeof primitive?.shape !== "function") {
    throw new TypeError(
      `Cannot run a primitive: got ${describe(primitive)}, expected a record from definePrimitive`,
    );
  }
  const wrong = Array.isArray(inputs)
    ? inputs.find((input) => input !== null && !(input instanceof Tensor))
    : inputs;
  throw new TypeError(
    `Cannot run ${primitive.name}: got ${describe(wrong)} among the inputs, expected a list of ` +
      `Tensors and null`,
  );
}

function record(
  primitive: AnyPrimitive,
  inputs: readonly Input[],
  outputs: readonly Tensor[],
  inputShapes: readonly (Shape | null)[],
  outputShapes: readonly Shape[],
  attrs: unknown,
): Node {
  const count = inputs.length;
  const needs = new Array<boolean>(count);
  const parents = new Array<Node | Tensor | null>(count);
  let slots: number[] | null = null;
  for (let i = 0; i < count; i++) {
    const input = inputs[i];
    const needed = input !== null && input.requiresGrad;
    needs[i] = needed;
    parents[i] = needed ? nodeOf(input) ?? input : null;
    if (needed && slotOf(input) !== 0) {
      slots ??= new Array<number>(count).fill(0);
      slots[i] = slotOf(input);
    }
  }
  const saved = primitive.save === undefined
    ? NOTHING
    : primitive.save(inputs, outputs, attrs, needs);
  const node = new Node(
    primitive,
    attrs,
    inputShapes,
    outputShapes,
    needs,
    parents,
    slots,
    saved,
  );
  for (let i = 0; i < outputs.length; i++) {
    if (primitive.differentiable === undefined || primitive.differentiable[i]) {
      attach(outputs[i], node, i);
    }
  }
  return node;
}

/** Whether calls are being recorded. */
export function isGradEnabled(): boolean {
  return gradEnabled;
}

/**
 * Runs `fn` without recording: nothing that it computes can be differentiated.
 *
 * The mode of modules is not touched: a BatchNorm in training mode still updates its running
 * statistics.
 *
 * @param fn A synchronous function.
 * @returns What it returns.
 * @throws {TypeError} if `fn` returns a promise, whose later part would be recorded after all.
 *
 * @example
 * ```ts
 * import { mul, noGrad, tensor } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const w = tensor([1, 2], { requiresGrad: true });
 * assert(!noGrad(() => mul(w, 2)).requiresGrad);
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  return withGradMode("noGrad", false, fn);
}

/**
 * Runs `fn` with recording on, also inside {@linkcode noGrad}.
 *
 * @throws {TypeError} if `fn` returns a promise.
 */
export function enableGrad<T>(fn: () => T): T {
  return withGradMode("enableGrad", true, fn);
}

function withGradMode<T>(name: string, enabled: boolean, fn: () => T): T {
  const before = gradEnabled;
  gradEnabled = enabled;
  try {
    return callSynchronously(`run ${name}`, fn);
  } finally {
    gradEnabled = before;
  }
}
