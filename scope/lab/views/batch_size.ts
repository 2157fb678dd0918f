/**
 * Batch size: the smaller, the more a sample's output depends on the others.
 */
import type { Numbers } from "../scenes/batch_size.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { type Drawn, escape, key, num, type View } from "./view.ts";

/** The sample's value. */
const SAMPLE = 1;

/** The section. */
export const view: View<Numbers> = {
  anchor: "batch-size",
  title: "Batch size 1, 2, 4 …",
  lead:
    "One sample, always of the same value, meets others in 200 batches of each size. With two in a " +
    "batch its output can only be −1 or 1: which of them is larger is all that is left. With one there " +
    "is no variance at all, and the layer says so.",
  controls: [
    {
      key: "size",
      label: "Look at one batch of",
      kind: "range",
      values: [1, 2, 4, 8, 16, 32, 64],
      initial: 2,
      text: (value) => `${value} ${value === 1 ? "sample" : "samples"}`,
    },
  ],
  ...predicting("batch-size", {
    question: "with one sample in a batch, what comes out of it in training?",
    answers: ["0", "An error"],
    set: { size: 1 },
    right: 1,
    why:
      "The sample would equal its own mean, so that every output were 0 whatever the input, and the " +
      "unbiased variance would divide by 0.",
  }),
  draw({ x, y, refusal, spreads, offUnit }, { size }, width): Drawn {
    const outputs = spreads.flatMap(({ outputs }) => [outputs[0], outputs.at(-1)!]);
    const range = extent([...outputs, -1.2, 1.2]);
    const plot = new Plot({
      width,
      height: 240,
      x: [-0.6, spreads.length - 0.4],
      y: range,
      xTicks: [],
      xLabel: "samples in a batch",
      yLabel: `output of the sample ${SAMPLE}`,
    });
    plot.segment("rule", -0.6, SAMPLE, spreads.length - 0.4, SAMPLE);
    spreads.forEach(({ size, outputs }, i) => {
      const spread = outputs.map((_, k) => i + ((k * 7) % 13 - 6) / 20);
      plot.dots(outputs.length > 0 && size === 2 ? "cloud strong" : "cloud", spread, outputs, 1.6);
      plot.text("tick middle", i, range[0], String(size), 0, 15);
      const [low, high] = [outputs[9], outputs[189]];
      plot.segment("line tracked", i + 0.4, low, i + 0.4, high);
    });
    const two = spreads[0];
    const last = spreads.at(-1)!;
    const one = y.length === 0
      ? `<p class="refusal">With ${num(size)} sample the layer refuses: <q>${
        escape(refusal)
      }</q></p>`
      : `<p>One batch of ${num(size)}: the sample ${num(x[0])} becomes <b>${num(y[0])}</b>${
        size === 2 ? `, the other, ${num(x[1])}, becomes <b>${num(y[1])}</b>` : ""
      }.</p>`;
    return {
      takeaway: `In batches of ${num(two.size)} the sample’s output is −1 or 1, to within ${
        num(offUnit)
      }. Its standard deviation falls from ${num(two.deviation)} with ${num(two.size)} samples to ${
        num(last.deviation)
      } with ${num(last.size)}.`,
      before: one,
      figures: [{
        title: "The same sample’s outputs spread less the larger the batch is.",
        svg: plot.toString(`Outputs of one sample in 200 batches of each size`),
        legend: key("cloud", "dot", "the output in one batch") +
          key("line tracked", "line", "90 % of them lie between") +
          key("rule", "line", "the sample itself"),
        table: {
          head: ["samples in a batch", "mean output", "standard deviation", "5 %", "95 %"],
          rows: spreads.map((
            { size, mean, deviation, outputs },
          ) => [size, mean, deviation, outputs[9], outputs[189]]),
        },
      }],
    };
  },
};
