/**
 * One reverse pass over the tape: each rule turns the cotangents of a call's outputs into those of its
 * inputs, from the last call to the first.
 *
 * @module
 */
import { add } from "../ops/elementwise/arithmetic.ts";
import { sumTo } from "../ops/shape/broadcast.ts";
import { assertTensor, zeros } from "../ops/create/creation.ts";
import { type AnyPrimitive, type Input, isOwnPrimitive } from "../tape/primitive.ts";
import { assertSameShape, broadcastsTo, formatShape, sameShape, type Shape } from "../shape.ts";
import { type GradHook, isInspected, Node, setInspector, Visit } from "../tape/tape.ts";
import { keep } from "../runtime/memory.ts";
import { attach, leafHooksOf, nodeOf, slotOf, storageOf, Tensor } from "../tensor.ts";
import { Ownership } from "./ownership.ts";

/** A place where cotangents arrive: a node, for one of its outputs, or a leaf. */
export type Place = Node | Tensor;

/** One reverse pass. */
export class Pass {
  /** Complete cotangents of leaves. */
  readonly leaves = new Map<Tensor, Tensor>();
  /** Complete cotangents of the wanted outputs of nodes. */
  readonly captured = new Map<Node, (Tensor | null)[]>();
  readonly #ownership = new Ownership();
  readonly #createGraph: boolean;
  readonly #retainGraph: boolean;
  /** The places that the caller asked for; `null` for all leaves. */
  readonly #wanted: ReadonlySet<Place> | null;

  constructor(createGraph: boolean, retainGraph: boolean, wanted: ReadonlySet<Place> | null) {
    this.#createGraph = createGraph;
    this.#retainGraph = retainGraph;
    this.#wanted = wanted;
  }

  /** Runs from the roots, whose cotangents are given. */
  run(roots: readonly Tensor[], cotangents: readonly Tensor[]): void {
    const order = this.#begin(roots);
    try {
      roots.forEach((root, i) => this.#deliver(nodeOf(root) ?? root, slotOf(root), cotangents[i]));
      if (this.#wanted !== null) this.#mark(order, this.#wanted);
      for (const node of order) {
        const { arrived, isWanted, isNeeded } = node.visit!;
        if (arrived === null) continue;
        node.visit!.arrived = null;
        this.#callHooks(node, arrived);
        if (isWanted) {
          this.captured.set(node, [...arrived]);
          this.#handOut(arrived);
        }
        if (this.#wanted === null || isNeeded) this.#step(node, arrived);
      }
    } finally {
      for (const node of order) node.visit = node.visit!.outer;
    }
    for (const [leaf, cotangent] of this.leaves) {
      const hooks = leafHooksOf(leaf);
      if (hooks === null) continue;
      this.#handOut([cotangent]);
      this.leaves.set(leaf, applyHooks(hooks, cotangent));
    }
  }

  /** The nodes that the roots depend on, latest first, each before its parents; a visit to each begins. */
  #begin(roots: readonly Tensor[]): Node[] {
    const stack: (Place | null)[] = roots.map(nodeOf);
    const nodes: Node[] = [];
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      if (!(place instanceof Node) || place.visit?.pass === this) continue;
      place.visit = new Visit(this, place.visit);
      nodes.push(place);
      for (const parent of place.parents) stack.push(parent);
    }
    // A chain is found in order.
    const isLater = (node: Node, i: number) => i === 0 || node.id < nodes[i - 1].id;
    return nodes.every(isLater) ? nodes : nodes.sort((a, b) => b.id - a.id);
  }

  /** Marks the visits to wanted nodes, and to those with a path down to a wanted place. */
  #mark(order: readonly Node[], wanted: ReadonlySet<Place>): void {
    for (const place of wanted) {
      if (place instanceof Node && place.visit?.pass === this) place.visit.isWanted = true;
    }
    for (let i = order.length - 1; i >= 0; i--) {
      const { parents, visit } = order[i];
      visit!.isNeeded = parents.some((parent) => parent !== null && leadsOn(parent, wanted));
    }
  }

  /** Whether nobody else can see a cotangent that has arrived at a leaf. */
  ownsAlone(cotangent: Tensor): boolean {
    return this.#ownership.isAlone(cotangent);
  }

