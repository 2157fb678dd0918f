/**
 * The tape, seen: which calls a tensor depends on.
 */
import {
  assertOptions,
  assertTensor,
  heldGradOf,
  type Known,
  nodeOf,
  storageOf,
  valuesOf,
} from "../../autograd/internal.ts";
import { grad, onesLike, Tensor } from "../../autograd/mod.ts";
import { assertModule } from "../../nn/module/arguments.ts";
import type { Module } from "../../nn/mod.ts";
import type { NotebookOutput } from "../notebook.ts";
import { jsonNumber } from "../run_record.ts";
import { tapeToDot, tapeToHtml, tapeToMermaid, tapeToText } from "./drawings.ts";
import type { TapeCall, TapeGroup, TapeLeaf, TapeRecord } from "./tape_record.ts";

type Node = NonNullable<ReturnType<typeof nodeOf>>;

/** Options of {@linkcode tapeOf}. */
export interface TapeOptions {
  /** The model whose parameters give calls and leaves their names. */
  readonly model?: Module;
  /** Whether to run the backward pass for the norms of the gradients; nothing collects them. */
  readonly gradients?: boolean;
}

const KNOWN: Known<TapeOptions> = ["model", "gradients"];

/** A tape; made by {@linkcode tapeOf}. It holds no tensor. */
export class Tape {
  readonly #record: TapeRecord;

  /** @internal */
  constructor(record: TapeRecord) {
    this.#record = record;
  }

