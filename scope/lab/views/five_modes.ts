/**
 * Five modes side by side.
 */
import type { Mode, Numbers } from "../scenes/five_modes.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { counting, type Drawn, key, num, type View } from "./view.ts";

const USES: Record<string, string> = {
  train: "the batch",
  eval: "the running statistics",
  frozen: "the running statistics",
  ghost: "each part of the batch",
  masked: "the batch without padding",
};

function row(mode: Mode): string {
  const still = mode.meanMoved === 0 && mode.varMoved === 0;
  return `<tr><th scope="row">${mode.name}</th><td>${USES[mode.name]}</td><td>${
    num(mode.mean)
  }</td><td>${num(mode.variance)}</td><td${still ? ' class="still"' : ""}>${
    num(mode.meanMoved)
  }</td><td${still ? ' class="still"' : ""}>${num(mode.varMoved)}</td><td>${
    num(mode.weightGrad)
  }</td></tr>`;
}

/** The section. */
export const view: View<Numbers> = {
  anchor: "five-modes",
  title: "Five modes side by side",
  lead:
    "The same twelve samples go through five copies of one layer. Two groups lie around 1 and " +
    "around 4, and the last samples are padding that somebody filled with 9. What is normalised with " +
    "what, and who writes the running statistics?",
  controls: [
    {
      key: "ghost",
      label: "Ghost: samples normalised together",
      kind: "range",
      values: [2, 3, 4, 6, 12],
      initial: 6,
      text: (value) => `${value} of 12`,
    },
    {
      key: "padding",
      label: "Padding at the end",
      kind: "range",
      values: counting(0, 6),
      initial: 3,
      text: (value) => `${value} of 12`,
    },
  ],
  ...predicting("five-modes", {
    question: "without padding, do training and the masked layer still write different statistics?",
    answers: ["They differ", "They agree"],
    set: { padding: 0 },
    right: 1,
    why: "A mask that leaves nothing out is no mask.",
  }),
  draw({ x, modes }, { padding }, width): Drawn {
    const range = extent(modes.flatMap(({ y }) => y), 1);
    const height = 46 + 30 * modes.length;
    const plot = new Plot({
      width,
      height,
      x: range,
      y: [0.3, modes.length + 0.7],
      yTicks: [],
      left: 62,
      xLabel: "output",
    });
    modes.forEach(({ name, y }, i) => {
      const level = modes.length - i;
      plot.segment("rule", range[0], level, range[1], level);
      plot.text("label end", range[0], level, name, -8);
      const real = y.length - padding;
      plot.dots(
        "mark first",
        y.slice(0, Math.min(6, real)),
        Array(Math.min(6, real)).fill(level),
        4,
      );
      plot.triangles(
        "mark second",
        y.slice(6, real),
        Array(Math.max(0, real - 6)).fill(level),
        4.5,
      );
      plot.dots("mark hollow", y.slice(real), Array(y.length - real).fill(level), 4);
    });
    const writers = modes.filter(({ meanMoved }) => meanMoved !== 0).map(({ name }) => name);
    const [train, , , , masked] = modes;
    return {
      takeaway:
        `${num(writers.length)} of ${num(modes.length)} wrote the running statistics: ${
          writers.join(", ")
        }. γ and β get a gradient in all ${num(modes.length)}. ` +
        (padding === 0
          ? "Without padding the mask changes nothing."
          : `The ${num(padding)} padded ${padding === 1 ? "sample pulls" : "samples pull"} the ` +
            `running mean by ${num(train.meanMoved)} in training and by ${
              num(masked.meanMoved)
            } under the mask.`),
      before: `<div class="scroll" tabindex="0" role="region" aria-label="What the five modes do">
<table class="modes"><caption>What each of them does</caption><thead><tr><th scope="col">mode</th>
<th scope="col">normalises with</th><th scope="col">mean of outputs</th><th scope="col">variance</th>
<th scope="col">running mean moves by</th><th scope="col">running variance by</th>
<th scope="col">gradient of γ</th></tr></thead><tbody>${
        modes.map(row).join("")
      }</tbody></table></div>`,
      figures: [{
        title:
          "Training centres all twelve, padding included; evaluation and frozen statistics keep " +
          "the offset; ghost batches centre each part by itself, and the gap between the groups is gone.",
        svg: plot.toString(`The outputs of the twelve samples in ${modes.length} modes`),
        legend: key("mark first", "dot", "group around 1") +
          key("mark second", "triangle", "group around 4") +
          key("mark hollow", "dot", "padding"),
        table: {
          head: ["sample", "input", ...modes.map(({ name }) => name)],
          rows: x.map((value, i) => [i + 1, value, ...modes.map(({ y }) => y[i])]),
        },
      }],
    };
  },
};
