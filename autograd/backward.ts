/**
 * The reverse pass: from the cotangents of some outputs to those of leaves or chosen inputs.
 *
 * @module
 */
import { addKeeping } from "./gradient_history.ts";
import * as kernels from "./kernels/mod.ts";
import { add } from "./ops/arithmetic.ts";
import { sumTo } from "./ops/broadcast.ts";
import { assertTensor, describe, ones, zeros } from "./ops/creation.ts";
import { clone } from "./ops/copy.ts";
import type { Input } from "./primitive.ts";
import { broadcastsTo, formatShape, sameShape } from "./shape.ts";
import { enableGrad, type GradHook, Node, noGrad, setInspector } from "./tape.ts";
import { assertSameShape, Tensor } from "./tensor.ts";

/** How `Tensor.backward` runs. */
export interface BackwardOptions {
  /** Whether the graph stays for another pass; as `createGraph` where left out. */
  readonly retainGraph?: boolean;
  /** Whether the pass itself is recorded. */
  readonly createGraph?: boolean;
  /** The leaves that get a gradient; all where left out. */
  readonly inputs?: readonly Tensor[] | Tensor;
}

/** How {@linkcode grad} runs. */
export interface GradOptions {
  /** The cotangents of the outputs; ones for outputs of one element. */
  readonly gradOutputs?: Tensor | null | readonly (Tensor | null)[];
  /** Whether the graph stays for another pass; as `createGraph` where left out. */
  readonly retainGraph?: boolean;
  /** Whether the pass itself is recorded, so that its results can be differentiated. */
  readonly createGraph?: boolean;
  /** Whether an input that the outputs do not depend on gives `null` instead of an error. */
  readonly allowUnused?: boolean;
}

/** A place where cotangents arrive: an output of a node, or a leaf. */
type Place = Node | Tensor;

/** One reverse pass. */
class Pass {
  /** Cotangents that have arrived so far, by node and output. */
  readonly #pending = new Map<Node, (Tensor | null)[]>();
  /** The same for leaves. */
  readonly leaves = new Map<Tensor, Tensor>();
  /** Sums that this pass made itself and may add to in place. */
  readonly #sums = new Set<Tensor>();
  /** Complete cotangents of the wanted outputs of nodes. */
  readonly captured = new Map<Node, (Tensor | null)[]>();

  constructor(
    readonly createGraph: boolean,
    readonly retainGraph: boolean,
    readonly wanted: ReadonlySet<Place> | null,
  ) {}

  /** Runs from the roots, whose cotangents are given. */
  run(roots: readonly Tensor[], cotangents: readonly Tensor[]): void {
    for (let i = 0; i < roots.length; i++) {
      this.#deliver(roots[i].node ?? roots[i], roots[i].slot, cotangents[i]);
    }
    const order = descending(roots);
    const needed = this.wanted === null ? null : leadingTo(order, this.wanted);
    for (const node of order) {
      const arrived = this.#pending.get(node);
      if (arrived === undefined) continue;
      this.#pending.delete(node);
      if (node.hooks !== null) this.#callHooks(node, arrived);
      if (this.wanted?.has(node)) this.captured.set(node, arrived);
      if (needed === null || needed.has(node)) this.#step(node, arrived, needed);
    }
    for (const [leaf, cotangent] of this.leaves) {
      if (leaf.leafHooks !== null) this.leaves.set(leaf, applyHooks(leaf.leafHooks, cotangent));
    }
  }

