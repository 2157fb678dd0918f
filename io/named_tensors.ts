/**
 * What writers take: tensors by name, however they are held.
 */
import { Tensor } from "../autograd/mod.ts";
import { describe } from "../autograd/internal.ts";
import { quote } from "./errors.ts";

/** Tensors by name: a state dict or another map, a plain object, or a module, whose state is meant. */
export type NamedTensors =
  | ReadonlyMap<string, Tensor>
  | Readonly<Record<string, Tensor>>
  | { stateDict(): ReadonlyMap<string, Tensor> };

/**
 * Tensors by name as a map.
 *
 * @throws {TypeError} if it is something else, a name is not a string, or a value is not a tensor.
 */
export function namedTensors(action: string, given: NamedTensors): ReadonlyMap<string, Tensor> {
  const map: unknown = hasState(given) ? given.stateDict() : given;
  const isPlain = typeof map === "object" && map !== null && !Array.isArray(map) &&
    !(Symbol.iterator in map) && !(map instanceof Tensor) && !ArrayBuffer.isView(map);
  if (!(map instanceof Map) && !isPlain) {
    throw new TypeError(
      `Cannot ${action}: got ${
        describe(given)
      }, expected a StateDict, a Map, a plain object or a Module`,
    );
  }
  const entries = map instanceof Map ? map as Map<unknown, unknown> : new Map(Object.entries(map!));
  for (const [name, value] of entries) {
    if (typeof name !== "string") {
      throw new TypeError(`Cannot ${action}: got a name ${describe(name)}, expected a string`);
    }
    if (!(value instanceof Tensor)) {
      throw new TypeError(`Cannot write ${quote(name)}: got ${describe(value)}, expected a Tensor`);
    }
  }
  return entries as ReadonlyMap<string, Tensor>;
}

function hasState(given: NamedTensors): given is { stateDict(): ReadonlyMap<string, Tensor> } {
  return typeof given === "object" && given !== null && !(given instanceof Map) &&
    typeof (given as { stateDict?: unknown }).stateDict === "function";
}
