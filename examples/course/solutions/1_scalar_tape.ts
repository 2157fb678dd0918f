/** Step 1: a tape of single numbers. */

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
  // The slope by each factor is the other factor.
  return new Value(a.data * b.data, [a, b], (g) => [g * b.data, g * a.data]);
}

/** Fills `grad` of everything that `root` was made from. */
export function backward(root: Value): void {
  const order: Value[] = [];
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    value.inputs.forEach(visit);
    order.push(value);
  };
  visit(root);
  root.grad = 1;
  // From the root down, each value after everything that uses it: then its gradient is complete.
  for (const value of order.reverse()) {
    const shares = value.pull(value.grad);
    value.inputs.forEach((input, i) => input.grad += shares[i]);
  }
}
