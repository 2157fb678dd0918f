/** Step 1: a tape of single numbers. */
import { blank } from "./blank.ts";

/** A number, what it was made from, and how a gradient is handed back to that. */
export class Value {
  /** The gradient of the root by this number; `backward` adds to it. */
  grad = 0;
  readonly data: number;
  readonly inputs: readonly Value[];
  readonly pull: (gradient: number) => readonly number[];

  constructor(data: number, inputs: readonly Value[] = [], pull: Value["pull"] = () => []) {
    this.data = data;
    this.inputs = inputs;
    this.pull = pull;
  }
}

/** a + b. Both slopes are 1. */
export function add(a: Value, b: Value): Value {
  return new Value(a.data + b.data, [a, b], (g) => [g, g]);
}

/** a·b. */
export function mul(a: Value, b: Value): Value {
  return new Value(
    a.data * b.data,
    [a, b],
    (g) => blank(`the two slopes of a product, times ${g}`),
  );
}

/** Fills `grad` of everything that `root` was made from. */
export function backward(root: Value): void {
  root.grad = 1;
  blank("visit each value after everything that uses it, and add its shares to its inputs");
}
