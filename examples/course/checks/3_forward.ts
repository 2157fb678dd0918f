import { Generator, nn, randn, tensor } from "@tapegrad/tapegrad";
import type * as Step from "../solutions/3_forward.ts";
import { type Check, near } from "../check.ts";

const x = randn([8, 3], { generator: new Generator(2) }).mul(3).add(5);
const [gamma, beta] = [tensor([1, 2, -0.5]), tensor([0, 1, 3])];

/** Step 3: the forward pass. */
export const checks: readonly Check<typeof Step>[] = [
  {
    what: "the moments of [[1], [3]] are 2 and 1: the variance is divided by N",
    run({ momentsOf }) {
      const { mean, variance } = momentsOf(tensor([[1], [3]]));
      near([mean.item(), variance.item()], [2, 1]);
    },
  },
  {
    what: "a batch that is normalised by its own moments has mean β and spread |γ|",
    run({ momentsOf, normalise }) {
      const { mean, variance } = momentsOf(normalise(x, momentsOf(x), gamma, beta, 0));
      near(mean.data, beta.data);
      near(variance.data, gamma.data.map((value) => value * value));
    },
  },
  {
    what: "the library gives the same",
    run({ momentsOf, normalise }) {
      const y = nn.functional.batchNorm(x, null, null, gamma, beta, { training: true });
      near(normalise(x, momentsOf(x), gamma, beta).data, y.data);
    },
  },
];
