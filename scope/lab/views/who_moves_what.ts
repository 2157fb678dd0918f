/**
 * The first screen: the sentence, the matrix, two lanes on one axis, and the three switches.
 */
import type { Ledger, Moves } from "../../ledger.ts";
import type { Numbers } from "../scenes/who_moves_what.ts";
import { extent, Plot } from "./plot.ts";
import {
  counting,
  type Drawn,
  escape,
  type Figure,
  key,
  num,
  short,
  type State,
  times,
  type View,
} from "./view.ts";

/** What each switch does, and which lane it flattens. */
export const SWITCHES: readonly { name: string; flat: "learned" | "tracked"; why: string }[] = [
  {
    name: "learning rate 0",
    flat: "learned",
    why:
      "The optimizer multiplies every gradient by the learning rate. Forward passes do not ask " +
      "for it: the running statistics go on.",
  },
  {
    name: "eval()",
    flat: "tracked",
    why: "In evaluation mode forward passes read the running statistics and do not write them. " +
      "Gradients still reach γ and β, and the optimizer still moves them.",
  },
  {
    name: "momentum 0",
    flat: "tracked",
    why: "momentum is the weight of the new batch in the running statistics: with 0 they stay. " +
      "The batch is still normalised with its own statistics, and γ and β go on learning.",
  },
];

/** `In 60 steps the optimizer moved γ and β 120 times, and forward passes moved them 0 times. …` */
function sentence({ ledger: { learned, tracked }, switched, loss }: Numbers): string {
  const steps = loss.length - switched;
  return `${switched === 0 ? "In" : "After the switch, in"} ${
    num(steps)
  } steps the optimizer moved γ ` +
    `and β ${times(learned.step.count)}, and forward passes moved them ` +
    `${times(learned.forward.count)}. Forward passes moved the running mean and variance ` +
    `${times(tracked.forward.count)}, and the optimizer moved them ${times(tracked.step.count)}.`;
}

function cell({ count, distance }: Moves): string {
  const still = count === 0 ? ` class="still"` : "";
  return `<td${still}><b>${num(count)}</b> <span>${
    count === 0 ? "did not move" : `path ${num(distance)}`
  }</span></td>`;
}

function matrix({ ledger: { learned, tracked } }: Numbers): string {
  const row = (mark: string, name: string, what: string, { step, forward }: Ledger["learned"]) =>
    `<tr><th scope="row"><span class="chip ${mark}"></span>${name}<small>${what}</small></th>` +
    `${cell(step)}${cell(forward)}</tr>`;
  return `<table class="matrix"><caption>How often each moved, and the length of its way</caption>
<thead><tr><td></td><th scope="col">by the optimizer’s steps ●</th><th scope="col">by forward passes ▲</th></tr></thead>
<tbody>${row("learned", "learned", "γ, β", learned)}${
    row("tracked", "tracked", "running mean, variance", tracked)
  }</tbody></table>`;
}

/** The channels, the one whose running statistics went furthest first. */
function byDrift({ runningMean, runningVar }: Numbers): number[] {
  const drift = (c: number) =>
    Math.abs(runningMean[c].at(-1)! - runningMean[c][0]) +
    Math.abs(runningVar[c].at(-1)! - runningVar[c][0]);
  return runningMean.map((_, c) => c).sort((a, b) => drift(b) - drift(a));
}

