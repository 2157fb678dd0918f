/**
 * A teacher with and without eval().
 */
import type { Numbers } from "../scenes/teacher.ts";
import { extent, Plot } from "./plot.ts";
import { predicting } from "./prediction.ts";
import { counting, type Drawn, key, num, percent, short, times, type View } from "./view.ts";

/** The section. */
export const view: View<Numbers> = {
  anchor: "teacher",
  title: "A teacher with and without eval()",
  lead: "A student learns from a teacher’s outputs, on images that are paler than those that the " +
    "teacher knows. The teacher runs under noGrad and no optimizer has its parameters, but unless " +
    "<code>eval()</code> was called, every question that it is asked writes its running statistics.",
  controls: [
    {
      key: "steps",
      label: "The student’s steps",
      kind: "range",
      values: counting(5, 80, 5),
      initial: 40,
      text: (value) => `${value} steps`,
    },
    {
      key: "contrast",
      label: "Contrast of its images",
      kind: "range",
      values: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
      initial: 0.4,
      text: (value) => `${short(100 * value)} % of what the teacher knows`,
    },
  ],
  ...predicting("teacher", {
    question:
      "with images that are just like its own, contrast 100 %, do forward passes still move " +
      "the statistics of the teacher without eval()?",
    answers: ["They still move", "They stand still"],
    set: { contrast: 1 },
    right: 0,
    why:
      "Each batch’s statistics replace a tenth of what was there, whether or not they resemble it. " +
      "The accuracy hides it here; the count does not.",
  }),
  draw({ withEval, without }, { steps }, width): Drawn {
    const at = withEval.accuracy.map((_, step) => step);
    const percents = (path: number[]) => path.map((value) => 100 * value);
    const [kept, lost] = [percents(withEval.accuracy), percents(without.accuracy)];
    const plot = new Plot({
      width,
      height: 220,
      x: [0, steps],
      y: extent([0, 100]),
      yTicks: [0, 25, 50, 75, 100],
      xLabel: "the student’s step",
      yLabel: "the teacher’s accuracy on its own kind of images, %",
    });
    plot.line("line learned", at, kept).line("line tracked dashed", at, lost);
    const marked = at.filter((step) => step % 5 === 0);
    plot.dots("mark learned", marked, marked.map((step) => kept[step]), 3.5);
    plot.triangles("mark tracked", marked, marked.map((step) => lost[step]), 4.5);
    return {
      takeaway: `Without eval() ${num(steps)} questions moved the teacher’s running statistics ${
        times(without.moves)
      }, and its accuracy went from ${percent(without.accuracy[0])} to ${
        percent(without.accuracy.at(-1)!)
      }. With eval() they moved it ${times(withEval.moves)}: ${
        percent(withEval.accuracy.at(-1)!)
      }. In company its answers differ by up to ${num(without.company)} without and by ${
        num(withEval.company)
      } with eval().`,
      figures: [{
        title:
          "The teacher that was not put into evaluation mode forgets, without a single step of an " +
          "optimizer.",
        svg: plot.toString(`The accuracy of both teachers over ${steps} steps of the student`),
        legend: key("line learned", "line", "with eval() ●") +
          key("line tracked dashed", "line", "without ▲"),
        table: {
          head: ["step of the student", "accuracy with eval()", "accuracy without"],
          rows: at.map((step) => [step, withEval.accuracy[step], without.accuracy[step]]),
        },
      }],
    };
  },
};
