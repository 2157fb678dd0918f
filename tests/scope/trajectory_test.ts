/** What a report of PyTorch's recorded trainings holds and draws is what PyTorch had. */
import { assert, assertEquals } from "@std/assert";
import { nn, type Tensor } from "../../mod.ts";
import { numberOf, type Quantity, record, type RunRecord } from "../../scope/mod.ts";
import { toReport } from "../../scope/report/mod.ts";
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

/** What PyTorch had of a quantity, by the event at which a record notes it. */
function* recordedBy(
  { state, steps }: Pick<Training, "state" | "steps">,
  path: string,
  quantity: Quantity,
  name: string,
): Iterable<{ event: number; values: ArrayLike<number> }> {
  for (const [i, step] of [{ state }, ...steps].entries()) {
    const recorded = step.state[`${path}.${name}`];
    // Some runs have the whole state after some of their steps only.
    if (recorded === undefined) continue;
    // Each step is two events: the forward, then the optimizer.
    const event = i === 0 ? 0 : quantity.startsWith("running") ? 2 * i - 1 : 2 * i;
    yield { event, values: numbers(recorded.data) };
  }
}

/** The record of the same training here. */
function trained({ arch, optim, kwargs, state, steps }: Training): RunRecord {
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
  return recorder.stop().toJSON();
}

/** A strip of a page's lanes, and the points of its line as values. */
interface Strip {
  readonly quantity: string;
  readonly channel: number;
  readonly low: number;
  readonly high: number;
  readonly points: ReadonlyMap<number, number>;
}

/** The strips of the whole run, read from the markup. */
function stripsOf(page: string): Strip[] {
  const start = page.indexOf('aria-labelledby="lanes-wide-title"');
  const text = page.slice(page.lastIndexOf("<svg", start), page.indexOf("lanes-narrow-title"));
  const number = (name: string, from = text) =>
    Number(new RegExp(`data-${name}="([^"]*)"`).exec(from)![1]);
  const [from, to, left, right] = ["from", "to", "left", "right"].map((name) => number(name));
  return text.split(/(?=<svg y="[^"]*" data-quantity=)/).slice(1).map((strip) => {
    const [low, high, top, bottom] = ["low", "high", "top", "bottom"].map((name) =>
      number(name, strip)
    );
    const line = /class="line"><path d="M([^"]*)"/.exec(strip)![1];
    return {
      quantity: /data-quantity="(\w+)"/.exec(strip)![1],
      channel: number("layer-channel", strip),
      low,
      high,
      points: new Map(
        line.split("L").map((pair) => {
          const [x, y] = pair.split(",").map(Number);
          const event = Math.round(from + (x - left) / (right - left) * (to - from));
          return [event, low + (bottom - y) / (bottom - top) * (high - low)];
        }),
      ),
    };
  });
}

Deno.test("γ, β and running statistics in a page's data are PyTorch's to 1e-9", () => {
  let compared = 0;
  for (const training of cases) {
    const { arch, optim } = training;
    const page = toReport(trained(training), { title: `${arch} ${optim}` });
    const data = /<script type="application\/json" id="data">([^]*?)<\/script>/.exec(page)![1];
    const { layers } = (JSON.parse(data) as { record: RunRecord }).record;
    assertEquals(layers.map(({ path }) => path), ["bn1", "bn2"]);
    for (const { path, series, channels } of layers) {
      for (const [quantity, name] of NAMES) {
        const { at, values } = series[quantity];
        for (const { event, values: expected } of recordedBy(training, path, quantity, name)) {
          const largest = Math.max(...Array.from(expected, Math.abs));
          const row = values[at.indexOf(event)];
          channels.forEach((c, j) => {
            const apart = Math.abs(numberOf(row[j]) - expected[c]);
            assert(
              apart <= 1e-12 + 1e-9 * largest,
              `${arch} ${optim}, event ${event}, ${path}.${name}[${c}]: got ${row[j]}, expected ${
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

Deno.test("the lines of a page are PyTorch's values, to a hundredth of a pixel", () => {
  let compared = 0;
  // Drawing takes longer than training: one case of each network.
  for (const arch of ["mlp", "cnn"]) {
    const training = cases.find((one) => one.arch === arch)!;
    const page = toReport(trained(training), { title: arch });
    const shown = /id="lanes-channel">(\w+), channel/.exec(page)![1];
    const strips = stripsOf(page);
    assertEquals(strips.map(({ quantity }) => quantity), NAMES.map(([quantity]) => quantity));
    for (const [i, [quantity, name]] of NAMES.entries()) {
      const { channel, low, high, points } = strips[i];
      for (const { event, values } of recordedBy(training, shown, quantity, name)) {
        const apart = Math.abs(points.get(event)! - values[channel]);
        // The strip is 40 pixels high.
        assert(
          apart <= 0.01 / 40 * (high - low),
          `${arch}, event ${event}, ${shown}.${name}[${channel}]: drawn at ${
            points.get(event)
          }, expected ${values[channel]}`,
        );
        compared++;
      }
    }
  }
  assert(compared > 50, `${compared} compared`);
});