  #callHooks(node: Node, arrived: (Tensor | null)[]): void {
    for (const [slot, hooks] of node.hooks!) {
      const cotangent = arrived[slot];
      if (cotangent !== null && cotangent !== undefined) {
        this.#sums.delete(cotangent);
        arrived[slot] = applyHooks(hooks, cotangent);
      }
    }
  }

  /** Calls the rule of one node and delivers what it returns. */
  #step(node: Node, arrived: (Tensor | null)[], needed: ReadonlySet<Place> | null): void {
    const { primitive, outputShapes, parents, inputShapes } = node;
    for (let i = 0; i < outputShapes.length; i++) {
      arrived[i] ??= primitive.differentiable !== undefined && !primitive.differentiable[i]
        ? EMPTY
        : zeros(outputShapes[i]);
    }
    // The engine checks saved tensors even if the rule does not look at them.
    void node.saved;
    const cotangents = inspected(node, () => primitive.vjp!(arrived as Tensor[], node));
    if (!this.retainGraph) node.free();
    if (cotangents.length !== parents.length) {
      throw new RangeError(
        `Cannot run backward of ${primitive.name}: its vjp returned ${cotangents.length} ` +
          `cotangents, expected ${parents.length}, one for each input`,
      );
    }
    for (let i = 0; i < parents.length; i++) {
      const parent = parents[i];
      const cotangent = cotangents[i];
      if (parent === null || cotangent === null || cotangent === undefined) continue;
      if (needed !== null && !needed.has(parent) && !this.wanted!.has(parent)) continue;
      const shape = inputShapes[i]!;
      if (!sameShape(cotangent.shape, shape) && !broadcastsTo(shape, cotangent.shape)) {
        throw new RangeError(
          `Cannot run backward of ${primitive.name}: its vjp returned a cotangent of shape ` +
            `${formatShape(cotangent.shape)} for input ${i}, expected ${formatShape(shape)} or a ` +
            `shape that this broadcasts to`,
        );
      }
      const slot = node.slots === null ? 0 : node.slots[i];
      this.#deliver(parent, slot, sumTo(cotangent, shape));
    }
  }

  /** Adds a cotangent to those that have arrived at a place. */
  #deliver(place: Place, slot: number, cotangent: Tensor): void {
    if (place instanceof Node) {
      let arrived = this.#pending.get(place);
      if (arrived === undefined) {
        arrived = place.outputShapes.length === 1
          ? [null]
          : new Array<Tensor | null>(place.outputShapes.length).fill(null);
        this.#pending.set(place, arrived);
      }
      const before = arrived[slot];
      arrived[slot] = before === null ? cotangent : this.#sum(before, cotangent);
    } else {
      const before = this.leaves.get(place);
      this.leaves.set(place, before === undefined ? cotangent : this.#sum(before, cotangent));
    }
  }

  #sum(total: Tensor, cotangent: Tensor): Tensor {
    if (this.createGraph) return add(total, cotangent);
    if (this.#sums.has(total)) {
      const values = total.storage.values;
      kernels.add(values, cotangent.storage.values, values);
      return total;
    }
    const sum = add(total, cotangent);
    this.#sums.add(sum);
    return sum;
  }
}

/** Runs a rule; while anomalies are looked for, what it makes is judged as a whole. */
function inspected(node: Node, rule: () => readonly Input[]): readonly Input[] {
  const inspector = setInspector(null);
  try {
    const cotangents = rule();
    inspector?.backward(node, cotangents);
    return cotangents;
  } finally {
    setInspector(inspector);
  }
}

/** Stands for the cotangent of an output that is not differentiable. */
const EMPTY = zeros([0]);

function applyHooks(hooks: ReadonlySet<GradHook>, cotangent: Tensor): Tensor {
  let current = cotangent;
  for (const hook of [...hooks]) {
    const replaced = hook(current);
    if (replaced === undefined || replaced === null) continue;
    assertTensor("run a gradient hook", replaced, "its result");
    assertSameShape("run a gradient hook", replaced.shape, current.shape, "its result");
    current = replaced;
  }
  return current;
}

/** The nodes that the roots depend on, latest first: each comes before its parents. */
function descending(roots: readonly Tensor[]): Node[] {
  const seen = new Set<Node>();
  const stack: Node[] = [];
  const visit = (place: Place | null): void => {
    if (place instanceof Node && !seen.has(place)) {
      seen.add(place);
      stack.push(place);
    }
  };
  for (const root of roots) visit(root.node);
  const nodes: Node[] = [];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    nodes.push(node);
    for (const parent of node.parents) visit(parent);
  }
  return nodes.sort((a, b) => b.id - a.id);
}

/** The nodes with a path down to a wanted place. */
function leadingTo(order: readonly Node[], wanted: ReadonlySet<Place>): Set<Place> {
  const needed = new Set<Place>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const leads = node.parents.some((parent) =>
      parent !== null && (wanted.has(parent) || needed.has(parent))
    );
    if (leads) needed.add(node);
  }
  return needed;
}

function startingCotangent(
  action: string,
  root: Tensor,
  gradient: Tensor | null,
  name: string,
): Tensor {
  if (!root.requiresGrad) {
    throw new Error(
      `Cannot ${action}: got a tensor of shape ${formatShape(root.shape)} that does not require ` +
        `grad, expected one that was computed from a tensor that does`,
    );
  }
  if (gradient === null) {
    if (root.size !== 1) {
      throw new RangeError(
        `Cannot ${action}: got a tensor of shape ${formatShape(root.shape)} without ${name}, ` +
          `expected a tensor of one element or ${name} of that shape`,
      );
    }
    return ones(root.shape);
  }
  assertTensor(action, gradient, name);
  assertSameShape(action, gradient.shape, root.shape, name);
  return gradient;
}

