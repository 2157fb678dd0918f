import { Generator, nn, randn, type Tensor } from "@tapegrad/tapegrad";
import type * as Step from "../solutions/4_buffers_and_modes.ts";
import { type Check, near } from "../check.ts";

const generator = new Generator(3);
const batches = Array.from({ length: 4 }, () => randn([8, 2], { generator }).mul(2).add(1));

/** Step 4: buffers and modes. */
export const checks: readonly Check<typeof Step>[] = [
  {
    what: "four forward passes leave the running statistics where the library leaves them",
    run({ BatchNorm }) {
      const [mine, library] = [new BatchNorm(2), new nn.BatchNorm1d(2)];
      for (const x of batches) near(mine.forward(x).data, library.forward(x).data);
      near(mine.runningMean.data, library.runningMean!.data);
      near(mine.runningVariance.data, library.runningVar!.data);
    },
  },
  {
    what: "evaluation normalises by the running statistics, and moves nothing",
    run({ BatchNorm }) {
      const [mine, library] = [new BatchNorm(2), new nn.BatchNorm1d(2)];
      for (const x of batches) [mine, library].forEach((layer) => layer.forward(x));
      mine.training = false;
      library.eval();
      const before = [...mine.runningMean.data];
      near(mine.forward(batches[0]).data, library.forward(batches[0]).data);
      near(mine.runningMean.data, before);
    },
  },
  {
    what: "γ and β learn over the tape, the buffers are never on it",
    run({ BatchNorm }) {
      const layer = new BatchNorm(2);
      layer.forward(batches[0]).square().sum().backward();
      const reached = (x: Tensor) => x.grad === null ? 0 : 1;
      const { gamma, beta, runningMean, runningVariance } = layer;
      near([gamma, beta, runningMean, runningVariance].map(reached), [1, 1, 0, 0]);
      near([Number(runningMean.requiresGrad), Number(runningVariance.requiresGrad)], [0, 0]);
    },
  },
];
