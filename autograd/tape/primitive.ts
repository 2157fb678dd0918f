/**
 * The primitive: everything that the engine, the tests and the docs need to know of an operation, in
 * one record.
 *
 * @module
 */
import { describe, show } from "../check/describe.ts";
import type { Generator } from "../random.ts";
import type { Shape } from "../shape.ts";
import type { ElementwiseKernel } from "../runtime/formula.ts";
import type { Tensor } from "../tensor.ts";

/** What a primitive takes at a place: a tensor, or `null` where the operand is optional. */
export type Input = Tensor | null;

/** The shapes of a tuple of tensors, `null` staying `null`. */
export type ShapesOf<Tensors extends readonly Input[]> = {
  readonly [K in keyof Tensors]: Tensors[K] extends Tensor ? Shape
    : Tensors[K] extends null ? null
    : Shape | null;
};

/** One cotangent for each input, `null` where none is needed. */
export type Cotangents<Inputs extends readonly Input[]> = {
  readonly [K in keyof Inputs]: Tensor | null;
};

/** What a vjp rule may look at besides the cotangents of the outputs. */
export interface VjpContext<
  Inputs extends readonly Input[] = readonly Input[],
  Saved extends readonly Input[] = readonly Input[],
  Attrs = unknown,
> {
  /** What `save` returned, checked to be unedited since. */
  readonly saved: Saved;
  /** The constants of the call. */
  readonly attrs: Attrs;
  /** Which inputs need a cotangent; for the others a rule may return `null`. */
  readonly needs: readonly boolean[];
  /** The shapes of the inputs. */
  readonly inputShapes: ShapesOf<Inputs>;
}

/** One call that the tests make of a primitive: inputs inside its smooth domain. */
export interface Sample<Inputs extends readonly Input[] = readonly Input[], Attrs = unknown> {
  /** The tensors of the call. */
  readonly inputs: Inputs;
  /** The constants of the call. */
  readonly attrs: Attrs;
}

/**
 * A differentiable operation.
 *
 * The engine allocates the outputs from `shape`, runs `forward` on them, and where an input requires
 * grad keeps what `save` names until the backward pass calls `vjp`. Rules are written in
 * differentiable operations, so that a gradient can be differentiated again.
 *
 * @example
 * ```ts
 * import { bind, definePrimitive, mul, tensor, type Tensor } from "@tapegrad/tapegrad";
 * import type { Primitive } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * type Unary = Primitive<readonly [x: Tensor], readonly [y: Tensor], readonly [x: Tensor]>;
 * const cube = definePrimitive<Unary>({
 *   name: "docs.cube",
 *   shape: ([x]) => [x],
 *   forward: ([x], [y]) => x.data.forEach((value, i) => y.data[i] = value ** 3),
 *   save: ([x]) => [x],
 *   // d x³ = 3x² dx
 *   vjp: ([g], { saved: [x] }) => [mul(g, mul(mul(x, x), 3))],
 * });
 *
 * const x = tensor([2], { requiresGrad: true });
 * bind(cube, [x], undefined)[0].backward(tensor([1]));
 * assertEquals([...x.grad!.data], [12]);
 * ```
 */
export interface Primitive<
  Inputs extends readonly Input[] = readonly Input[],
  Outputs extends readonly Tensor[] = readonly Tensor[],
  Saved extends readonly Input[] = readonly Input[],
  Attrs = undefined,