function inGradMode<T>(createGraph: boolean, fn: () => T): T {
  return createGraph ? enableGrad(fn) : noGrad(fn);
}

/** What `Tensor.backward` does. */
export function backward(
  root: Tensor,
  gradient: Tensor | null,
  options: BackwardOptions,
): void {
  const { createGraph = false, retainGraph = createGraph } = options;
  const start = startingCotangent("run backward", root, gradient, "gradient");
  const inputs = options.inputs === undefined
    ? null
    : options.inputs instanceof Tensor
    ? [options.inputs]
    : options.inputs;
  inputs?.forEach((input, i) => {
    assertTensor("run backward", input, `inputs[${i}]`);
    if (!input.requiresGrad) {
      throw new Error(
        `Cannot run backward: got inputs[${i}] that does not require grad, expected one that does`,
      );
    }
  });
  const wanted = inputs === null ? null : new Set(inputs.map((x) => x.node ?? x));
  inGradMode(createGraph, () => {
    const pass = new Pass(createGraph, retainGraph, wanted);
    pass.run([root], [start]);
    if (inputs === null) {
      for (const [leaf, cotangent] of pass.leaves) accumulate(leaf, cotangent, createGraph);
    } else {
      for (const input of new Set(inputs)) {
        const cotangent = arrivedAt(pass, input);
        if (cotangent !== null) accumulate(input, cotangent, createGraph);
      }
    }
  });
}

function arrivedAt(pass: Pass, input: Tensor): Tensor | null {
  return input.node === null
    ? pass.leaves.get(input) ?? null
    : pass.captured.get(input.node)?.[input.slot] ?? null;
}

/** `.grad += cotangent`: in place unless a graph is being made. */
function accumulate(leaf: Tensor, cotangent: Tensor, createGraph: boolean): void {
  if (leaf.grad === null) {
    // A copy, because a rule may hand one tensor to several inputs.
    leaf.grad = createGraph ? cotangent : clone(cotangent);
  } else {
    leaf.grad = addKeeping(leaf.grad, (grad) => {
      const sum = add(grad, cotangent);
      return createGraph || grad.requiresGrad ? sum : grad.copy_(sum);
    });
  }
}

/**
 * The gradients of outputs with respect to inputs, without touching `.grad`.
 *
 * @param outputs A tensor or several, whose sum (weighted by `gradOutputs`) is differentiated.
 * @param inputs A tensor or several; leaves or not.
 * @param options See {@linkcode GradOptions}.
 * @returns One gradient for each input; `null` for an unused one with `allowUnused`.
 * @throws {Error} if an input is unused, if nothing requires grad, if the graph was freed, or if a
 * saved tensor was edited.
 * @throws {RangeError} if a cotangent is missing or of another shape.
 *
 * @example
 * ```ts
 * import { grad, mul, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor(3, { requiresGrad: true });
 * const [first] = grad(mul(x, mul(x, x)), [x], { createGraph: true });
 * const [second] = grad(first!, [x]);
 * assertEquals([first!.item(), second!.item()], [27, 18]);
 * ```
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const { createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const targets = inputs instanceof Tensor ? [inputs] : inputs;
  if (!Array.isArray(roots) || !Array.isArray(targets) || roots.length === 0) {
    throw new TypeError(
      `Cannot take grad: got outputs ${describe(outputs)} and inputs ${describe(inputs)}, ` +
        `expected tensors or lists of them`,
    );
  }
  const given = options.gradOutputs ?? null;
  const weights = given === null || given instanceof Tensor ? [given] : given;
  if (given !== null && weights.length !== roots.length) {
    throw new RangeError(
      `Cannot take grad: got ${weights.length} gradOutputs, expected ${roots.length}`,
    );
  }
  const starts = roots.map((root, i) => {
    assertTensor("take grad", root, `outputs[${i}]`);
    return startingCotangent("take grad", root, weights[i] ?? null, `gradOutputs[${i}]`);
  });
  targets.forEach((target, i) => {
    assertTensor("take grad", target, `inputs[${i}]`);
    if (!target.requiresGrad) {
      throw new Error(
        `Cannot take grad: got inputs[${i}] that does not require grad, expected one that does`,
      );
    }
  });
  return inGradMode(createGraph, () => {
    const pass = new Pass(createGraph, retainGraph, new Set(targets.map((x) => x.node ?? x)));
    pass.run(roots, starts);
    return targets.map((target, i) => {
      const cotangent = arrivedAt(pass, target);
      if (cotangent === null && !allowUnused) {
        throw new Error(
          `Cannot take grad: the outputs do not depend on inputs[${i}], expected allowUnused: ` +
            `true or an input that they use`,
        );
      }
      return cotangent;
    });
  });
}
