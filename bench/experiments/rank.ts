/**
 * Without batch norm the samples of a batch become parallel with depth; with it they stay apart.
 *
 * @module
 */
import { experiment, grid, less, main } from "../../experiment/mod.ts";
import { matmul, nn, noGrad, randn, type Tensor } from "../../mod.ts";

const { functional } = nn;

/** Normalised by the batch; nothing is tracked. */
function normalised(y: Tensor): Tensor {
  return functional.batchNorm(y, null, null, null, null, { training: true });
}

/** The mean of |cos| between two different samples. */
function parallel(x: Tensor): number {
  const [n] = x.shape;
  const unit = x.div(x.square().sum({ dim: 1, keepdim: true }).sqrt());
  const cosines = matmul(unit, unit.t()).data;
  let total = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) total += Math.abs(cosines[i * n + j]);
  return total / (n * (n - 1) / 2);
}

export default experiment({
  name: "rank",
  claim:
    "Deep ReLU layers make the samples of a batch parallel, unless batch norm stands between them",
  source: "Daneshmand et al., arXiv:2106.03970",
  configs: grid({ norm: ["batch", "none"] }),
  fixed: { depth: 60, width: 64, batch: 32 },
  seeds: 5,
  metrics: { meanCosine: { goal: "min" } },
  quick: { seeds: 3 },
  *run({ config: { norm, depth, width, batch }, generator }) {
    const stream = generator("init");
    // Correlated inputs: all share a part.
    let h = randn([batch, width], { generator: stream })
      .add(randn([1, width], { generator: stream }).mul(1.3));
    for (let layer = 1; layer <= depth; layer++) {
      const linear = new nn.Linear(width, width, { bias: false });
      nn.init.kaimingNormal_(linear.weight, { nonlinearity: "relu", generator: stream });
      h = noGrad(() => {
        const y = linear.forward(h);
        return functional.relu(norm === "batch" ? normalised(y) : y);
      });
      if (layer % 20 === 0) yield { step: layer, metrics: { meanCosine: parallel(h) } };
    }
  },
  expect: [less("meanCosine", { norm: "batch" }, { norm: "none" }, { by: 0.3 })],
});

if (import.meta.main) await main(import.meta.url);
