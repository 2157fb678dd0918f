/**
 * What schedules write to disk and read from there.
 */
import { Tensor } from "../../autograd/mod.ts";
import { kindOf, refuse, refuseKind } from "../../autograd/internal.ts";
import type { Optimizer } from "../optimizer.ts";
import { readDict, toSnakeCase } from "../state_dict.ts";
import { assignLrs } from "./rates.ts";

/** What a schedule writes to disk, under PyTorch's names. */
export type SchedulerStateDict = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;

/** Fields with their names on disk: `tMax` → `T_max`, as PyTorch has it; others in snake case. */
export function diskNames(fields: readonly string[]): Map<string, string> {
  return new Map(
    fields.map((field) => [field, toSnakeCase(field).replace(/^t(_|(?=0$))/, "T_")]),
  );
}

/** A copy of a value, with numbers for tensors of one element. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor && value.size === 1) return value.item();
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The fields of a schedule, copied. */
export function takeState(
  schedule: object,
  names: ReadonlyMap<string, string>,
): SchedulerStateDict {
  const fields = schedule as Fields;
  return Object.fromEntries([...names].map(([field, name]) => [name, plain(fields[field])]));
}

/**
 * Sets the fields of a schedule from a state, an object or a Map, and the rates of its optimizer.
 *
 * @throws {TypeError} if an entry is of another kind than the field.
 * @throws {RangeError} if an entry is missing or there is another number of groups.
 */
export function loadState(
  schedule: { readonly optimizer: Optimizer },
  names: ReadonlyMap<string, string>,
  saved: SchedulerStateDict,
): void {
  const action = `load the state of ${kindOf(schedule)}`;
  const entries = readDict(action, "", saved);
  const values: Fields = {};
  for (const [field, key] of names) {
    const value = plain(entries[key]);
    const current = (schedule as unknown as Fields)[field];
    if (value === undefined) {
      refuse(action, `no ${key}`, [...names.values()].join(", "));
    }
    if (typeof value !== typeof current || Array.isArray(value) !== Array.isArray(current)) {
      refuseKind(action, key, value, Array.isArray(current) ? "a list" : `a ${typeof current}`);
    }
    if (/Lrs?$/.test(field) && Array.isArray(value) && Array.isArray(current)) {
      // A group may have been added after the schedule was made: the last rates are then one more.
      const fits = value.length === current.length ||
        (field === "lastLr" && value.length === schedule.optimizer.paramGroups.length);
      if (!fits) {
        refuse(action, `${value.length} ${key}`, `${current.length}, one for each group`);
      }
    }
    values[field] = value;
  }
  assignLrs(action, schedule.optimizer, values.lastLr as number[]);
  Object.assign(schedule, values);
}
