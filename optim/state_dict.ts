/**
 * What optimizers write to disk, in PyTorch's layout and names.
 */
import { noGrad, Tensor } from "../autograd/mod.ts";
import {
  describe,
  formatShape,
  refuse,
  refuseKind,
  sameShape,
  scalar,
} from "../autograd/internal.ts";

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
  const entries = readDict(action, `state[${index}] `, saved);
  const state: ParameterState = {};
  for (const [name, value] of Object.entries(entries)) {
    const key = toCamelCase(name);
    const label = `state[${index}].${name}`;
    if (!known.includes(key)) {
      refuse(action, label, `one of ${known.map(toSnakeCase).join(", ")}`);
    }
    if (value === null || value === undefined) continue;
    state[key] = layout.numbers.includes(key)
      ? readNumber(action, label, value)
      : readTensor(action, label, value, param);
  }
  if (Object.keys(state).length === 0) return null;
  for (const key of required) {
    if (state[key] === undefined) {
      refuse(
        action,
        `state[${index}] without ${toSnakeCase(key)}`,
        required.map(toSnakeCase).join(", "),
      );
    }
  }
  return state;
}

function readNumber(action: string, label: string, value: unknown): number {
  if (typeof value === "number") return value;
  if (value instanceof Tensor && value.size === 1) return value.item();
  refuseKind(action, label, value, "a number or a Tensor of one element");
}

function readTensor(action: string, label: string, value: unknown, param: Tensor): Tensor {
  if (!(value instanceof Tensor)) {
    refuseKind(action, label, value, "a Tensor");
  }
  if (!sameShape(value.shape, param.shape)) {
    refuse(
      action,
      `${label} of shape ${formatShape(value.shape)}`,
      `${formatShape(param.shape)} as its parameter`,
    );
  }
  return noGrad(() => value.clone());
}

/** How often each number counts: Python's `Counter`, which PyTorch keeps milestones in. */
export class Counter extends Map<number, number> {
  /** Counts the numbers of a list. */
  constructor(numbers: Iterable<number> = []) {
    super();
    for (const number of numbers) this.set(number, (this.get(number) ?? 0) + 1);
  }

  /** The counts by number, for JSON. */
  toJSON(): Record<string, number> {
    return Object.fromEntries(this);
  }
}

/**
 * The entries of a dict, which files hold as a Map and programs as an object.
 *
 * @throws {TypeError} if it is neither.
 */
export function readDict(action: string, label: string, value: unknown): Record<string, unknown> {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, entry]) => [String(key), entry]));
  }
  const isDict = typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Tensor);
  if (isDict) return value as Record<string, unknown>;
  throw new TypeError(
    `Cannot ${action}: got ${label}${describe(value)}, expected an object or a Map`,
  );
}

/** A saved state, matched with the parameters of an optimizer by their order. */
interface MatchedState<Group> {
  /** The saved groups. */
  readonly groups: readonly Readonly<Record<string, unknown>>[];
  /** What was saved for a parameter under an index, and the parameter with its group. */
  readonly states: readonly { index: string; entry: unknown; param: Tensor; group: Group }[];
}

/**
 * Takes a saved state apart and finds the parameters that it speaks of.
 *
 * @throws {TypeError} if it is not the state dict of an optimizer, or a group lists no parameters.
 * @throws {RangeError} if the number of groups or of parameters in a group differs.
 */
export function matchState<Group extends { readonly params: readonly Tensor[] }>(
  action: string,
  saved: unknown,
  groups: readonly Group[],
): MatchedState<Group> {
  const { state, param_groups } = readDict(action, "", saved);
  if (state === undefined || !Array.isArray(param_groups)) {
    throw new TypeError(
      `Cannot ${action}: got ${describe(saved)}, expected { state, param_groups } as stateDict() ` +
        `gives it`,
    );
  }
  const entries = Object.entries(readDict(action, "state ", state));
  const savedGroups = param_groups.map((group, i) =>
    readDict(action, `param_groups[${i}] `, group)
  );
  if (savedGroups.length !== groups.length) {
    refuse(action, `${savedGroups.length} parameter groups`, `${groups.length}`);
  }
  const places = new Map<string, { param: Tensor; group: Group }>();
  savedGroups.forEach(({ params: indices }, i) => {
    if (!Array.isArray(indices)) {
      throw new TypeError(
        `Cannot ${action}: got params ${
          describe(indices)
        } in group ${i}, expected a list of indices`,
      );
    }
    const group = groups[i];
    if (indices.length !== group.params.length) {
      refuse(action, `${indices.length} parameters in group ${i}`, `${group.params.length}`);
    }
    indices.forEach((index, j) => places.set(String(index), { param: group.params[j], group }));
  });
  const states = entries.map(([index, entry]) => {
    const place = places.get(index);
    if (place === undefined) {
      refuse(action, `state of a parameter ${index}`, "an index of param_groups");
    }
    return { index, entry, ...place };
  });
  return { groups: savedGroups, states };
}
