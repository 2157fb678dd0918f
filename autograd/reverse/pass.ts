/**
 * One reverse pass over the tape: in what order rules run, where their results go, and when their memory
 * goes back.
 *
 * @module
 */
import { release, type Storage } from "../runtime/memory.ts";
import * as kernels from "../kernels/mod.ts";
import { add } from "../ops/elementwise/arithmetic.ts";
import { sumTo } from "../ops/shape/broadcast.ts";
import { assertTensor, zeros } from "../ops/create/creation.ts";
import { type Input, isOwnPrimitive } from "../tape/primitive.ts";
import { assertSameShape, broadcastsTo, formatShape, sameShape } from "../shape.ts";
import { type GradHook, Node, setArena, setInspector } from "../tape/tape.ts";
import { leafHooksOf, nodeOf, slotOf, storageOf, type Tensor, valuesOf } from "../tensor.ts";

/** A place where cotangents arrive: an output of a node, or a leaf. */
export type Place = Node | Tensor;

/**
 * One reverse pass.
 *
 * What the rules make on the way is seen by nobody else, so its memory goes back as soon as no place
 * waits with it. That ends where a hook, a user's rule or a result hands a cotangent out.
 */
export class Pass {
  /** Cotangents that have arrived so far, by node and output. */
  readonly #pending = new Map<Node, (Tensor | null)[]>();
  /** The same for leaves. */
  readonly leaves = new Map<Tensor, Tensor>();
  /** Sums that this pass made itself and may add to in place. */
  readonly #sums = new Set<Tensor>();
  /** Complete cotangents of the wanted outputs of nodes. */
  readonly captured = new Map<Node, (Tensor | null)[]>();
  /** Storages that only this pass can see, with the number of places that wait with them. */
  readonly #owned = new Map<Storage, number>();

  readonly createGraph: boolean;
  readonly retainGraph: boolean;
  readonly wanted: ReadonlySet<Place> | null;

  constructor(createGraph: boolean, retainGraph: boolean, wanted: ReadonlySet<Place> | null) {
    this.createGraph = createGraph;
    this.retainGraph = retainGraph;
    this.wanted = wanted;
  }

  /** Runs from the roots, whose cotangents are given. */
  run(roots: readonly Tensor[], cotangents: readonly Tensor[]): void {
    for (let i = 0; i < roots.length; i++) {
      this.#deliver(nodeOf(roots[i]) ?? roots[i], slotOf(roots[i]), cotangents[i]);
    }
    const order = descending(roots);
    const needed = this.wanted === null ? null : leadingTo(order, this.wanted);
    for (const node of order) {
      const arrived = this.#pending.get(node);
      if (arrived === undefined) continue;
      this.#pending.delete(node);
      if (node.hooks !== null) this.#callHooks(node, arrived);
      if (this.wanted?.has(node)) {
        this.captured.set(node, [...arrived]);
        this.#handOut(arrived);
      }
      if (needed === null || needed.has(node)) this.#step(node, arrived, needed);
    }
    for (const [leaf, cotangent] of this.leaves) {
      if (leafHooksOf(leaf) === null) continue;
      this.#handOut([cotangent]);
      this.leaves.set(leaf, applyHooks(leafHooksOf(leaf)!, cotangent));
    }
  }

  /** Whether nobody else can see a cotangent that has arrived at a leaf. */
  ownsAlone(cotangent: Tensor): boolean {
    return this.#owned.get(storageOf(cotangent)) === 1;
  }

