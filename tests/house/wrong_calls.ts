/**
 * Values of every wrong kind, and what becomes of a call that gets them in place of each argument.
 */
import { ones, tensor, zeros } from "../../mod.ts";

let deep: unknown = 1;
for (let i = 0; i < 20_000; i++) deep = [deep];

const cyclic: unknown[] = [1];
cyclic.push(cyclic);

/** Values that are the wrong kind for nearly every argument. */
export const wrongValues: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a text", "0"],
  ["an empty text", ""],
  ["NaN", NaN],
  ["a fraction", 1.5],
  ["a negative number", -3],
  ["a large number", 2 ** 40],
  ["a bigint", 3n],
  ["a boolean", true],
  ["a symbol", Symbol("s")],
  ["an object", {}],
  ["an array", []],
  ["an array of texts", ["a"]],
  ["a nested array", [[1], [2, 3]]],
  ["a deep array", deep],
  ["a Map", new Map([["dim", 0]])],
  ["a Set", new Set([1])],
  ["a Date", new Date(0)],
  ["a function", () => 1],
  ["a promise", Promise.resolve(1)],
  ["a scalar tensor", tensor(1)],
  ["a tensor of another shape", ones([3, 5, 7])],
  ["an empty tensor", zeros([0])],
  ["an unknown option", { momentun: 1 }],
  ["an option of all objects", { constructor: 1 }],
  ["an option of a wrong kind", {
    dim: "0",
    keepdim: "false",
    lr: "0.1",
    reduction: 3,
    stride: "1",
  }],
  ["an array with gaps", new Array(3)],
  ["an array of null", [null]],
  ["an array of symbols", [Symbol("s")]],
  ["an array that holds itself", cyclic],
  ["a typed array of bigints", new BigInt64Array(2)],
  ["an object without a prototype", Object.create(null)],
  ["an iterable without an iterator", { [Symbol.iterator]: 1 }],
  ["something that cannot be shown", {
    toString() {
      throw new Error("no");
    },
  }],
];

/** How the engine's own messages begin, where they begin as the library's do. */
const ENGINE =
  /^Cannot (read prop|set prop|convert (a|un|obj)|destruct|mix Big|access '|assign to|perform ')/;

/** Whether an error speaks in the library's words: `Cannot <verb> <what>: got …, expected …`. */
export function isOwn(error: unknown): boolean {
  return error instanceof Error && /^Cannot /.test(error.message) && !ENGINE.test(error.message);
}

/** What a call gets: made anew each time, since calls may change it. */
export type RightArguments = () => readonly unknown[];

/** How many calls were made, and those that ended in the engine's words. */
export interface Tally {
  made: number;
  readonly engine: string[];
}

/** Calls with each argument in turn replaced by each of the wrong values, and with arguments left out. */
export async function callWrongly(
  name: string,
  call: (...args: never[]) => unknown,
  right: RightArguments,
  tally: Tally,
): Promise<void> {
  const attempt = async (what: string, args: readonly unknown[]): Promise<void> => {
    tally.made++;
    try {
      await call(...args as never[]);
    } catch (error) {
      if (!isOwn(error)) tally.engine.push(`${name}, ${what}: ${String(error).slice(0, 110)}`);
    }
  };
  const count = right().length;
  for (let i = 0; i < count; i++) {
    await attempt(`${i} arguments`, right().slice(0, i));
    for (const [kind, value] of wrongValues) {
      const args = right().map((argument, at) => at === i ? value : argument);
      await attempt(`argument ${i} ${kind}`, args);
    }
  }
}
