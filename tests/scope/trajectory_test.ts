/** What is recorded along PyTorch's recorded trainings is what PyTorch had. */
import { assert, assertEquals } from "@std/assert";
import { nn, type Tensor } from "../../mod.ts";
import { numberOf, type Quantity, record } from "../../scope/mod.ts";
import { makeOptimizer } from "../oracle/library.ts";
import { makeCnn, makeMlp } from "../oracle/nets.ts";
import { optimizerOptions } from "../oracle/optimizers.ts";
import {
  numbers,
  readCases,
  type Recorded,
  type RecordedState,
  type RecordedTensor,
  toState,
  toTensor,
} from "../oracle/recorded.ts";

interface Training {
  arch: string;
  optim: string;
  kwargs: Record<string, Recorded>;
  state: RecordedState;
  steps: { x: RecordedTensor; t: RecordedTensor; state: RecordedState }[];
}

const NAMES: [Quantity, string][] = [
  ["gamma", "weight"],
  ["beta", "bias"],
  ["runningMean", "running_mean"],
  ["runningVar", "running_var"],
];

const folder = new URL("../oracle/data/", import.meta.url);
const cases = (await readCases<Training>("trajectory", folder))
  .filter(({ arch }) => arch === "mlp" || arch === "cnn");

Deno.test("γ, β and running statistics in a record are PyTorch's to 1e-9", () => {
  let compared = 0;
  for (const { arch, optim, kwargs, state, steps } of cases) {
    const net = arch === "mlp" ? makeMlp() : makeCnn();
    net.loadStateDict(toState(state));
    const optimizer = makeOptimizer(optim, net.parameters(), optimizerOptions(kwargs));
    const recorder = record(net as never, optimizer as never, { channels: "all" });
    for (const { x, t } of steps) {
      optimizer.zeroGrad();
      const logits: Tensor = net.forward(toTensor(x));
      nn.functional.crossEntropy(logits, toTensor(t)).backward();
      optimizer.step();
    }
    // By way of the text, as a page reads it.
    const { layers } = JSON.parse(JSON.stringify(recorder.stop())) as ReturnType<
      typeof recorder.toJSON
    >;
    assertEquals(layers.map(({ path }) => path), ["bn1", "bn2"]);
    for (const { path, series, channels } of layers) {
      for (const [quantity, name] of NAMES) {
        const { at, values } = series[quantity];
        for (const [i, step] of [{ state }, ...steps].entries()) {
          const recorded = step.state[`${path}.${name}`];
          // Some runs have the whole state after some of their steps only.
          if (recorded === undefined) continue;
          const expected = numbers(recorded.data);
          const largest = Math.max(...expected.map(Math.abs));
          // Each step is two events: the forward, then the optimizer.
          const event = i === 0 ? 0 : quantity.startsWith("running") ? 2 * i - 1 : 2 * i;
          const row = values[at.indexOf(event)];
          channels.forEach((c, j) => {
            const apart = Math.abs(numberOf(row[j]) - expected[c]);
            assert(
              apart <= 1e-12 + 1e-9 * largest,
              `${arch} ${optim}, step ${i}, ${path}.${name}[${c}]: got ${row[j]}, expected ${
                expected[c]
              }`,
            );
            compared++;
          });
        }
      }
    }
  }
  assert(compared > 1000, `${compared} compared`);
});
