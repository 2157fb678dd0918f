/**
 * The tape of a tensor as JSON: the calls that it depends on, in the order in which they ran.
 */
import type { JsonNumber } from "../run_record.ts";

/** Where an input of a call comes from. */
export interface TapeInput {
  /** The call that made it, a leaf as `leaf 1`, or `null` for a constant. */
  readonly from: number | string | null;
  /** Its shape; `null` where an optional input was left out. */
  readonly shape: readonly number[] | null;
}

/** One recorded call of a primitive. */
export interface TapeCall {
  /** Its number, counted from 1 in the order of the calls. */
  readonly id: number;
  /** The primitive's name. */
  readonly primitive: string;
  /** What it computes; "" where the primitive does not say. */
  readonly summary: string;
  /** The module whose parameters it takes; `null` where it takes none, or no model was given. */
  readonly module: string | null;
  /** What it was called with. */
  readonly inputs: readonly TapeInput[];
  /** The shapes of its outputs. */
  readonly outputs: readonly (readonly number[])[];
  /** The shapes of what it keeps for the backward pass. */
  readonly saved: readonly (readonly number[])[];
  /** The bytes of that; memory that several calls keep counts in the first alone. */
  readonly savedBytes: number;
  /** `freed`: a backward pass has released it; `edited`: something was written into it since. */
  readonly state: "kept" | "freed" | "edited";
  /** The Euclidean norm of the gradient that reaches its outputs; `null` where it was not computed. */
  readonly gradNorm: JsonNumber | null;
}

/** A leaf that collects gradients. */
export interface TapeLeaf {
  /** `leaf 1` */
  readonly id: string;
  /** Its name in the model; `null` where it is not a parameter of it. */
  readonly name: string | null;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The Euclidean norm of its gradient: the one computed for the tape, or the one that it holds. */
  readonly gradNorm: JsonNumber | null;
}

/** Calls in a row that belong together, to fold them up. */
export interface TapeGroup {
  /** The module; `null` for calls in front of the first that is known. */
  readonly module: string | null;
  /** The numbers of its calls: the one with its parameters, and what follows until the next. */
  readonly calls: readonly number[];
  /** What they keep. */
  readonly savedBytes: number;
}

/** A tape. Version 1: later fields will be optional. */
export interface TapeRecord {
  /** The version of the layout. */
  readonly v: 1;
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  /** The call that made it; `null` for a leaf or a constant. */
  readonly output: number | string | null;
  /** The calls, the first first. */
  readonly calls: readonly TapeCall[];
  /** The leaves, in the order in which they were used. */
  readonly leaves: readonly TapeLeaf[];
  /** The calls by module. */
  readonly groups: readonly TapeGroup[];
  /** What all calls keep. */
  readonly savedBytes: number;
}
