/**
 * Warnings about programs that run but hardly do what was meant. Each has a stable code, comes once for
 * each place (a layer, an optimizer), and can be silenced.
 */

/** What is warned of, by code. */
export const WARNINGS = {
  "bn-update-under-no-grad":
    "a BatchNorm in training mode ran under noGrad and updated its running statistics",
  "bn-frozen-in-training":
    "a BatchNorm whose parameters are frozen ran in training mode and updated its statistics",
  "bn-eval-before-training":
    "a BatchNorm ran in evaluation mode before it had seen any batch in training mode",
  "bn-batch-statistics-in-eval":
    "a BatchNorm that tracks nothing ran in evaluation mode: its output depends on the batch",
  "bn-large-momentum": "a BatchNorm has a momentum above 0.5, which looks like Keras's convention",
  "bn-few-values": "a BatchNorm took statistics from fewer than 8 values in a channel",
  "bn-non-finite": "NaN or an infinity entered the running statistics of a BatchNorm",
  "grad-of-non-leaf": "the grad of a tensor that is no leaf was read, and is null",
  "loss-broadcast": "a loss compared tensors of different shapes, which broadcast",
  "module-in-plain-container":
    "a module is held in an array, a map or a plain object, where its owner does not find it",
  "optim-grad-not-cleared":
    "an optimizer stepped on gradients that still hold those of its last step",
  "optim-scheduler-first": "a scheduler stepped before its optimizer had",
} as const;

/** The stable code of a warning. */
export type WarningCode = keyof typeof WARNINGS;

/** One warning. */
export interface Warning {
  /** Its stable code. */
  readonly code: WarningCode;
  /** What was seen and what to do. */
  readonly message: string;
}

/** Receives warnings. */
export type WarningHandler = (warning: Warning) => void;

const toConsole: WarningHandler = ({ code, message }) =>
  console.warn(`tapegrad [${code}]: ${message}`);

let handler: WarningHandler = toConsole;
let quiet = 0;
const silenced = new Set<WarningCode>();
const given = new WeakMap<object, Set<WarningCode>>();

/** Whether a warning would be given at this place, for conditions that cost something to find out. */
export function mayWarn(place: object, code: WarningCode): boolean {
  return quiet === 0 && !silenced.has(code) && !(given.get(place)?.has(code) ?? false);
}

/** Gives a warning, once for each place. */
export function warnOnce(place: object, code: WarningCode, message: string): void {
  if (!mayWarn(place, code)) return;
  const codes = given.get(place) ?? new Set();
  given.set(place, codes.add(code));
  handler({ code, message });
}

/** Runs `fn` without warnings: for code that does on purpose what would be a mistake elsewhere. */
export function withoutWarnings<T>(fn: () => T): T {
  quiet++;
  try {
    return fn();
  } finally {
    quiet--;
  }
}

/**
 * Silences warnings.
 *
 * @param codes Which; all where left out.
 * @returns A function that undoes it.
 * @throws {RangeError} if a code is unknown.
 *
 * @example
 * ```ts
 * import { nn, silenceWarnings, tensor } from "@tapegrad/tapegrad";
 *
 * const restore = silenceWarnings("bn-few-values");
 * new nn.BatchNorm1d(1).forward(tensor([[1], [2]]));
 * restore();
 * ```
 */
export function silenceWarnings(...codes: WarningCode[]): () => void {
  const all = Object.keys(WARNINGS) as WarningCode[];
  const unknown = codes.find((code) => !all.includes(code));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot silence warning ${unknown}: got an unknown code, expected one of ${all.join(", ")}`,
    );
  }
  const added = (codes.length === 0 ? all : codes).filter((code) => !silenced.has(code));
  for (const code of added) silenced.add(code);
  return () => added.forEach((code) => silenced.delete(code));
}

/**
 * Sends warnings to a function of one's own in place of the console.
 *
 * @returns A function that undoes it.
 */
export function onWarning(receive: WarningHandler): () => void {
  const before = handler;
  handler = receive;
  return () => void (handler = before);
}