function lanes(numbers: Numbers, { channel, off }: State, width: number): Figure {
  const c = byDrift(numbers)[channel];
  const steps = numbers.loss.length;
  const { switched } = numbers;
  // Events lie half a step apart: the forward pass, then the optimizer.
  const at = numbers.weight[c].map((_, event) => event / 2);
  const since = (path: number[]) => path.map((value) => value - path[0]);
  const [gamma, beta] = [since(numbers.weight[c]), since(numbers.bias[c])];
  const [mean, variance] = [since(numbers.runningMean[c]), since(numbers.runningVar[c])];
  const batchMean = numbers.batchMean[c];
  const batchVar = numbers.batchVar[c].map((value) => value - 1);
  const moments = batchMean.map((_, step) => step + 0.5);

  const x: [number, number] = [0, steps];
  const learnedRange = extent([...gamma, ...beta], 0.02);
  const trackedRange = extent([...mean, ...variance, ...batchMean, ...batchVar]);
  // Markers keep their distance on a narrow screen; all events are counted, some are drawn.
  const every = Math.ceil(steps / ((width - 58) / 12));
  const drawn = batchMean.map((_, step) => step).filter((step) => step % every === 0);
  const moved = (path: number[], event: number) => path[event] !== path[event - 1];

  const above = new Plot({
    width,
    height: 134,
    x,
    y: learnedRange,
    yLabel: "learned: change of γ and β",
    xTicks: [],
  });
  const below = new Plot({
    width,
    height: 190,
    x,
    y: trackedRange,
    yLabel: "tracked: change of running mean and variance",
    xLabel: "step",
  });
  if (switched > 0) {
    for (const [plot, range] of [[above, learnedRange], [below, trackedRange]] as const) {
      plot.segment("switch", switched, range[0], switched, range[1]);
    }
    above.text("label", switched, learnedRange[1], SWITCHES[off - 1].name, 4, 10);
  }
  below.dots("cloud", moments, batchMean, 1.8).dots("cloud hollow", moments, batchVar, 1.8);
  above.line("line learned", at, gamma).line("line learned dashed", at, beta);
  below.line("line tracked", at, mean).line("line tracked dashed", at, variance);
  const stepped = drawn.filter((step) => moved(gamma, 2 * step + 2));
  above.dots("mark learned", stepped.map((step) => step + 1), stepped.map((s) => gamma[2 * s + 2]));
  const written = drawn.filter((step) => moved(mean, 2 * step + 1));
  below.triangles("mark tracked", written.map((s) => s + 0.5), written.map((s) => mean[2 * s + 1]));

  const modes = switched > 0 && off === 2
    ? [[0, switched, "train"], [switched, steps, "eval"]] as const
    : [[0, steps, "train"]] as const;
  const strip = new Plot({ width, height: 30, x, y: [0, 1], yTicks: [], xTicks: [] });
  for (const [from, to, mode] of modes) {
    strip.bar(`mode ${mode}`, from, 0, to, 1).text("label", from, 0.5, `mode: ${mode}`, 6);
  }
  const flat = off === 0
    ? ""
    : ` After the switch at step ${switched} the ${SWITCHES[off - 1].flat} lane is flat.`;
  const title = `Channel ${c}: γ changed by ${short(gamma.at(-1)!)} and β by ${
    short(beta.at(-1)!)
  }, the running mean by ${short(mean.at(-1)!)} and the running variance by ${
    short(variance.at(-1)!)
  }.${flat}`;
  const ratio = (trackedRange[1] - trackedRange[0]) / (learnedRange[1] - learnedRange[0]);
  return {
    title,
    svg: above.toString(`Learned: γ and β of channel ${c} over ${steps} steps`) +
      below.toString(`Tracked: running mean and variance of channel ${c} over ${steps} steps`) +
      strip.toString(`The layer’s mode: ${modes.map(([, , mode]) => mode).join(", then ")}`),
    legend: key("line learned", "line", "γ") + key("line learned dashed", "line", "β") +
      key("line tracked", "line", "running mean") +
      key("line tracked dashed", "line", "running variance") +
      key("cloud", "dot", "mean of a batch") + key("cloud hollow", "dot", "variance of a batch") +
      `<br>● the optimizer moved it, ▲ a forward pass wrote it${
        every > 1 ? ` (one in ${every} is drawn, all are counted)` : ""
      }. Each lane has its own scale: the lower one spans ${short(ratio, 2)} times as much.`,
    table: {
      head: [
        "after step",
        "γ",
        "β",
        "running mean",
        "running variance",
        "mean of the batch",
        "loss",
      ],
      rows: [0, ...batchMean.map((_, step) => step + 1)].map((step) => [
        step,
        numbers.weight[c][2 * step],
        numbers.bias[c][2 * step],
        numbers.runningMean[c][2 * step],
        numbers.runningVar[c][2 * step],
        step === 0 ? "" : batchMean[step - 1],
        step === 0 ? "" : numbers.loss[step - 1],
      ]),
    },
  };
}

