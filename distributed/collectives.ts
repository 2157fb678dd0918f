/**
 * Collectives on tensors. Each has to be called by all ranks, in the same order; each returns when its
 * work is done.
 */
import { reshape, type Shape, stack, type Tensor } from "../autograd/mod.ts";
import {
  assertOptions,
  assertTensor,
  describe,
  formatShape,
  sameShape,
  show,
  write,
} from "../autograd/internal.ts";
import { type Group, groupFor } from "./group.ts";
import { allGatherIn, allReduceIn, type ReduceOp, reduceScatterIn } from "./reduce.ts";

/** How a reduction runs. */
export interface ReduceOptions {
  /** What is computed over all ranks; the sum where left out. */
  readonly op?: ReduceOp;
}

/** How {@linkcode broadcast_} runs. */
export interface BroadcastOptions {
  /** The rank whose values all get; 0 where left out. */
  readonly source?: number;
}

const OPS: readonly ReduceOp[] = ["sum", "mean", "min", "max"];

function readOp(action: string, options: ReduceOptions): ReduceOp {
  assertOptions(action, options, ["op"]);
  const { op = "sum" } = options;
  if (OPS.includes(op)) return op;
  const message = `Cannot ${action}: got op ${show(op)}, expected one of ${OPS.join(", ")}`;
  throw typeof op === "string" ? new RangeError(message) : new TypeError(message);
}

/**
 * Reduces a tensor over all ranks, element by element; every rank gets the result, bit for bit the same.
 *
 * y = Σᵣ xᵣ, or the mean, minimum or maximum.
 *
 * Shapes: x any, the same on all ranks. Gradient: of the sum, the sum of the cotangents of all ranks; of
 * the mean, their mean; of the extremes, their sum to the rank that holds the extreme, shared evenly where
 * some tie. It can be differentiated again, to every order. All ranks have to run backward through it.
 *
 * @param x The tensor.
 * @param options `op`: "sum", "mean", "min" or "max".
 * @returns A new tensor.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} for an unknown op. @throws {Error} before
 * `init()`.
 *
 * @example
 * ```ts
 * import { allReduce, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using group = init();
 * assertEquals(allReduce(tensor([1, 2])).toArray(), [group.size, 2 * group.size]);
 * ```
 */
export function allReduce(x: Tensor, options: ReduceOptions = {}): Tensor {
  const action = "run allReduce";
  const op = readOp(action, options);
  assertTensor(action, x, "x");
  return allReduceIn(groupFor(action), x, op);
}

/**
 * As {@linkcode allReduce}, in place and off the tape, on the values where they lie. The tape notices the
 * edit.
 *
 * @param x The tensor, which gets the result.
 * @param options `op`: "sum", "mean", "min" or "max".
 * @returns x.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} for an unknown op. @throws {Error} before
 * `init()`.
 *
 * @example
 * ```ts
 * import { allReduce_, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using _group = init();
 * const x = tensor([1, 2]);
 * allReduce_(x, { op: "mean" });
 * assertEquals(x.toArray(), [1, 2]); // the same on all ranks, so it is its mean
 * ```
 */
export function allReduce_(x: Tensor, options: ReduceOptions = {}): Tensor {
  const action = "run allReduce_";
  const op = readOp(action, options);
  assertTensor(action, x, "x");
  const group = groupFor(action);
  write(x, (values) => reduceValues(group, "allReduce_", values, op), "allReduce_()");
  return x;
}

/** Reduces an array in place. */
export function reduceValues(
  group: Group,
  name: string,
  values: Float64Array,
  op: ReduceOp,
): void {
  group.reduce(name, values, op === "mean" ? "sum" : op);
  if (op !== "mean") return;
  const { size } = group;
  for (let i = 0; i < values.length; i++) values[i] /= size;
}

/** The most axes that a gathered tensor has. */
const MOST_AXES = 15;

/**
 * The tensors of all ranks, whose shapes may differ.
 *
 * Gradient: to each rank the sum of the cotangents that all ranks have of its tensor; all ranks have to
 * run backward through it.
 *
 * @param x The own tensor.
 * @returns A tensor for each rank, by rank.
 * @throws {TypeError} for a wrong kind. @throws {Error} before `init()`.
 *
 * @example
 * ```ts
 * import { allGather, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using group = init();
 * const ranks = allGather(tensor(group.rank));
 * assertEquals(ranks.map((x) => x.item()), Array.from({ length: group.size }, (_, rank) => rank));
 * ```
 */