  #callHooks(node: Node, arrived: (Tensor | null)[]): void {
    for (const [slot, hooks] of node.hooks!) {
      const cotangent = arrived[slot];
      if (cotangent !== null && cotangent !== undefined) {
        this.#handOut([cotangent]);
        arrived[slot] = applyHooks(hooks, cotangent);
      }
    }
  }

  /** From here on others may hold these. */
  #handOut(cotangents: readonly (Tensor | null)[]): void {
    for (const cotangent of cotangents) {
      if (cotangent === null) continue;
      this.#sums.delete(cotangent);
      this.#owned.delete(storageOf(cotangent));
    }
  }

  /** Runs a node, and gives back what it made and used that no place waits with. */
  #step(node: Node, arrived: (Tensor | null)[], needed: ReadonlySet<Place> | null): void {
    if (this.createGraph || !isOwnPrimitive(node.primitive)) {
      this.#handOut(arrived);
      this.#propagate(node, arrived, needed, null);
      return;
    }
    const made: Storage[] = [];
    const before = setArena(made);
    try {
      this.#propagate(node, arrived, needed, made);
    } finally {
      setArena(before);
    }
    for (const cotangent of arrived) if (cotangent !== null) this.#letGo(storageOf(cotangent));
    for (const storage of made) this.#releaseUnused(storage);
  }

  /** Calls the rule of a node and delivers what it returns. */
  #propagate(
    node: Node,
    arrived: (Tensor | null)[],
    needed: ReadonlySet<Place> | null,
    made: readonly Storage[] | null,
  ): void {
    const { primitive, outputShapes, parents, inputShapes } = node;
    // A rule may hand a sum on to several places, which must not be added to in place any more.
    for (const cotangent of arrived) if (cotangent !== null) this.#sums.delete(cotangent);
    const complete = outputShapes.map((shape, i) =>
      arrived[i] ??
        (primitive.differentiable !== undefined && !primitive.differentiable[i]
          ? EMPTY
          : zeros(shape))
    );
    // The engine checks saved tensors even if the rule does not look at them.
    void node.saved;
    const cotangents = inspected(node, () => primitive.vjp!(complete, node));
    if (!this.retainGraph) node.free();
    if (cotangents.length !== parents.length) {
      throw new RangeError(
        `Cannot run backward of ${primitive.name}: its vjp returned ${cotangents.length} ` +
          `cotangents, expected ${parents.length}, one for each input`,
      );
    }
    let known = 0;
    const own = (): void => {
      for (; made !== null && known < made.length; known++) this.#owned.set(made[known], 0);
    };
    own();
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
      const reduced = sumTo(cotangent, shape);
      own();
      this.#deliver(parent, slot, reduced, own);
    }
  }

  /** Adds a cotangent to those that have arrived at a place. */
  #deliver(place: Place, slot: number, cotangent: Tensor, own: () => void = () => {}): void {
    if (place instanceof Node) {
      let arrived = this.#pending.get(place);
      if (arrived === undefined) {
        arrived = place.outputShapes.length === 1
          ? [null]
          : new Array<Tensor | null>(place.outputShapes.length).fill(null);
        this.#pending.set(place, arrived);
      }
      arrived[slot] = this.#combine(arrived[slot], cotangent, own);
    } else {
      this.leaves.set(place, this.#combine(this.leaves.get(place) ?? null, cotangent, own));
    }
  }

  /** What a place waits with once `cotangent` has come to what was there before. */
  #combine(before: Tensor | null, cotangent: Tensor, own: () => void): Tensor {
    if (before === null) {
      this.#hold(storageOf(cotangent));
      return cotangent;
    }
    const sum = this.#sum(before, cotangent);
    own();
    if (sum !== before) {
      this.#hold(storageOf(sum));
      this.#letGo(storageOf(before));
    }
    return sum;
  }

  #sum(total: Tensor, cotangent: Tensor): Tensor {
    if (this.createGraph) return add(total, cotangent);
    if (this.#sums.has(total)) {
      const values = valuesOf(total);
      kernels.add(values, valuesOf(cotangent), values);
      return total;
    }
    const sum = add(total, cotangent);
    this.#sums.add(sum);
    return sum;
  }

  #hold(storage: Storage): void {
    const places = this.#owned.get(storage);
    if (places !== undefined) this.#owned.set(storage, places + 1);
  }

  #letGo(storage: Storage): void {
    const places = this.#owned.get(storage);
    if (places === undefined) return;
    this.#owned.set(storage, places - 1);
    this.#releaseUnused(storage);
  }

  #releaseUnused(storage: Storage): void {
    if (this.#owned.get(storage) !== 0) return;
    this.#owned.delete(storage);
    release(storage);
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
  for (const root of roots) visit(nodeOf(root));
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
