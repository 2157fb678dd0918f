/**
 * Who moves what: forward passes the running statistics, the optimizer γ and β, and nothing else.
 *
 * @module
 */
import { Ledger } from "../../examples/digits/ledger.ts";
import { experiment, grid, main, within } from "../../experiment/mod.ts";
import { nn, noGrad, optim, type Tensor } from "../../mod.ts";
import { batchesOf, digits } from "./parts/images.ts";

const zero = (metric: string, how: string) => within(metric, { how }, [0, 0]);
const moves = (metric: string, how: string) => within(metric, { how }, [1e-3, 100]);

export default experiment({
  name: "separation",
  claim: "Forward passes never move γ and β, the optimizer never moves running statistics, and " +
    "each way of stopping one of them stops that one alone",
  configs: grid({
    how: ["train", "lr 0", "eval", "momentum 0", "noGrad", "requiresGrad false", "freeze"],
  }),
  fixed: { steps: 40 },
  metrics: {
    learnedByOptimizer: { goal: "none" },
    learnedByForward: { goal: "none" },
    trackedByOptimizer: { goal: "none" },
    trackedByForward: { goal: "none" },
    buffersInOptimizer: { goal: "none" },
  },
  setup: () => digits(),
  *run({ config: { how, steps }, data, generator }) {
    const bn = new nn.BatchNorm1d(32, { momentum: how === "momentum 0" ? 0 : 0.1 });
    const net = new nn.Sequential(new nn.Linear(64, 32), bn, new nn.ReLU(), new nn.Linear(32, 10));
    const sgd = new optim.SGD(net.parameters(), { lr: how === "lr 0" ? 0 : 0.1 });
    if (how === "eval") net.eval();
    if (how === "requiresGrad false") bn.requiresGrad_(false);
    if (how === "freeze") bn.freeze();
    const ledger = new Ledger([["bn", bn]]);
    for (let step = 0; step < steps;) {
      for (const [x, labels] of batchesOf(data.train, 32, generator("order"))) {
        if (step++ === steps) break;
        const forward = () => nn.functional.crossEntropy(net.forward(x) as Tensor, labels);
        const loss = how === "noGrad" ? noGrad(forward) : forward();
        ledger.book("forward");
        sgd.zeroGrad();
        if (loss.requiresGrad) loss.backward();
        sgd.step();
        ledger.book("optimizer");
      }
    }
    const moved =
      (names: readonly ("weight" | "bias" | "runningMean" | "runningVar")[]) =>
      (event: "forward" | "optimizer") =>
        names.reduce((sum, name) => sum + ledger.movement("bn", name, event).distance, 0);
    const learned = moved(["weight", "bias"]);
    const tracked = moved(["runningMean", "runningVar"]);
    const buffers = new Set<unknown>([...net.buffers()]);
    yield {
      step: steps,
      metrics: {
        learnedByOptimizer: learned("optimizer"),
        learnedByForward: learned("forward"),
        trackedByOptimizer: tracked("optimizer"),
        trackedByForward: tracked("forward"),
        buffersInOptimizer: sgd.paramGroups.flatMap(({ params }) => [...params])
          .filter((tensor) => buffers.has(tensor)).length,
      },
    };
  },
  expect: [
    within("learnedByForward", {}, [0, 0]),
    within("trackedByOptimizer", {}, [0, 0]),
    within("buffersInOptimizer", {}, [0, 0]),
    ...["train", "eval", "momentum 0", "freeze"].map((how) => moves("learnedByOptimizer", how)),
    ...["lr 0", "noGrad", "requiresGrad false"].map((how) => zero("learnedByOptimizer", how)),
    ...["train", "lr 0", "noGrad", "requiresGrad false"].map((how) =>
      moves("trackedByForward", how)
    ),
    ...["eval", "momentum 0", "freeze"].map((how) => zero("trackedByForward", how)),
  ],
});

if (import.meta.main) await main(import.meta.url);
