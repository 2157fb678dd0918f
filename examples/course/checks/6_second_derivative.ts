import { Generator, grad, gradcheck, nn, randn } from "@tapegrad/tapegrad";
import type * as Step from "../solutions/6_second_derivative.ts";
import { type Check, near } from "../check.ts";

const x = randn([5, 2], { generator: new Generator(5), requiresGrad: true });
const options = { generator: new Generator(6) };
const weights = randn([5, 2], options);

/** Step 6: the second derivative. */
export const checks: readonly Check<typeof Step>[] = [
  {
    what: "the first derivative is the library's",
    run({ normalise }) {
      const library = nn.functional.batchNorm(x, null, null, null, null, { training: true });
      const [mine] = grad(normalise(x), [x], { gradOutputs: weights });
      near(mine!.data, grad(library, [x], { gradOutputs: weights })[0]!.data);
    },
  },
  {
    what: "gradcheck agrees on the first derivative",
    run: ({ normalise }) => void gradcheck(normalise, [x]),
  },
  {
    what: "gradcheck agrees on the second derivative",
    run: ({ normalise }) => void gradcheck(normalise, [x], { order: 2 }),
  },
];
