/**
 * Batches from samples.
 */
import { noGrad, stack, Tensor, tensor } from "../../autograd/mod.ts";
import { describe, refuse } from "../../autograd/internal.ts";

/** What samples become in a batch: numbers and tensors a tensor with one more axis, at every level. */
export type Batched<Sample> = Sample extends Tensor | number ? Tensor
  : Sample extends readonly unknown[] ? { -readonly [Key in keyof Sample]: Batched<Sample[Key]> }
  : Sample extends object ? { -readonly [Key in keyof Sample]: Batched<Sample[Key]> }
  : Sample[];

/**
 * Stacks samples of one form along a new first axis: tensors, numbers, booleans, typed arrays, and lists,
 * maps and objects of them. Texts are listed.
 *
 * @throws {TypeError} for what cannot be stacked, a promise or a date.
 * @throws {RangeError} if shapes or the number of parts differ.
 *
 * @example
 * ```ts
 * import { stackSamples, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const batch = stackSamples([{ x: tensor([1, 2]), y: 0 }, { x: tensor([3, 4]), y: 1 }]);
 * assertEquals(batch.x.toArray(), [[1, 2], [3, 4]]);
 * assertEquals(batch.y.toArray(), [0, 1]);
 * ```
 */
export function stackSamples<Sample>(samples: readonly Sample[]): Batched<Sample> {
  if (!Array.isArray(samples)) {
    throw new TypeError(
      `Cannot stack samples: got ${describe(samples)}, expected a list of samples`,
    );
  }
  // Gaps become undefined, which is refused by name.
  return stackValues(Array.from(samples), 0) as Batched<Sample>;
}

/** Deeper than samples are. */
const DEEPEST = 64;

function stackValues(values: readonly unknown[], depth: number): unknown {
  if (depth > DEEPEST) {
    refuse("stack samples", `samples nested more than ${DEEPEST} deep`, "at most that");
  }
  const first = values[0];
  if (values.every((value) => value instanceof Tensor)) return noGrad(() => stack(values));
  if (values.every((value) => typeof value === "number")) return tensor(values);
  if (values.every((value) => typeof value === "boolean")) return tensor(values.map(Number));
  const stackParts = (partOf: (value: unknown) => unknown) =>
    stackValues(values.map(partOf), depth + 1);
  const unlikeFirst = (value: unknown): never =>
    refuse("stack samples", describe(value), `one like the first, ${describe(first)}`);
  if (ArrayBuffer.isView(first) && !(first instanceof DataView)) {
    const { length } = first as Float64Array;
    return noGrad(() =>
      stack(
        values.map((value) =>
          ArrayBuffer.isView(value) && (value as Float64Array).length === length
            ? tensor(value as Float64Array)
            : unlikeFirst(value)
        ),
      )
    );
  }
  if (first instanceof Map) {
    return new Map([...first.keys()].map((key) => [
      key,
      stackParts((value) =>
        value instanceof Map && value.has(key) ? value.get(key) : unlikeFirst(value)
      ),
    ]));
  }
  if (Array.isArray(first)) {
    return first.map((_, part) =>
      stackParts((value) =>
        Array.isArray(value) && value.length === first.length ? value[part] : unlikeFirst(value)
      )
    );
  }
  if (typeof first === "object" && first !== null && !(first instanceof Tensor)) {
    if (isForeign(first)) {
      throw new TypeError(
        `Cannot stack samples: got ${
          describe(first)
        }, expected tensors, numbers, booleans, typed ` +
          `arrays, texts, and lists, maps and plain objects of them`,
      );
    }
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        stackParts((value) =>
          typeof value === "object" && value !== null && key in value
            ? (value as Record<string, unknown>)[key]
            : unlikeFirst(value)
        ),
      ]),
    );
  }
  return [...values];
}

/** Whether an object is more than its keys: a promise, a date, a set. */
function isForeign(value: object): boolean {
  const inner = Object.prototype.toString.call(value);
  return inner !== "[object Object]" || Symbol.iterator in value;
}
