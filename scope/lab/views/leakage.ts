/**
 * Leakage: a batch that tells what its samples do not.
 */
import type { Numbers } from "../scenes/leakage.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { counting, type Drawn, key, percent, type View } from "./view.ts";

/** The section. */
export const view: View<Numbers> = {
  anchor: "leakage",
  title: "Leakage through the batch",
  lead:
    "Sixteen points lie around an offset that changes from batch to batch, and a few of them are " +
    "odd ones out. A point alone does not tell which it is; its neighbours do, and batch statistics " +
    "hand that on. In training this looks like learning, in evaluation it is gone.",
  controls: [
    {
      key: "offset",
      label: "Spread of the offsets",
      kind: "range",
      values: [0, 0.5, 1, 2, 5, 10, 20],
      initial: 5,
      text: (value) => value === 0 ? "0: all batches lie in one place" : `${value}`,
    },
    {
      key: "odd",
      label: "Odd ones",
      kind: "range",
      values: counting(1, 8),
      initial: 4,
      text: (value) => `${value} of 16`,
    },
    {
      key: "steps",
      label: "Training steps",
      kind: "range",
      values: counting(100, 600, 100),
      initial: 400,
      text: (value) => `${value} steps`,
    },
  ],
  ...predicting("leakage", {
    question:
      "if all batches lie in one place, spread 0, does what was learned with batch norm hold in " +
      "evaluation?",
    answers: ["It holds", "It is gone there too"],
    set: { offset: 0 },
    right: 0,
    why:
      "Then a point tells by itself whether it is an odd one, and nothing has to come from its " +
      "neighbours. Batch norm hands on what a batch has in common; the data decide whether that tells.",
  }),
  draw({ majority, batch, running, without, examples }, { odd }, width): Drawn {
    const bars: [string, number, string][] = [
      ["batch norm, statistics of the test batch", batch, "bar second"],
      ["batch norm in evaluation", running, "bar first"],
      ["without batch norm", without, "bar third"],
    ];
    const plot = new Plot({
      width,
      height: 70 + 44 * bars.length,
      x: [0, 100],
      y: [0, bars.length + 0.4],
      yTicks: [],
      left: 8,
      xLabel: "accuracy, %",
    });
    bars.forEach(([name, value, mark], i) => {
      const y = bars.length - i;
      plot.text("label", 0, y - 0.28, `${name}: ${(100 * value).toFixed(1)} %`, 2);
      plot.bar(mark, 0, y - 0.9, 100 * value, y - 0.45);
    });
    plot.segment("switch", 100 * majority, 0, 100 * majority, bars.length);
    plot.text(
      "label end",
      100 * majority,
      bars.length + 0.2,
      `always the same answer: ${(100 * majority).toFixed(1)} %`,
      0,
    );
    const all = examples.flatMap(({ points }) => points);
    const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
    const scatter = new Plot({
      width,
      height: 240,
      x: extent(xs, 1),
      y: extent(ys, 1),
      yLabel: "three test batches",
    });
    for (const { points } of examples) {
      const [first, rest] = [points.slice(0, odd), points.slice(odd)];
      scatter.dots("mark hollow", rest.map(([x]) => x), rest.map(([, y]) => y), 3.5);
      scatter.triangles("mark second", first.map(([x]) => x), first.map(([, y]) => y), 5);
    }
    return {
      takeaway: `Normalised with the test batch’s own statistics the network is right in ${
        percent(batch)
      }, in evaluation in ${percent(running)}, and without batch norm in ${
        percent(without)
      }; always giving the same answer is right in ${percent(majority)}.`,
      figures: [
        {
          title: "What was learned is the place within the batch, and evaluation has no batch.",
          svg: plot.toString("Accuracy in three situations"),
          legend: key("bar second", "bar", "test batch") + key("bar first", "bar", "evaluation") +
            key("bar third", "bar", "without batch norm"),
          table: {
            head: ["situation", "accuracy"],
            rows: [...bars.map(([name, value]) => [name, value]), ["always the same", majority]],
          },
        },
        {
          title:
            `In each batch ${odd} of 16 lie to the right of the others, wherever the batch lies.`,
          svg: scatter.toString("The points of three test batches"),
          legend: key("mark hollow", "dot", "point") + key("mark second", "triangle", "odd one"),
          table: {
            head: ["batch", "x", "y", "odd"],
            rows: examples.flatMap(({ points }, b) =>
              points.map(([x, y], i) => [b + 1, x, y, i < odd ? "yes" : "no"])
            ),
          },
        },
      ],
    };
  },
};