  /** Differentiates one call. */
  #step(node: Node, arrived: readonly (Tensor | null)[]): void {
    // A rule may pass a cotangent on to several places, and a user's rule may keep it.
    if (this.#createGraph || !isOwnPrimitive(node.primitive)) {
      this.#handOut(arrived);
      this.#propagate(node, arrived);
      return;
    }
    for (const cotangent of arrived) if (cotangent !== null) this.#ownership.share(cotangent);
    this.#ownership.during(() => this.#propagate(node, arrived));
    for (const cotangent of arrived) if (cotangent !== null) this.#ownership.letGo(cotangent);
  }

  /** Calls the rule of a node and delivers what it returns. */
  #propagate(node: Node, arrived: readonly (Tensor | null)[]): void {
    const { primitive, outputShapes, parents, inputShapes, slots } = node;
    // Most calls have one output, and what has arrived is complete.
    const complete = arrived.length === 1 && arrived[0] !== null
      ? arrived as readonly Tensor[]
      : outputShapes.map((shape, i) =>
        arrived[i] ?? (primitive.differentiable?.[i] === false ? EMPTY : zeros(shape))
      );
    // The engine checks saved tensors even if the rule does not look at them.
    void node.saved;
    const cotangents = isInspected()
      ? inspected(node, () => primitive.vjp!(complete, node))
      : primitive.vjp!(complete, node);
    // A rule may pass on what was saved.
    for (const cotangent of cotangents) if (cotangent instanceof Tensor) keep(storageOf(cotangent));
    if (!this.#retainGraph) node.free();
    if (cotangents.length !== parents.length) {
      throw new RangeError(
        `Cannot run backward of ${primitive.name}: got ${cotangents.length} cotangents from its ` +
          `vjp, expected ${parents.length}, one for each input`,
      );
    }
    for (let i = 0; i < parents.length; i++) {
      const [parent, cotangent] = [parents[i], cotangents[i]];
      if (parent === null || cotangent === null || cotangent === undefined) continue;
      if (this.#wanted !== null && !leadsOn(parent, this.#wanted)) continue;
      const reduced = reducedTo(inputShapes[i]!, cotangent, primitive, i);
      const once = this.#createGraph && primitive.onlyFirstOrder !== undefined;
      this.#deliver(parent, slots === null ? 0 : slots[i], once ? sealed(reduced, node) : reduced);
    }
  }

  /** Adds a cotangent to those that have arrived at a place. */
  #deliver(place: Place, slot: number, cotangent: Tensor): void {
    if (!(place instanceof Node)) {
      this.leaves.set(place, this.#combined(this.leaves.get(place) ?? null, cotangent));
      return;
    }
    const arrived = place.visit!.arrived ??= nothingYet(place.outputShapes.length);
    arrived[slot] = this.#combined(arrived[slot], cotangent);
  }

  #combined(before: Tensor | null, cotangent: Tensor): Tensor {
    if (before === null) {
      this.#ownership.hold(cotangent);
      return cotangent;
    }
    return this.#createGraph ? add(before, cotangent) : this.#ownership.add(before, cotangent);
  }

  #callHooks(node: Node, arrived: (Tensor | null)[]): void {
    if (node.hooks === null) return;
    for (const [slot, hooks] of node.hooks) {
      const cotangent = arrived[slot];
      if (cotangent === null || cotangent === undefined) continue;
      this.#handOut([cotangent]);
      arrived[slot] = applyHooks(hooks, cotangent);
    }
  }

  #handOut(cotangents: readonly (Tensor | null)[]): void {
    for (const cotangent of cotangents) if (cotangent !== null) this.#ownership.handOut(cotangent);
  }
}

/** Room for the cotangents of so many outputs. Most calls have one. */
function nothingYet(outputs: number): (Tensor | null)[] {
  return outputs === 1 ? [null] : new Array<Tensor | null>(outputs).fill(null);
}

/** A cotangent in the shape of its input: what broadcasting repeated is summed. */
function reducedTo(shape: Shape, cotangent: Tensor, primitive: AnyPrimitive, i: number): Tensor {
  assertTensor(`run backward of ${primitive.name}`, cotangent, `its cotangent of input ${i}`);
  if (!sameShape(cotangent.shape, shape) && !broadcastsTo(shape, cotangent.shape)) {
    throw new RangeError(
      `Cannot run backward of ${primitive.name}: got a cotangent of shape ` +
        `${formatShape(cotangent.shape)} for input ${i} from its vjp, expected ` +
        `${formatShape(shape)} or a shape that this broadcasts to`,
    );
  }
  return sumTo(cotangent, shape);
}

/** A cotangent whose own derivative throws: its rule is right to first order only. */
function sealed(
  cotangent: Tensor,
  { primitive, inputShapes, needs, parents, slots }: Node,
): Tensor {
  const reason = primitive.onlyFirstOrder!;
  const once: AnyPrimitive = {
    name: `${primitive.name} (gradient)`,
    shape: () => [cotangent.shape],
    forward: () => {},
    vjp: () => {
      throw new Error(
        `Cannot run backward of the gradient of ${primitive.name}: got a second derivative, ` +
          `expected the first alone; ${reason}`,
      );
    },
  };
  const result = cotangent.detach();
  const seal = new Node(once, undefined, inputShapes, [cotangent.shape], needs, parents, slots, []);
  attach(result, seal, 0);
  return result;
}

/** Runs a rule while anomalies are looked for: what it makes is judged as a whole. */
function inspected(node: Node, rule: () => readonly Input[]): readonly Input[] {
  const inspector = setInspector(null);
  try {
    const cotangents = rule();
    inspector!.backward(node, cotangents);
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

/** Whether the caller asked for a place, or for one that a path leads to from there. */
function leadsOn(place: Place, wanted: ReadonlySet<Place>): boolean {
  return place instanceof Node ? place.visit!.isWanted || place.visit!.isNeeded : wanted.has(place);
}
