/**
 * The events under the lanes: optimizer steps, forward passes, and the mode in which these ran.
 */
import { Plot } from "../../lab/views/plot.ts";
import type { LayerMode, RunRecord } from "../../run_record.ts";

/** Where the lanes' plots begin, and how wide they are, so that one event is one place in all of them. */
export interface Place {
  readonly left: number;
  readonly width: number;
}

const ROW = 22;
const MODES = 34;
/** Marks stay so far apart that they do not run into each other, in pixels. */
const APART = 12;
/** Narrower spans have no room for their name. */
const NAMED = 36;
/** Modes differ in height, so that they can be told without colour. */
const HEIGHTS: Readonly<Record<LayerMode, number>> = {
  train: 0.6,
  eval: 1,
  frozen: 0.8,
  noGrad: 0.8,
};

/** The axis on which both lanes and the events are drawn. */
export function spanOf({ events }: RunRecord): [from: number, to: number] {
  return [0, Math.max(1, events)];
}

/** The drawing, as SVG, and a sentence that says what is in it. */
export function eventsOf(
  record: RunRecord,
  layer: string,
  { left, width }: Place,
): { svg: string; title: string } {
  const spans = record.modes.filter((span) => span.layer === layer);
  const isEvaluation = (event: number) =>
    spans.some(({ from, to, mode }) => mode === "eval" && from <= event && event <= to);
  const { step, forward } = record.marks;
  const evaluations = forward.filter(isEvaluation);
  const trainings = forward.filter((event) => !isEvaluation(event));
  const x = spanOf(record);
  const row = (name: string, mark: string, height = ROW) =>
    new Plot({ width, height, left, x, y: [0, 1], xTicks: [], yTicks: [] })
      .raw(`<text class="label ${mark}" x="2" y="${height - 7}">${name}</text>`);
  const stride = (count: number) => Math.ceil(count / ((width - left) / APART)) || 1;
  const drawn = (events: readonly number[]) => {
    const every = stride(events.length);
    return events.filter((_, i) => i % every === 0);
  };
  const middle = (events: readonly number[]) => events.map(() => 0.5);
  const [steps, passes, hollow] = [step, trainings, evaluations].map(drawn);
  const strip = row("mode", "", MODES);
  for (const { from, to, mode } of spans) {
    const [first, last] = [Math.max(x[0], from - 0.5), Math.min(x[1], to + 0.5)];
    strip.bar(`mode ${mode}`, first, 0, last, HEIGHTS[mode]);
    if (strip.x(last) - strip.x(first) >= NAMED) {
      strip.text("label middle", (first + last) / 2, HEIGHTS[mode] / 2, mode);
    }
  }
  const counts = `${record.steps} optimizer ${record.steps === 1 ? "step" : "steps"}, ` +
    `${record.forwards} forward ${record.forwards === 1 ? "pass" : "passes"}`;
  const most = Math.max(stride(step.length), stride(trainings.length));
  return {
    title: `● ${counts.replace(", ", ", ▲ ")}${
      most > 1 ? ` (one in ${most} is drawn, all are counted)` : ""
    }. An empty triangle is a pass in evaluation: it writes nothing.`,
    svg: row("● step", "learned-text").dots("mark learned", steps, middle(steps)).toString(
      "Optimizer steps",
    ) +
      row("▲ forward", "tracked-text").triangles("mark tracked", passes, middle(passes))
        .triangles("mark hollow", hollow, middle(hollow)).toString("Forward passes") +
      strip.toString(`The mode of ${layer || "the model"}: ${modesText(record, layer)}`),
  };
}

/** `train 1–40, eval 41–44`: the last spans of a layer. */
export function modesText({ modes }: RunRecord, layer: string): string {
  return modes.filter((span) => span.layer === layer).slice(-8)
    .map(({ from, to, mode }) => `${mode} ${from}–${to}`).join(", ");
}