const LANES = { learned: "learned: γ, β", tracked: "tracked: running mean, variance" };

function button(text: string, set: Readonly<Record<string, number>>, attributes = ""): string {
  return `<button type="button" data-set="${
    escape(JSON.stringify(set))
  }" ${attributes}>${text}</button>`;
}

/** The switches, the question before one is thrown, and the answer after it. */
function switches({ off, asked, guess }: State): string {
  const row = SWITCHES.map(({ name }, i) =>
    button(
      name,
      off === i + 1 ? { off: 0, asked: 0, guess: 0 } : { off: 0, asked: i + 1, guess: 0 },
      `aria-pressed="${off === i + 1}"`,
    )
  ).join(" ");
  const head = `<p class="switches"><span>Switch one thing off half-way:</span> ${row}</p>`;
  if (asked > 0) {
    const { name } = SWITCHES[asked - 1];
    const answers = (["learned", "tracked"] as const).map((lane, i) =>
      button(`<span class="chip ${lane}"></span>${LANES[lane]}`, {
        off: asked,
        asked: 0,
        guess: i + 1,
      })
    );
    return `${head}<div class="question" role="group" aria-labelledby="which-lane"><p id="which-lane" ` +
      `tabindex="-1" data-focus><b>${name}: which lane goes flat?</b></p><p>${
        answers.join(" ")
      }</p></div>`;
  }
  if (off === 0) return head;
  const { name, flat, why } = SWITCHES[off - 1];
  const said = ["learned", "tracked"][guess - 1];
  const verdict = guess === 0 ? "" : said === flat ? "Yes: " : `You said ${said}. `;
  return `${head}<div class="question"><p tabindex="-1" data-focus>${verdict}<b>${name} flattens the ` +
    `${flat} lane</b>, and no other. ${why}</p></div>`;
}

/** The section. */
export const view: View<Numbers> = {
  anchor: "who-moves-what",
  title: "Who moves what",
  lead:
    "A batch norm layer has two kinds of state. γ and β are <b>learned</b>: gradients reach them, " +
    "and the optimizer moves them. The running mean and variance are <b>tracked</b>: forward passes " +
    "write them, beside the tape, and no gradient ever reaches them.",
  controls: [
    {
      key: "channel",
      label: "Channel, by drift",
      kind: "choice",
      values: [0, 1, 2],
      initial: 0,
      onlyShown: true,
      text: (value) => ["most", "second", "least"][value],
    },
    {
      key: "steps",
      label: "Steps",
      kind: "range",
      values: counting(10, 200, 10),
      initial: 60,
      text: (value) => `${value} steps`,
    },
    {
      key: "lr",
      label: "Learning rate",
      kind: "range",
      values: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      initial: 0.2,
      text: (value) => short(value),
    },
    {
      key: "momentum",
      label: "Momentum of the statistics",
      kind: "range",
      values: [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5],
      initial: 0.1,
      text: (value) =>
        `${short(value)}: half-life ${short(Math.LN2 / -Math.log(1 - value), 2)} steps`,
    },
  ],
  hidden: [
    { key: "off", values: [0, 1, 2, 3], initial: 0 },
    { key: "asked", values: [0, 1, 2, 3], initial: 0, onlyShown: true },
    { key: "guess", values: [0, 1, 2], initial: 0, onlyShown: true },
  ],
  aside: switches,
  draw: (numbers, state, width): Drawn => ({
    takeaway: sentence(numbers),
    before: matrix(numbers),
    figures: [lanes(numbers, state, width)],
  }),
};
