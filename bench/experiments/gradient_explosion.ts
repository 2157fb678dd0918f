/**
 * Batch norm makes gradients grow by a fixed factor from layer to layer in a network that has learned
 * nothing yet.
 *
 * @module
 */
import { experiment, list, main, within } from "../../experiment/mod.ts";
import { grad, mul, nn, randn, sum, type Tensor } from "../../mod.ts";

export default experiment({
  name: "gradient-explosion",
  claim:
    "At initialisation batch norm multiplies the squared size of gradients by π/(π − 1) = 1.467 in each ReLU layer, " +
    "in a linear one by (B − 2)/(B − 3); without batch norm they keep their size",
  source: "Yang et al., arXiv:1902.08129",
  configs: list([
    { norm: "batch", activation: "relu", batch: 192 },
    { norm: "none", activation: "relu", batch: 192 },
    { norm: "batch", activation: "linear", batch: 8 },
  ]),
  fixed: { depth: 30, width: 192 },
  seeds: 3,
  metrics: { factor: { goal: "none" } },
  quick: { seeds: 1 },
  *run({ config: { norm, activation, depth, width, batch }, generator }) {
    const stream = generator("init");
    let h = randn([batch, width], { generator: stream, requiresGrad: true });
    const inputs: Tensor[] = [];
    for (let layer = 0; layer < depth; layer++) {
      inputs.push(h);
      const linear = new nn.Linear(width, width, { bias: false });
      nn.init.kaimingNormal_(linear.weight, { nonlinearity: "relu", generator: stream });
      const y = linear.forward(h);
      const normed = norm === "batch" ? new nn.BatchNorm1d(width).forward(y) : y;
      h = activation === "relu" ? nn.functional.relu(normed) : normed;
    }
    const direction = randn([batch, width], { generator: stream });
    const gradients = grad(sum(mul(h, direction)), inputs) as Tensor[];
    const size = (x: Tensor): number => sum(x.square()).item();
    // The layers at both ends have not settled yet.
    const [first, last] = [5, depth - 6];
    const factor = (size(gradients[first]) / size(gradients[last])) ** (1 / (last - first));
    yield { step: 1, metrics: { factor } };
  },
  expect: [
    within("factor", { norm: "batch", activation: "relu" }, [1.4, 1.53]),
    // (B − 2)/(B − 3) = 1.2 for 8 samples; without the term of the variance in dx it is about 1.38.
    within("factor", { norm: "batch", activation: "linear" }, [1.14, 1.28]),
    within("factor", { norm: "none" }, [0.95, 1.05]),
  ],
});

if (import.meta.main) await main(import.meta.url);
