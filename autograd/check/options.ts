/** Checks of options. */
import { Tensor } from "../tensor.ts";
import { describe } from "./describe.ts";
import { refuseKind } from "./refuse.ts";

/** The names of options, listed next to their type, the one that errors show as an example first. */
export type Known<Options> = readonly (keyof Options & string)[];

/**
 * Throws unless `options` is an object of known keys: a silently ignored `out` would leave that tensor
 * unwritten, and `sum(x, 1)` for `sum(x, { dim: 1 })` would sum everything. A key whose value is
 * `undefined` or `null` counts as absent.
 *
 * @param action What is being done, as errors begin.
 * @param options What was given.
 * @param known The options that there are.
 * @throws {TypeError} for both.
 */
export function assertOptions<Options extends object>(
  action: string,
  options: Options,
  known: Known<NoInfer<Options>>,
): void {
  const isObject = typeof options === "object" && options !== null;
  if (!isObject || isNoOptions(options)) misplaced(action, options, known);
  for (const name in options) {
    // This loop and no lookup of the value first: together a tenth of the time.
    let i = 0;
    while (i < known.length && known[i] !== name) i++;
    if (i === known.length) refuse(action, options, name, known);
  }
}

/** Whether an object holds something other than options: a list, a map, a date. */
function isNoOptions(options: object): boolean {
  try {
    return Array.isArray(options) || options instanceof Map || options instanceof Set ||
      options instanceof Date || options instanceof Promise || ArrayBuffer.isView(options);
  } catch {
    // A revoked proxy cannot even be asked.
    return true;
  }
}

/** What PyTorch's callers may ask for and what is so anyway. */
const granted: Readonly<Record<string, readonly unknown[]>> = {
  inplace: [false],
  dtype: ["float64", "torch.float64"],
};

function refuse<Options extends object>(
  action: string,
  options: Options,
  name: keyof Options & string,
  known: Known<Options>,
): void {
  if (options instanceof Tensor) misplaced(action, options, known);
  // What somebody has added to the prototype of all objects was not asked for.
  if (!Object.hasOwn(options, name)) return;
  let value: unknown = false;
  try {
    value = options[name];
  } catch {
    // A property that cannot be read is not known either.
  }
  if (
    value === undefined || value === null ||
    (Object.hasOwn(granted, name) && granted[name].includes(value))
  ) return;
  throw new TypeError(
    `Cannot ${action}: got an option ${name}, expected ${
      known.length > 1 ? `one of ${known.join(", ")}` : known[0] ?? "none"
    }`,
  );
}

function misplaced(action: string, given: unknown, [first]: readonly string[]): never {
  throw new TypeError(
    `Cannot ${action}: got ${describe(given)} in place of the options, expected ` +
      (first === undefined ? "none" : `an object such as { ${first}: … }`),
  );
}

/**
 * Throws if a function without options is given some, PyTorch's `out` above all. A number after the
 * arguments is ignored: `map` and `reduce` pass one along with each element.
 *
 * @param action What is being done, as errors begin.
 * @param given The caller's `arguments`.
 * @param count How many of them it takes.
 * @throws {TypeError} if an object stands behind them.
 */
export function assertNoOptions(action: string, given: IArguments, count: number): void {
  if (given.length <= count) return;
  const surplus: unknown = given[count];
  if (typeof surplus === "object" && surplus !== null) assertOptions(action, surplus, []);
}

/**
 * An option that is a number, or its default where it was left out.
 *
 * @throws {TypeError} if it is something else.
 */
export function numberOption(
  action: string,
  value: number | undefined,
  name: string,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number") refuseKind(action, name, value, "a number");
  return value;
}
