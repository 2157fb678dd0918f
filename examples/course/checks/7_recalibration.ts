import { Generator, manualSeed, nn, optim, randn, type Tensor } from "@tapegrad/tapegrad";
import type * as Step from "../solutions/7_recalibration.ts";
import { type Check, near } from "../check.ts";

const generator = new Generator(7);
const batches = Array.from({ length: 5 }, () => randn([8, 3], { generator }).mul(2).add(4));

function network(): nn.Sequential {
  manualSeed(7);
  const layers = [new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.ReLU(), new nn.BatchNorm1d(4)];
  return new nn.Sequential(...layers).eval();
}

function values(tensors: readonly Tensor[]): number[] {
  return tensors.flatMap((x) => [...x.data]);
}

/** Step 7: recalibration. */
export const checks: readonly Check<typeof Step>[] = [
  {
    what: "the statistics are those of updateBn()",
    async run({ recalibrate }) {
      const [mine, library] = [network(), network()];
      recalibrate(mine, batches);
      await optim.swa.updateBn(batches, library);
      near(values(mine.buffers()), values(library.buffers()));
    },
  },
  {
    what: "no parameter moves, no mode and no momentum changes",
    run({ recalibrate }) {
      const net = network();
      const before = values(net.parameters());
      recalibrate(net, batches);
      near(values(net.parameters()), before);
      near(net.modules().map((module) => Number(module.training)), [0, 0, 0, 0, 0]);
      const momenta = net.modules().flatMap((module) =>
        module instanceof nn.BatchNorm1d ? [module.momentum ?? NaN] : []
      );
      near(momenta, [0.1, 0.1]);
    },
  },
];
