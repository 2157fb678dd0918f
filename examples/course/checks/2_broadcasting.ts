import { Generator, grad, randn } from "@tapegrad/tapegrad";
import type * as Step from "../solutions/2_broadcasting.ts";
import { type Check, near } from "../check.ts";

/** The library's own gradient by an input of that shape, added to a tensor of the other. */
function expected(shape: readonly number[], result: readonly number[]): Check<typeof Step> {
  return {
    what: `[${shape}] added to [${result}]: the gradient has the shape [${shape}] again`,
    run({ sumTo }) {
      const generator = new Generator(1);
      const input = randn([...shape], { generator, requiresGrad: true });
      const gradient = randn([...result], { generator });
      const [wanted] = grad(input.add(randn([...result], { generator })), [input], {
        gradOutputs: gradient,
      });
      const got = sumTo(gradient, shape);
      near(got.shape, wanted!.shape);
      near(got.data, wanted!.data);
    },
  };
}

/** Step 2: broadcasting. */
export const checks: readonly Check<typeof Step>[] = [
  expected([4, 3], [4, 3]),
  expected([3], [4, 3]),
  expected([4, 1], [4, 3]),
  expected([], [4, 3]),
  expected([1, 3, 1, 1], [2, 3, 4, 5]),
];
