/**
 * What constructors of layers accept, and how they refuse the rest.
 *
 * One rule for all: PyTorch's positional arguments, then one options object. A layer whose arguments
 * are all options takes a leading number or string in place of the object: `new Softmax(-1)` is
 * `new Softmax({ dim: -1 })`.
 */
import { type PerAxis, Tensor } from "../../autograd/mod.ts";
import {
  assertOptions,
  kindOf,
  type Known,
  refuse,
  refuseKind,
  show,
} from "../../autograd/internal.ts";
import { Module } from "./module.ts";

/**
 * The options of a layer.
 *
 * @param layer Named in errors.
 * @param given What the constructor got.
 * @param known The options that there are.
 * @param first The option that a lone number or string stands for.
 * @throws {TypeError} if it is something else, or an option is unknown.
 */
export function layerOptions<T extends object>(
  layer: string,
  given: T | number | string | null | undefined,
  known: Known<NoInfer<T>>,
  first?: keyof T & string,
): T {
  if (given === undefined || given === null) return {} as T;
  if (first !== undefined && (typeof given === "number" || typeof given === "string")) {
    return { [first]: given } as T;
  }
  assertOptions(`make ${layer}`, given as T, known);
  return given as T;
}

/**
 * Checks an integer.
 *
 * @throws {TypeError} if it is not a number. @throws {RangeError} if it is not an integer or below `least`.
 */
export function checkCount(layer: string, name: string, value: unknown, least: number): number {
  checkNumber(layer, name, value);
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    const bound = least === -Infinity ? "" : ` of at least ${least}`;
    refuse(`make ${layer}`, `${name} ${value}`, `an integer${bound}`);
  }
  return value as number;
}

/**
 * Checks a number.
 *
 * @throws {TypeError} if it is none. @throws {RangeError} if it is NaN.
 */
export function checkNumber(layer: string, name: string, value: unknown): number {
  if (typeof value !== "number") refuseKind(`make ${layer}`, name, value, "a number");
  if (Number.isNaN(value)) refuse(`make ${layer}`, `${name} NaN`, "a number");
  return value;
}

/**
 * Checks a switch.
 *
 * @throws {TypeError} if it is not a boolean.
 */
export function checkFlag(layer: string, name: string, value: unknown): boolean {
  if (typeof value !== "boolean") refuseKind(`make ${layer}`, name, value, "true or false");
  return value;
}

/**
 * Checks a name.
 *
 * @throws {TypeError} if it is not a string. @throws {RangeError} if it is not one of `known`.
 */
export function checkChoice<T extends string>(
  layer: string,
  name: string,
  value: T,
  known: readonly T[],
): T {
  const expected = `one of ${known.join(", ")}`;
  if (typeof value !== "string") refuseKind(`make ${layer}`, name, value, expected);
  if (!known.includes(value)) refuse(`make ${layer}`, `${name} "${value}"`, expected);
  return value;
}

/**
 * Checks an optional tensor.
 *
 * @throws {TypeError} if it is neither a tensor nor absent.
 */
export function checkTensor(layer: string, name: string, value: unknown): Tensor | null {
  if (value === undefined || value === null) return null;
  if (!(value instanceof Tensor)) refuseKind(`make ${layer}`, name, value, "a Tensor or null");
  return value;
}

/**
 * One number for each axis from a number or a list.
 *
 * @throws {TypeError} if something is not a number. @throws {RangeError} if one is not an integer or below
 * `least`, or the list has another length.
 */
export function checkPerAxis(
  layer: string,
  name: string,
  value: number | readonly number[],
  axes: number,
  least: number,
): number[] {
  const list = typeof value === "number" ? [value] : value;
  const expected = `a number or ${axes} of them`;
  if (!Array.isArray(list)) refuseKind(`make ${layer}`, name, value, expected);
  if (list.length !== axes && list.length !== 1) {
    const sizes = list.map(show).join(", ");
    refuse(`make ${layer}`, `${name} [${sizes}]`, expected);
  }
  const sizes = list.length === axes ? list : new Array<number>(axes).fill(list[0]);
  return sizes.map((size) => checkCount(layer, name, size, least));
}

/** @throws {TypeError} if `value` is not a module. */
export function assertModule(
  action: string,
  name: string,
  value: unknown,
): asserts value is Module {
  try {
    if (value instanceof Module) return;
  } catch {
    // A revoked proxy cannot even be asked.
  }
  refuseKind(action, name, value, "a Module");
}

/**
 * A layer over the axes behind batch and channels. Its family has one class for each number of them:
 * `Conv1d`, `Conv2d`, `Conv3d`.
 */
// deno-lint-ignore no-explicit-any -- layers differ in what they return.
export abstract class SpatialLayer<Output = any> extends Module<any[], Output> {
  /** @internal The number of axes; each class has its own. */
  static readonly axes: number = 0;

  /** @internal */
  protected get axes(): number {
    return (this.constructor as typeof SpatialLayer).axes;
  }

  /** @internal One size for each axis from a number or a list. */
  protected perAxis(name: string, sizes: PerAxis, least: number): number[] {
    return checkPerAxis(kindOf(this), name, sizes, this.axes, least);
  }
}
