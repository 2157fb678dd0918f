/**
 * What turns one recorded call into nodes.
 */
import type { Tensor } from "../../autograd/mod.ts";
import type { Graph } from "./graph.ts";

/** A call of a primitive, as a converter sees it. */
export interface Call<Attrs = unknown> {
  /** The graph to add to. */
  readonly graph: Graph;
  /** The names of the inputs; empty for one that is absent. */
  readonly names: readonly string[];
  /** The inputs, for their shapes and for the values of constants. */
  readonly inputs: readonly (Tensor | null)[];
  /** The outputs, for their shapes. */
  readonly outputs: readonly Tensor[];
  /** The constants of the call. */
  readonly attrs: Attrs;
  /** The values of an input that does not depend on the model's inputs; throws for another. */
  constant(index: number): ArrayLike<number>;
}

/** Adds the nodes of a call and returns the names of its outputs, or of the first of them. */
// deno-lint-ignore no-explicit-any -- the constants of a call are its primitive's business.
export type Converter = (call: Call<any>) => string | readonly string[];

/** Thrown for what has no counterpart. */
export class NoCounterpart extends Error {}
