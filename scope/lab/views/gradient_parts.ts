/**
 * The gradient in three parts.
 */
import type { Numbers } from "../scenes/gradient_parts.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { type Drawn, key, num, short, type View } from "./view.ts";

const ABOVE = ["at random", "from sample 1 alone", "the same from all", "along x̂"];

/** The section. */
export const view: View<Numbers> = {
  anchor: "gradient-parts",
  title: "The gradient in three parts",
  lead:
    "In training a sample reaches the loss in three ways: directly, through the batch’s mean, and " +
    "through its variance: dx = γ/σ · (g − mean(g) − x̂ · mean(g · x̂)). In evaluation the statistics " +
    "are constants and only the direct way is left, even where both outputs are the same.",
  controls: [
    {
      key: "above",
      label: "Gradient from above, g",
      kind: "choice",
      values: [0, 1, 2, 3],
      initial: 0,
      text: (value) => ABOVE[value],
    },
    {
      key: "size",
      label: "Samples",
      kind: "range",
      values: [2, 3, 4, 6, 8, 12, 16],
      initial: 8,
      text: (value) => `${value} samples`,
    },
    {
      key: "gamma",
      label: "γ",
      kind: "range",
      values: [-2, -1, -0.5, 0, 0.5, 1, 2],
      initial: 1,
      text: (value) => short(value),
    },
  ],
  ...predicting("gradient-parts", {
    question:
      "if every sample gets the same gradient from above, how much of it goes down in training?",
    answers: ["γ/σ of it", "None of it"],
    set: { above: 2 },
    right: 1,
    why:
      "Raising all inputs alike moves their mean along and changes no output. So there is nothing to " +
      "be gained in that direction. In evaluation the mean stands still, and γ/σ of it goes down.",
  }),
  draw(numbers, { above }, width): Drawn {
    const { x, g, direct, throughMean, throughVariance, training, evaluation } = numbers;
    const range = extent([...direct, ...throughMean, ...throughVariance, ...training, 0], 0.1);
    const plot = new Plot({
      width,
      height: 240,
      x: [0.4, x.length + 0.6],
      y: range,
      xTicks: [],
      xLabel: "sample",
      yLabel: "gradient",
    });
    const parts = [
      [direct, "bar first"],
      [throughMean, "bar second"],
      [throughVariance, "bar third"],
    ] as const;
    x.forEach((_, i) => {
      plot.text("tick middle", i + 1, range[0], String(i + 1), 0, 15);
      parts.forEach(([values, mark], k) => {
        const from = i + 0.63 + 0.2 * k;
        plot.bar(mark, from, 0, from + 0.18, values[i]);
      });
      plot.segment("line", i + 0.6, training[i], i + 1.4, training[i]);
    });
    plot.segment("rule", 0.4, 0, x.length + 0.6, 0);
    const vanishes = above >= 2
      ? ` A gradient that is ${ABOVE[above]} is taken away whole: at most ${
        num(Math.max(...training.map(Math.abs)))
      } of it is left.`
      : "";
    return {
      takeaway:
        `In training the gradients of the batch add up to ${
          num(numbers.trainingSum)
        }, in evaluation to ${
          num(numbers.evaluationSum)
        }. The three parts add up to what the tape ` +
        `gives, to within ${num(numbers.off)}.${vanishes}`,
      figures: [{
        title:
          "What each sample gets: the direct part, less what it would do to the mean, less what " +
          "it would do to the variance.",
        svg: plot.toString(`The three parts of the gradient of ${x.length} samples`),
        legend: key("bar first", "bar", "direct (all of it in evaluation)") +
          key("bar second", "bar", "through the mean") +
          key("bar third", "bar", "through the variance") +
          key("line", "line", "their sum: dx in training") +
          "<br>From left to right in each sample.",
        table: {
          head: [
            "sample",
            "input",
            "g",
            "direct",
            "through the mean",
            "through the variance",
            "dx in training",
            "dx in evaluation",
          ],
          rows: x.map((value, i) => [
            i + 1,
            value,
            g[i],
            direct[i],
            throughMean[i],
            throughVariance[i],
            training[i],
            evaluation[i],
          ]),
        },
      }],
    };
  },
};