> {
  /** Unique in the registry; errors and tables show it. */
  readonly name: string;
  /** What it computes, in one line. */
  readonly summary?: string;
  /** Set where the output is the input's values under another shape: nothing is computed or copied. */
  readonly alias?: true;
  /** Which outputs carry a gradient; all of them where left out. */
  readonly differentiable?: readonly boolean[];
  /** Why the gradient cannot be differentiated again, where that is so. */
  readonly onlyFirstOrder?: string;
  /** The shapes of the outputs. Inputs were validated by the public function. */
  shape(inputs: ShapesOf<Inputs>, attrs: Attrs): ShapesOf<Outputs>;
  /**
   * @internal The kernel of what forward does, where each value depends on those in its place alone: large
   * results are computed when somebody reads them.
   */
  elementwise?(attrs: Attrs): ElementwiseKernel;
  /** Fills every element of the outputs. */
  forward(inputs: Inputs, outputs: Outputs, attrs: Attrs): void;
  /** What the backward pass needs; the least that will do. */
  save?(inputs: Inputs, outputs: Outputs, attrs: Attrs, needs: readonly boolean[]): Saved;
  /**
   * The cotangents of the inputs from those of the outputs. A cotangent of the broadcast shape is
   * summed to its input's by the engine. An output that nothing used arrives as zeros; one that is not
   * differentiable as an empty tensor.
   */
  vjp?(
    cotangents: { readonly [K in keyof Outputs]: Tensor },
    context: VjpContext<Inputs, Saved, Attrs>,
  ): Cotangents<Inputs>;
  /** Calls for the tests; at least one of every kind of attrs. */
  samples?(random: Generator): readonly Sample<Inputs, Attrs>[];
}

/** A primitive of one tensor with one output. */
export type Unary<Saved extends readonly Input[] = readonly [], Attrs = undefined> = Primitive<
  readonly [x: Tensor],
  readonly [y: Tensor],
  Saved,
  Attrs
>;

/** A primitive of two tensors that broadcast. */
export type Binary<Saved extends readonly Input[] = readonly [], Attrs = undefined> = Primitive<
  readonly [x: Tensor, y: Tensor],
  readonly [out: Tensor],
  Saved,
  Attrs
>;

/** A primitive of any tuple types, as the registry holds it. */
// deno-lint-ignore no-explicit-any -- the registry holds records of every tuple type.
export type AnyPrimitive = Primitive<any, any, any, any>;

const registry = new Map<string, AnyPrimitive>();

/** Every primitive by name, in order of definition; users' own included. */
export const primitives: ReadonlyMap<string, AnyPrimitive> = registry;

const own = new WeakSet<AnyPrimitive>();

/** Registers an operation of the package itself. */
export function ownPrimitive<P extends AnyPrimitive>(record: P): P {
  own.add(record);
  return definePrimitive(record);
}

/**
 * Gives a primitive, or the one of a name, its summary and samples. The call stands behind the record, marked as
 * pure and without a use, so that bundlers leave out what only tests and documents need.
 */
export function described<P extends AnyPrimitive>(
  primitive: P | string,
  summary: string,
  samples: NonNullable<P["samples"]>,
): void {
  const record = typeof primitive === "string" ? registry.get(primitive)! : primitive;
  Object.assign(record, { summary, samples });
}

/** Whether a primitive is the package's own: its rules keep no tensor that they are given or make. */
export function isOwnPrimitive(primitive: AnyPrimitive): boolean {
  return own.has(primitive);
}

/**
 * Registers an operation and returns its record, to be run with `bind`.
 *
 * @throws {TypeError} if the record lacks a name, a shape rule or a forward.
 * @throws {RangeError} if the name is taken.
 */
export function definePrimitive<P extends AnyPrimitive>(record: P): P {
  if (typeof record !== "object" || record === null) {
    throw new TypeError(`Cannot define a primitive: got ${describe(record)}, expected a record`);
  }
  const { name } = record;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Cannot define a primitive: got name ${show(name)}, expected a string`);
  }
  if (typeof record.shape !== "function" || typeof record.forward !== "function") {
    throw new TypeError(
      `Cannot define primitive ${name}: got no shape rule or no forward, expected both`,
    );
  }
  if (registry.has(name)) {
    throw new RangeError(`Cannot define primitive ${name}: the name is taken, expected a new one`);
  }
  registry.set(name, record);
  return record;
}
