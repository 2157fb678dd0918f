/**
 * Momentum, half-life, and Keras's other momentum.
 */
import type { Numbers } from "../scenes/momentum.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { counting, type Drawn, key, num, short, type View } from "./view.ts";

function halfLife(momentum: number): number {
  return Math.LN2 / -Math.log(1 - momentum);
}

/** The section. */
export const view: View<Numbers> = {
  anchor: "momentum",
  title: "Momentum, and Keras’s other momentum",
  lead:
    "running ← (1 − momentum) · running + momentum · batch. PyTorch and this library call the " +
    "weight of the <b>new</b> batch momentum; Keras and TensorFlow call the weight of the " +
    "<b>old</b> statistics so. A number taken from one to the other forgets at a very different pace.",
  controls: [
    {
      key: "momentum",
      label: "momentum",
      kind: "range",
      values: [0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 1],
      initial: 0.1,
      text: (value) => `${short(value)}: half-life ${short(halfLife(value), 2)} steps`,
    },
    {
      key: "batches",
      label: "Batches",
      kind: "range",
      values: counting(10, 120, 10),
      initial: 60,
      text: (value) => `${value} batches`,
    },
  ],
  ...predicting("momentum", {
    question: "with momentum 1, what is the running mean after a batch?",
    answers: ["The mean of that batch", "The mean of all batches so far"],
    set: { momentum: 1 },
    right: 0,
    why:
      "running ← 0 · running + 1 · batch: nothing before the last batch counts. The plain average is " +
      "<code>momentum: null</code>.",
  }),
  draw({ batchMean, asMeant, mistaken, average }, { batches }, width): Drawn {
    const at = asMeant.runningMean.map((_, n) => n);
    const range = extent([
      ...batchMean,
      ...average,
      ...asMeant.runningMean,
      ...mistaken.runningMean,
    ]);
    const paths = new Plot({
      width,
      height: 230,
      x: [0, batches],
      y: range,
      xLabel: "batch",
      yLabel: "running mean; the data’s mean is 3",
    });
    paths.segment("rule", 0, 3, batches, 3).dots("cloud", at.slice(1), batchMean, 2)
      .line("line third", at, average).line("line dashed", at, mistaken.runningMean)
      .line("line tracked", at, asMeant.runningMean);
    const shares = new Plot({
      width,
      height: 150,
      x: [0, batches],
      y: [0, 1.04],
      xLabel: "batch",
      yLabel: "what the 0 of the start still weighs",
    });
    shares.line("line dashed", at, mistaken.initialShare)
      .line("line tracked", at, asMeant.initialShare);
    if (asMeant.halfLife <= batches && asMeant.halfLife > 0) {
      shares.segment("switch", asMeant.halfLife, 0, asMeant.halfLife, 0.5)
        .text("label", asMeant.halfLife, 0.5, `half after ${short(asMeant.halfLife, 2)}`, 6);
    }
    const lines = key("line tracked", "line", `momentum ${short(asMeant.momentum)}`) +
      key(
        "line dashed",
        "line",
        `Keras’s ${short(asMeant.momentum)}, here ${short(mistaken.momentum)}`,
      );
    return {
      takeaway: `With momentum ${num(asMeant.momentum)} half of the past is forgotten after ${
        num(asMeant.halfLife, 2)
      } batches; the 0 of the start weighs less than a tenth after ${
        num(asMeant.toTenth)
      } and less than a hundredth after ${
        num(asMeant.toHundredth)
      }. The same number in Keras means ${num(mistaken.momentum)} here: a half-life of ${
        num(mistaken.halfLife, 2)
      }.`,
      figures: [
        {
          title: `After ${batches} batches the running mean is ${
            short(asMeant.runningMean.at(-1)!)
          }; with Keras’s meaning of the number it is ${
            short(mistaken.runningMean.at(-1)!)
          }, as a plain average ${short(average.at(-1)!)}.`,
          svg: paths.toString(`Running means over ${batches} batches`),
          legend: lines + key("line third", "line", "momentum null: plain average") +
            key("cloud", "dot", "mean of a batch"),
          table: {
            head: ["batch", "its mean", "running mean", "with Keras’s meaning", "plain average"],
            rows: at.map((n) => [
              n,
              n === 0 ? "" : batchMean[n - 1],
              asMeant.runningMean[n],
              mistaken.runningMean[n],
              average[n],
            ]),
          },
        },
        {
          title: `The start’s share after ${batches} batches: ${
            short(asMeant.initialShare.at(-1)!)
          }, with Keras’s meaning ${short(mistaken.initialShare.at(-1)!)}.`,
          svg: shares.toString(`The share of the initial value over ${batches} batches`),
          legend: lines,
          table: {
            head: ["batch", "share of the start", "with Keras’s meaning"],
            rows: at.map((n) => [n, asMeant.initialShare[n], mistaken.initialShare[n]]),
          },
        },
      ],
    };
  },
};