export function allGather(x: Tensor): Tensor[] {
  const action = "run allGather";
  assertTensor(action, x, "x");
  const group = groupFor(action);
  return allGatherIn(group, x, shapesOfAll(action, group, x.shape));
}

function shapesOfAll(action: string, group: Group, shape: Shape): Shape[] {
  if (shape.length > MOST_AXES) {
    throw new RangeError(
      `Cannot ${action}: got x of ${shape.length} axes, expected at most ${MOST_AXES}`,
    );
  }
  const length = MOST_AXES + 1;
  const own = new Float64Array(length);
  own.set([shape.length, ...shape]);
  const all = new Float64Array(length * group.size);
  group.gather("allGather", own, new Int32Array(group.size).fill(length), all);
  return Array.from({ length: group.size }, (_, rank) => {
    const at = rank * length;
    return [...all.subarray(at + 1, at + 1 + all[at])];
  });
}

/**
 * Reduces over all ranks and gives each its own part.
 *
 * Shapes: x [size·n, …] gives [n, …], rank r the rows r·n to (r + 1)·n − 1; or a list of as many tensors of
 * one shape as there are ranks, of which rank r gets the reduction of the r-th. Gradient: of the sum, the
 * cotangents of all ranks one after the other.
 *
 * @param x The tensor, or a tensor for each rank.
 * @param options `op`: "sum", "mean", "min" or "max".
 * @returns The own part of the reduction.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} if the first axis, or the list, cannot be
 * shared evenly. @throws {Error} before `init()`.
 *
 * @example
 * ```ts
 * import { init, reduceScatter } from "@tapegrad/tapegrad/distributed";
 * import { ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using group = init();
 * assertEquals(reduceScatter(ones([2 * group.size])).toArray(), [group.size, group.size]);
 * ```
 */
export function reduceScatter(x: Tensor | readonly Tensor[], options: ReduceOptions = {}): Tensor {
  const action = "run reduceScatter";
  const op = readOp(action, options);
  const group = groupFor(action);
  const given: unknown = x;
  if (Array.isArray(given)) {
    given.forEach((part, i) => assertTensor(action, part, `x[${i}]`));
    const parts = given as Tensor[];
    const uneven = parts.find((part) => !sameShape(part.shape, parts[0].shape));
    if (parts.length !== group.size || uneven !== undefined) {
      throw new RangeError(
        `Cannot ${action}: got ${parts.length} tensors${
          uneven === undefined ? "" : ` of shapes ${parts.map((p) => formatShape(p.shape))}`
        }, expected ${group.size} of one shape, one for each rank`,
      );
    }
    return reshape(reduceScatterIn(group, stack(parts), op), parts[0].shape);
  }
  assertTensor(action, given, "x");
  if (given.ndim === 0 || given.shape[0] % group.size !== 0) {
    throw new RangeError(
      `Cannot ${action}: got x of shape ${
        formatShape(given.shape)
      } for ${group.size} ranks, expected a ` +
        `first axis that they can share evenly`,
    );
  }
  return reduceScatterIn(group, given, op);
}

/**
 * Gives all ranks the values of one, in place and off the tape.
 *
 * @param x The tensor: read on rank `source`, written on all others; of one shape on all.
 * @param options `source`: the rank whose values all get, 0 where left out.
 * @returns x.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} if there is no such rank. @throws {Error} before
 * `init()`.
 *
 * @example
 * ```ts
 * import { broadcast_, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using group = init();
 * const x = tensor([group.rank]);
 * broadcast_(x, { source: 0 });
 * assertEquals(x.item(), 0);
 * ```
 */
export function broadcast_(x: Tensor, options: BroadcastOptions = {}): Tensor {
  const action = "run broadcast_";
  assertOptions(action, options, ["source"]);
  assertTensor(action, x, "x");
  const group = groupFor(action);
  const { source = 0 } = options;
  if (typeof source !== "number") {
    throw new TypeError(`Cannot ${action}: got source ${describe(source)}, expected a rank`);
  }
  if (!Number.isInteger(source) || source < 0 || source >= group.size) {
    throw new RangeError(
      `Cannot ${action}: got source ${source}, expected a rank of 0 … ${group.size - 1}`,
    );
  }
  write(x, (values) => group.spread("broadcast_", values, source), "broadcast_()");
  return x;
}

/**
 * Waits until all ranks have come here.
 *
 * @throws {Error} before `init()`.
 *
 * @example
 * ```ts
 * import { barrier, init } from "@tapegrad/tapegrad/distributed";
 *
 * using _group = init();
 * barrier();
 * ```
 */
export function barrier(): void {
  groupFor("run barrier").wait("barrier");
}