  /** The calls, a line each, in the order in which they ran. */
  toText(): string {
    return tapeToText(this.#record);
  }

  /** The data. */
  toJSON(): TapeRecord {
    return this.#record;
  }

  /** A Mermaid flowchart. */
  toMermaid(): string {
    return tapeToMermaid(this.#record);
  }

  /** A graph for Graphviz. */
  toDot(): string {
    return tapeToDot(this.#record);
  }

  /** {@linkcode toText} */
  toString(): string {
    return this.toText();
  }

  /** @internal Shows the calls in Deno's console. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toText();
  }

  /** @internal Shows the calls in a notebook, folded by module, or as a flowchart where it prefers Mermaid. */
  [Symbol.for("Jupyter.display")](): NotebookOutput {
    return {
      "text/plain": this.toText(),
      "text/html": tapeToHtml(this.#record),
      "text/vnd.mermaid": this.toMermaid(),
    };
  }

  /** @internal Shows the calls in Node's console. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toText();
  }
}

/**
 * The calls that a tensor depends on: primitive, shapes, module, what is kept for the backward pass, and
 * on request the norms of the gradients.
 *
 * @param tensor What was computed.
 * @param options `model` for names; `gradients: true` runs a backward pass beside everything else, with
 * ones for a tensor of several values.
 * @throws {TypeError} if it is not a tensor. @throws {Error} if the norms of the gradients are asked for
 * after a backward pass has released the tape.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { tapeOf } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const net = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
 * const { calls } = tapeOf(net.forward(ones([8, 4])).sum(), { model: net }).toJSON();
 * assertEquals(calls.map(({ primitive, module }) => [primitive, module]), [
 *   ["matmul", "0"],
 *   ["batchNorm", "1"],
 *   ["sumTo", null],
 * ]);
 * ```
 */
export function tapeOf(tensor: Tensor, options: TapeOptions = {}): Tape {
  const action = "show the tape";
  assertTensor(action, tensor, "tensor");
  assertOptions(action, options, KNOWN);
  const { model, gradients = false } = options;
  if (model !== undefined) assertModule(action, "model", model);
  const names = new Map(model?.namedParameters().map(([name, leaf]) => [leaf, name]) ?? []);
  const { nodes, leaves } = walk(tensor);
  const norms = gradients ? gradientNorms(tensor, nodes, leaves) : new Map();
  const ids = new Map<Node | Tensor, number | string>();
  nodes.forEach((node, i) => ids.set(node, i + 1));
  leaves.forEach((leaf, i) => ids.set(leaf, `leaf ${i + 1}`));
  const seen = new Set<unknown>();
  const calls = nodes.map((node) => callOf(node, ids, names, norms, seen));
  const place = placeOf(tensor);
  return new Tape({
    v: 1,
    shape: [...tensor.shape],
    output: place === null ? null : ids.get(place)!,
    calls,
    leaves: leaves.map((leaf): TapeLeaf => ({
      id: String(ids.get(leaf)),
      name: names.get(leaf) ?? null,
      shape: [...leaf.shape],
      gradNorm: norms.get(leaf) ?? normOf(heldGradOf(leaf)),
    })),
    groups: groupsOf(calls),
    savedBytes: calls.reduce((sum, { savedBytes }) => sum + savedBytes, 0),
  });
}

/** Where the gradient of a tensor goes: the call that made it, itself as a leaf, or nowhere. */
function placeOf(tensor: Tensor): Node | Tensor | null {
  return nodeOf(tensor) ?? (tensor.requiresGrad ? tensor : null);
}

/** The calls below a tensor in the order in which they ran, and the leaves in that of their use. */
function walk(tensor: Tensor): { nodes: Node[]; leaves: Tensor[] } {
  const nodes = new Set<Node>();
  const start = placeOf(tensor);
  const waiting: (Node | Tensor | null)[] = [start];
  while (waiting.length > 0) {
    const place = waiting.pop()!;
    if (place === null || place instanceof Tensor || nodes.has(place)) continue;
    nodes.add(place);
    waiting.push(...place.parents);
  }
  const ordered = [...nodes].sort((a, b) => a.id - b.id);
  const leaves = new Set(
    [start, ...ordered.flatMap(({ parents }) => parents)].filter((place) =>
      place instanceof Tensor
    ),
  );
  return { nodes: ordered, leaves: [...leaves] };
}

/** The norms of what reaches each call and leaf in a backward pass that changes nothing. */
function gradientNorms(
  tensor: Tensor,
  nodes: readonly Node[],
  leaves: readonly Tensor[],
): Map<Node | Tensor, ReturnType<typeof jsonNumber>> {
  const squares = new Map<Node, number>();
  const undo: (() => void)[] = [];
  for (const node of nodes) {
    const hooks = node.hooks ??= new Map();
    for (let slot = 0; slot < node.outputShapes.length; slot++) {
      const note = (grad: Tensor): void => {
        squares.set(node, (squares.get(node) ?? 0) + squareOf(grad));
      };
      const own = hooks.get(slot) ?? new Set();
      hooks.set(slot, own.add(note));
      undo.push(() => own.delete(note));
    }
  }
  try {
    const gradOutputs = tensor.size === 1 ? undefined : [onesLike(tensor)];
    const found = leaves.length === 0
      ? []
      : grad([tensor], [...leaves], { gradOutputs, retainGraph: true, allowUnused: true });
    return new Map<Node | Tensor, ReturnType<typeof jsonNumber>>([
      ...[...squares].map(([node, sum]) => [node, jsonNumber(Math.sqrt(sum))] as const),
      ...found.flatMap((g, i) => g === null ? [] : [[leaves[i], normOf(g)!] as const]),
    ]);
  } finally {
    for (const undoOne of undo) undoOne();
  }
}

function squareOf(x: Tensor): number {
  let sum = 0;
  for (const value of valuesOf(x)) sum += value * value;
  return sum;
}

function normOf(x: Tensor | null): ReturnType<typeof jsonNumber> | null {
  return x === null ? null : jsonNumber(Math.sqrt(squareOf(x)));
}

function callOf(
  node: Node,
  ids: ReadonlyMap<Node | Tensor, number | string>,
  names: ReadonlyMap<Tensor, string>,
  norms: ReadonlyMap<Node | Tensor, ReturnType<typeof jsonNumber>>,
  seen: Set<unknown>,
): TapeCall {
  const { parents, inputShapes, outputShapes, primitive } = node;
  const owner = parents.map((place) => place instanceof Tensor ? names.get(place) : undefined)
    .find((name) => name !== undefined);
  const { state, saved } = savedOf(node);
  let savedBytes = 0;
  for (const kept of saved) {
    const memory = storageOf(kept);
    if (!seen.has(memory)) savedBytes += kept.size * Float64Array.BYTES_PER_ELEMENT;
    seen.add(memory);
  }
  return {
    id: Number(ids.get(node)),
    primitive: primitive.name,
    summary: primitive.summary ?? "",
    module: owner === undefined ? null : owner.slice(0, Math.max(0, owner.lastIndexOf("."))),
    inputs: inputShapes.map((shape, i) => {
      const parent = parents[i];
      return {
        from: parent === null ? null : ids.get(parent)!,
        shape: shape === null ? null : [...shape],
      };
    }),
    outputs: outputShapes.map((shape) => [...shape]),
    saved: saved.map(({ shape }) => [...shape]),
    savedBytes,
    state,
    gradNorm: norms.get(node) ?? null,
  };
}

function savedOf(node: Node): { state: TapeCall["state"]; saved: Tensor[] } {
  if (node.freed) return { state: "freed", saved: [] };
  try {
    return { state: "kept", saved: node.saved.filter((kept) => kept !== null) };
  } catch {
    return { state: "edited", saved: [] };
  }
}

/** A call with parameters begins a group unless its module is that of the present one. */
function groupsOf(calls: readonly TapeCall[]): TapeGroup[] {
  const groups: { module: string | null; calls: number[]; savedBytes: number }[] = [];
  for (const { id, module, savedBytes } of calls) {
    const last = groups.at(-1);
    if (last === undefined || (module !== null && module !== last.module)) {
      groups.push({ module, calls: [id], savedBytes });
    } else {
      last.calls.push(id);
      last.savedBytes += savedBytes;
    }
  }
  return groups;
}
