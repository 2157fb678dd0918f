/**
 * Scale invariance: two runs and their difference.
 */
import type { Numbers } from "../scenes/scale_invariance.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { counting, type Drawn, key, num, short, type State, type View } from "./view.ts";

function isPowerOfTwo(factor: number): boolean {
  return Number.isInteger(Math.log2(factor));
}

function why({ factor, eps }: State): string {
  if (eps > 0) return "eps is a yardstick: against it the larger weights are larger.";
  return isPowerOfTwo(factor)
    ? "Scaling by a power of two rounds nothing, so not one bit differs."
    : "In exact arithmetic it would be 0; what is seen is rounding, which training then magnifies.";
}

/** The section. */
export const view: View<Numbers> = {
  anchor: "scale-invariance",
  title: "Scale invariance",
  lead:
    "Batch norm divides the size of the weights before it out again. So a run with weights k · w " +
    "and learning rate k² · lr is the same run as one with w and lr, and weight decay on such weights " +
    "is a way of setting the learning rate.",
  controls: [
    {
      key: "factor",
      label: "k",
      kind: "range",
      values: [1, 2, 3, 4, 8, 10, 16, 100, 1024],
      initial: 8,
      text: (value) => `weights × ${value}, learning rate × ${value * value}`,
    },
    {
      key: "eps",
      label: "eps",
      kind: "choice",
      values: [0, 1e-5, 1e-3],
      initial: 0,
      text: (value) => short(value),
    },
    {
      key: "steps",
      label: "Steps",
      kind: "range",
      values: counting(20, 200, 20),
      initial: 100,
      text: (value) => `${value} steps`,
    },
  ],
  ...predicting("scale-invariance", {
    question: "with weights × 8 and an eps of 0.001, is it still the same run?",
    answers: ["The same", "Another one"],
    set: { factor: 8, eps: 1e-3 },
    right: 1,
    why:
      "eps is added to the variance and does not grow with the weights: beside the larger ones it " +
      "counts for less, and the steps part.",
  }),
  draw(numbers, state, width): Drawn {
    const { plain, scaled, differences, largest } = numbers;
    const at = plain.map((_, step) => step + 1);
    const losses = new Plot({
      width,
      height: 200,
      x: [1, plain.length],
      y: extent([0, ...plain, ...scaled]),
      xLabel: "step",
      yLabel: "loss",
    });
    losses.line("line thick", at, plain).line("line second dashed", at, scaled);
    const apart = new Plot({
      width,
      height: 130,
      x: [1, plain.length],
      y: largest === 0 ? [-1, 1] : [-0.04 * largest, 1.08 * largest],
      yTicks: largest === 0 ? [0] : [0, largest],
      left: 74,
      xLabel: "step",
      yLabel: "|difference| of the losses",
    });
    apart.line("line tracked", at, differences);
    return {
      takeaway: `${num(plain.length)} losses of the two runs differ by at most ${num(largest)}. ${
        why(state)
      } At the end the weights’ lengths are ${num(numbers.plainLength)} and ${
        num(numbers.scaledLength)
      }: ${num(numbers.scaledLength / numbers.plainLength)} times as long.`,
      figures: [
        {
          title: largest === 0
            ? "Both runs have the same losses, bit for bit."
            : `The losses differ by up to ${short(largest)}.`,
          svg: losses.toString(`The losses of both runs over ${plain.length} steps`),
          legend: key("line thick", "line", "w, lr") +
            key("line second dashed", "line", `${state.factor} · w, ${state.factor ** 2} · lr`),
          table: {
            head: ["step", "loss of the one", "loss of the other", "difference"],
            rows: at.map((step, i) => [step, plain[i], scaled[i], differences[i]]),
          },
        },
        {
          title: `The difference, step by step: at most ${short(largest)}.`,
          svg: apart.toString("The distance between the losses of both runs"),
          legend: "",
          table: {
            head: ["step", "difference"],
            rows: at.map((step, i) => [step, differences[i]]),
          },
        },
      ],
    };
  },
};
