import type * as Step from "../solutions/1_scalar_tape.ts";
import { type Check, near } from "../check.ts";

/** Step 1: a tape of single numbers. */
export const checks: readonly Check<typeof Step>[] = [
  {
    what: "the slope of a product by each factor is the other one",
    run({ Value, mul }) {
      near(mul(new Value(3), new Value(5)).pull(2), [10, 6]);
    },
  },
  {
    what: "x·x + x has the slope 7 at 3: a number that is used twice gets both shares",
    run({ Value, add, mul, backward }) {
      const x = new Value(3);
      backward(add(mul(x, x), x));
      near([x.grad], [7]);
    },
  },
  {
    what: "a number waits until everything that uses it has been visited",
    run({ Value, add, mul, backward }) {
      // y·(y + x) with y = x² is x⁴ + x³, whose slope at 2 is 44; by y it is 2y + x = 10.
      const x = new Value(2);
      const y = mul(x, x);
      backward(mul(y, add(y, x)));
      near([y.grad, x.grad], [10, 44]);
    },
  },
];
