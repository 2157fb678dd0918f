/**
 * What optimizers write to disk, in PyTorch's layout and names.
 */
import { noGrad, Tensor } from "../autograd/mod.ts";
import { describe, formatShape, sameShape, scalar } from "../autograd/internal.ts";

/** A value in a state dict. */
export type StateValue = Tensor | number | boolean | string | null | readonly StateValue[];

/** The state of an optimizer: what it remembers for each parameter, and the groups. */
export interface OptimizerStateDict {
  /** By the index of the parameter, counted over all groups: `{ momentum_buffer, step, … }`. */
  readonly state: Readonly<Record<string, Readonly<Record<string, StateValue>>>>;
  /** The hyperparameters of each group under PyTorch's names, and the indices of its parameters. */
  readonly param_groups: readonly Readonly<Record<string, StateValue>>[];
}

/** What an optimizer remembers for one parameter. */
export type ParameterState = Record<string, Tensor | number | undefined>;

/** Which entries a parameter's state has. */
export interface StateLayout {
  /** Tensors of the parameter's shape that are always there. */
  readonly tensors: readonly string[];
  /** Tensors of the parameter's shape that depend on the hyperparameters. */
  readonly optional: readonly string[];
  /** Numbers that are always there; tensors of one element on disk. */
  readonly numbers: readonly string[];
}

/** `weightDecay` → `weight_decay`. */
export function toSnakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `weight_decay` → `weightDecay`. */
export function toCamelCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A copy of a value that later steps do not change. */
export function snapshot(value: StateValue): StateValue {
  if (value instanceof Tensor) return noGrad(() => value.clone());
  return Array.isArray(value) ? value.map(snapshot) : value;
}

/** Writes one parameter's state. */
export function packState(state: ParameterState): Record<string, StateValue> {
  const packed: Record<string, StateValue> = {};
  for (const [key, value] of Object.entries(state)) {
    if (value === undefined) continue;
    packed[toSnakeCase(key)] = typeof value === "number" ? scalar(value) : snapshot(value);
  }
  return packed;
}

/**
 * Reads one parameter's state; `null` if it holds nothing.
 *
 * @throws {TypeError} if an entry is of the wrong kind.
 * @throws {RangeError} if an entry is missing or unknown, or has another shape than the parameter.
 */
export function unpackState(
  action: string,
  index: string,
  saved: unknown,
  param: Tensor,
  layout: StateLayout,
): ParameterState | null {
  const required = [...layout.numbers, ...layout.tensors];
  const known = [...required, ...layout.optional];
  if (typeof saved !== "object" || saved === null) {
    throw new TypeError(
      `Cannot ${action}: got state[${index}] ${describe(saved)}, expected an object`,
    );
  }
  const state: ParameterState = {};
  for (const [name, value] of Object.entries(saved as Record<string, unknown>)) {
    const key = toCamelCase(name);
    if (!known.includes(key)) {
      throw new RangeError(
        `Cannot ${action}: got state[${index}].${name}, expected one of ` +
          known.map(toSnakeCase).join(", "),
      );
    }
    if (value === null || value === undefined) continue;
    const label = `state[${index}].${name}`;
    state[key] = layout.numbers.includes(key)
      ? readNumber(action, label, value)
      : readTensor(action, label, value, param);
  }
  if (Object.keys(state).length === 0) return null;
  for (const key of required) {
    if (state[key] === undefined) {
      throw new RangeError(
        `Cannot ${action}: got state[${index}] without ${toSnakeCase(key)}, expected ` +
          required.map(toSnakeCase).join(", "),
      );
    }
  }
  return state;
}

function readNumber(action: string, label: string, value: unknown): number {
  if (typeof value === "number") return value;
  if (value instanceof Tensor && value.size === 1) return value.item();
  throw new TypeError(
    `Cannot ${action}: got ${label} ${
      describe(value)
    }, expected a number or a Tensor of one element`,
  );
}

function readTensor(action: string, label: string, value: unknown, param: Tensor): Tensor {
  if (!(value instanceof Tensor)) {
    throw new TypeError(`Cannot ${action}: got ${label} ${describe(value)}, expected a Tensor`);
  }
  if (!sameShape(value.shape, param.shape)) {
    throw new RangeError(
      `Cannot ${action}: got ${label} of shape ${formatShape(value.shape)}, expected ` +
        `${formatShape(param.shape)} as its parameter`,
    );
  }
  return noGrad(() => value.clone());
}

/**
 * Matches the saved groups with the parameters of an optimizer.
 *
 * @returns The parameter that each saved index stands for.
 * @throws {TypeError} if it is no state dict of an optimizer.
 * @throws {RangeError} if the number of groups or of parameters in a group differs.
 */
export function matchParameters(
  action: string,
  saved: OptimizerStateDict,
  groups: readonly { readonly params: readonly Tensor[] }[],
): Map<string, Tensor> {
  const given: unknown = saved;
  const isLayout = typeof given === "object" && given !== null &&
    Array.isArray((given as OptimizerStateDict).param_groups) &&
    typeof (given as OptimizerStateDict).state === "object" &&
    (given as OptimizerStateDict).state !== null;
  if (!isLayout) {
    throw new TypeError(
      `Cannot ${action}: got ${describe(given)}, expected { state, param_groups } as stateDict() ` +
        `gives it`,
    );
  }
  if (saved.param_groups.length !== groups.length) {
    throw new RangeError(
      `Cannot ${action}: got ${saved.param_groups.length} parameter groups, expected ` +
        `${groups.length}`,
    );
  }
  const byIndex = new Map<string, Tensor>();
  saved.param_groups.forEach((savedGroup, i) => {
    const indices = savedGroup?.params;
    if (!Array.isArray(indices)) {
      throw new TypeError(
        `Cannot ${action}: got params ${
          describe(indices)
        } in group ${i}, expected a list of indices`,
      );
    }
    const { params } = groups[i];
    if (indices.length !== params.length) {
      throw new RangeError(
        `Cannot ${action}: got ${indices.length} parameters in group ${i}, expected ` +
          `${params.length}`,
      );
    }
    indices.forEach((index, j) => byIndex.set(String(index), params[j]));
  });
  for (const index of Object.keys(saved.state)) {
    if (!byIndex.has(index)) {
      throw new RangeError(
        `Cannot ${action}: got state of a parameter ${index}, expected an index of param_groups`,
      );
    }
  }
  return byIndex;
}
