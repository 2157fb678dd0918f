/**
 * One sample moves the others.
 */
import type { Numbers, Outputs } from "../scenes/one_sample.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { counting, type Drawn, type Figure, key, num, short, type View } from "./view.ts";

function moved(
  name: string,
  { before, after, largest }: Outputs,
  x: readonly number[],
  range: readonly [number, number],
  width: number,
): Figure {
  const height = 62 + 18 * before.length;
  const rows = before.map((_, i) => before.length - i);
  const plot = new Plot({
    width,
    height,
    x: range,
    y: [0, before.length + 1],
    yTicks: [],
    left: 16,
    xLabel: "output x̂",
    yLabel: `${name}: the largest move is ${short(largest)}`,
  });
  before.forEach((from, i) => plot.segment("arrow", from, rows[i], after[i], rows[i]));
  plot.dots("mark start", before, rows, 4).triangles("mark end", after, rows, 4);
  return {
    half: true,
    title: largest === 0
      ? `${name}: the other outputs stay where they are, to the last bit.`
      : `${name}: every other output moves, by up to ${short(largest)}.`,
    svg: plot.toString(`${name}: the outputs of the ${x.length} other samples before and after`),
    legend: key("mark start", "dot", "before") + key("mark end", "triangle", "after") +
      "<br>A row is a sample.",
    table: {
      head: ["sample", "input", "output before", "output after", "moved by"],
      rows: x.map((value, i) => [i + 2, value, before[i], after[i], after[i] - before[i]]),
    },
  };
}

/** The section. */
export const view: View<Numbers> = {
  anchor: "one-sample",
  title: "One sample moves the others",
  lead:
    "In training a batch is normalised with its own mean and variance, so every output depends on " +
    "every input. Move sample 1 alone and look at the others. In evaluation the statistics are fixed, " +
    "and each sample is on its own.",
  controls: [
    {
      key: "value",
      label: "Sample 1 moves from 0 to",
      kind: "range",
      values: counting(-12, 12).map((half) => half / 2),
      initial: 4,
      text: (value) => short(value),
    },
    {
      key: "others",
      label: "Other samples in the batch",
      kind: "range",
      values: [1, 2, 3, 5, 7, 11, 15],
      initial: 7,
      text: (value) => `${value}`,
    },
  ],
  ...predicting("one-sample", {
    question:
      "with sample 1 moved to −6, far outside of the others, where do the others’ outputs move?",
    answers: ["In training and in evaluation", "In training only"],
    set: { value: -6 },
    right: 1,
    why:
      "In evaluation no output depends on another sample, however far it moves: the statistics were " +
      "fixed before the batch came.",
  }),
  draw({ x, training, evaluation }, { value, others }, width): Drawn {
    const all = [training, evaluation].flatMap(({ before, after }) => [...before, ...after]);
    const range = extent(all, 1);
    const each = width >= 640 ? Math.floor(width / 2) - 8 : width;
    return {
      takeaway: `Moving sample 1 from 0 to ${num(value)} moves the outputs of the ${num(others)} ` +
        `${others === 1 ? "other sample" : "others"} by up to ${
          num(training.largest)
        } in training and by ${num(evaluation.largest)} in evaluation.`,
      figures: [
        moved("Training", training, x, range, each),
        moved("Evaluation", evaluation, x, range, each),
      ],
    };
  },
};
