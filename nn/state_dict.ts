/**
 * What a module's state is made of, and what loading it reports.
 */
import type { Tensor } from "../autograd/mod.ts";

/** A module's own remark in a state dict. */
export interface ModuleMetadata {
  /** The version of the layout that the module wrote. */
  readonly version: number;
}

/** Tensors by dotted name in registration order, with a version for each module. */
export class StateDict extends Map<string, Tensor> {
  /** By dotted module name, `""` for the module that was asked. */
  readonly metadata: Map<string, ModuleMetadata> = new Map();
}

/** What a module can be loaded from; without metadata, as from a file, versions count as unknown. */
export type StateSource =
  | StateDict
  | ReadonlyMap<string, Tensor>
  | Readonly<Record<string, Tensor>>;

/** What `loadStateDict` found with `strict: false`. */
export interface LoadResult {
  /** Names that the module has and the state lacks. */
  readonly missingKeys: string[];
  /** Names that the state has and the module lacks. */
  readonly unexpectedKeys: string[];
}
