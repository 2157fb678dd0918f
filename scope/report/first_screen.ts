/**
 * What is seen first: a sentence made of numbers, the 2 × 2 matrix, and the two lanes.
 */
import { figure, type Table } from "./figure.ts";
import { type Html, markup } from "./html.ts";
import { lanes, short } from "./lanes.ts";
import { type ChannelView, type Move, NAMES, QUANTITIES, type RunView } from "./view.ts";

/** Events of the close-up: few enough to look at each. */
const CLOSE_UP = 12;
/** The widths for which lanes are drawn: one for a screen, one for a telephone. */
const WIDTHS = { wide: 1160, half: 640, narrow: 340 };

/** The whole first screen. */
export function firstScreen(run: RunView): Html {
  return markup`${sentence(run)}
<div class="first">${matrix(run)}${closeUp(run)}${overview(run)}</div>`;
}

/** "In 90 steps the optimizer moved γ and β 360 times, and forward passes moved them 0 times. …" */
export function sentence(run: RunView): Html {
  if (run.layers.length === 0) {
    return markup`<p class="sentence" id="sentence">${sentenceText(run)}</p>`;
  }
  const { matrix: { learned, tracked }, axis } = run;
  const times = (value: number, name: string) =>
    markup`<b data-count="${name}">${grouped(value)}</b> ${value === 1 ? "time" : "times"}`;
  const { steps } = axis.counts;
  const others = run.otherMoves === 0
    ? null
    : markup` <span class="line">Other writes moved them ${times(run.otherMoves, "other")}.</span>`;
  return markup`<p class="sentence" id="sentence"><span class="line">In <b>${grouped(steps)}</b> ${
    steps === 1 ? "step" : "steps"
  } the <span class="learned-text">● optimizer</span> moved γ and β ${
    times(learned.step.times, "learned-step")
  }, and <span class="tracked-text">▲ forward passes</span> moved them ${
    times(learned.forward.times, "learned-forward")
  }.</span> <span class="line"><span class="tracked-text">▲ Forward passes</span> moved the running mean and variance ${
    times(tracked.forward.times, "tracked-forward")
  }, and the <span class="learned-text">● optimizer</span> moved them ${
    times(tracked.step.times, "tracked-step")
  }.</span>${others}</p>`;
}

/** `2,000` */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The sentence without markup. */
export function sentenceText({ sentence }: RunView): string {
  return sentence;
}

/** Rows what learns and what is tracked, columns what moves it. */
export function matrix({ matrix: { learned, tracked }, axis, layers }: RunView): Html {
  const { steps, forwards } = axis.counts;
  const [training, evaluation] = [axis.forwards.length, axis.evaluations.length];
  // Of a long run not every event is kept.
  const isWhole = training + evaluation === forwards;
  return markup`
    <div>
      <table class="matrix" id="matrix">
        <caption>What moved, how often, and by what</caption>
        <thead>
          <tr>
            <td></td>
            <th
              scope="col"><span class="learned-mark" aria-hidden="true">●</span> optimizer step<small>${steps} of them</small></th>
            <th
              scope="col"><span class="tracked-mark" aria-hidden="true">▲</span> forward pass<small>${forwards} of them${
    isWhole && evaluation > 0 ? `: ${training} in training, ${evaluation} in evaluation` : ""
  }</small></th>
          </tr>
        </thead>
        <tbody>
          <tr><th scope="row">learned<small>γ and β, moved by their gradients</small></th>${
    cell(
      learned.step,
      "learned-step",
      "by-step",
    )
  }${cell(learned.forward, "learned-forward", "by-forward")}</tr>
          <tr><th scope="row">tracked<small>running mean and variance, moved towards each batch's own</small></th>${
    cell(
      tracked.step,
      "tracked-step",
      "by-step",
    )
  }${cell(tracked.forward, "tracked-forward", "by-forward")}</tr>
        </tbody>
      </table>
      <p
        class="under">${factors(learned.step, steps, "steps", "γ and β", layers.length)}${
    factors(
      tracked.forward,
      training,
      "forward passes in training",
      "mean and variance",
      layers.length,
    )
  }A distance adds up how far each move went (root mean square over channels); the two distances cannot be compared.</p>
    </div>
  `;
}

/** "540 = 135 steps × 2 layers × 2 (γ and β). ", where that is so. */
function factors(
  { times }: Move,
  count: number,
  events: string,
  moved: string,
  layers: number,
): string {
  if (times === 0 || times !== count * layers * 2) return "";
  const each = layers === 1 ? "" : ` × ${layers} layers`;
  return `${grouped(times)} = ${grouped(count)} ${events}${each} × 2 (${moved}). `;
}

function cell({ times, distance }: Move, name: string, by: string): Html {
  return markup`
    <td class="${times === 0 ? "zero" : by}" data-cell="${name}" data-times="${times}"
      data-distance="${distance}"><b>${times}</b><span>${
    times === 0 ? "times: never moved" : `times, distance ${short(distance)}`
  }</span></td>
  `;
}

function nameOf({ layer, channel }: ChannelView): string {
  return `${layer === "" ? "the layer" : layer}, channel ${channel}`;
}

/** The lanes of the first events, each marked. */
export function closeUpLanes(
  run: RunView,
  channel: ChannelView,
  id: string,
  width: number,
  className = "",
): Html {
  const to = lastOfCloseUp(run);
  return lanes(run.axis, channel, {
    id,
    title: `The first ${to} events of ${nameOf(channel)}`,
    from: 0,
    to,
    width,
    height: 40,
    isCloseUp: true,
    className,
  });
}

/** The lanes of the whole run. */
export function overviewLanes(
  run: RunView,
  channel: ChannelView,
  id: string,
  width: number,
  className = "",
): Html {
  return lanes(run.axis, channel, {
    id,
    title: `Learned and tracked values of ${nameOf(channel)} over the whole run`,
    from: 0,
    to: Math.max(run.axis.length, 1),
    width,
    height: 52,
    isCloseUp: false,
    className,
  });
}

function lastOfCloseUp({ axis }: RunView): number {
  return Math.max(1, Math.min(CLOSE_UP, axis.length));
}

/** The first events, each to be seen. */
function closeUp(run: RunView): Html | null {
  const [channel] = run.channels;
  if (channel === undefined) return null;
  const to = lastOfCloseUp(run);
  return figure({
    id: "close-up",
    heading: `The first ${to} events, one by one`,
    takeaway: markup`
      ${
      nameOf(channel)
    }: <span class="learned-text">γ and β</span> change at ● and hold still at ▲; <span
        class="tracked-text">mean and variance</span> change at ▲, part of the way to those of the batch (its ring), and
      hold still at ●. Each strip has its own scale.
    `,
    drawing: markup`${closeUpLanes(run, channel, "close-up-wide", WIDTHS.half, "wide-only")}${
      closeUpLanes(run, channel, "close-up-narrow", WIDTHS.narrow, "narrow-only")
    }`,
    table: tableOfChannel(channel, to),
  });
}

/** The whole run. */
function overview(run: RunView): Html | null {
  const [channel] = run.channels;
  if (channel === undefined) return null;
  return figure({
    id: "lanes",
    heading: "The whole run",
    takeaway: markup`<span id="lanes-channel">${
      nameOf(channel)
    }</span>. Each strip has its own scale, written
at its right: compare shapes, not heights. Each dot is a batch's mean or variance (above, its ring), which the line follows. The
drift is how far the last one lies from the running mean, in standard deviations (sd).`,
    drawing: markup`${picker(run)}${
      overviewLanes(run, channel, "lanes-wide", WIDTHS.wide, "wide-only")
    }${
      overviewLanes(run, channel, "lanes-narrow", WIDTHS.narrow, "narrow-only")
    }<p id="reading" role="status" aria-live="polite"></p>`,
    table: tableOfChannel(channel, Infinity),
    isWide: true,
  });
}

/** For the page's script, which shows it. */
function picker({ channels }: RunView): Html {
  return markup`<div class="tools" id="tools" hidden><label for="channel">Channel (worst drift first)
<select id="channel">${
    channels.map((channel, i) =>
      markup`<option value="${i}" data-layer="${channel.layerIndex}" data-place="${channel.place}">${
        nameOf(channel)
      }${channel.drift === null ? "" : ` · drift ${short(channel.drift)} sd`}</option>`
    )
  }</select></label><label for="event">Look at event <input id="event" type="range" min="0" step="1"></label></div>`;
}

/** The four quantities at each event at which one of them was written. */
function tableOfChannel({ series }: ChannelView, to: number): Table {
  const events = new Set<number>();
  for (const quantity of QUANTITIES) {
    for (const event of series[quantity].at) if (event <= to) events.add(event);
  }
  const rows = [...events].sort((a, b) => a - b).map((event) => [
    event === 0 ? "start" : event,
    ...QUANTITIES.map((quantity) => valueAt(series[quantity], event)),
  ]);
  return { columns: ["event", ...QUANTITIES.map((quantity) => NAMES[quantity])], rows };
}

function valueAt({ at, value }: ChannelView["series"]["gamma"], event: number): number | null {
  let found: number | null = null;
  for (let i = 0; i < at.length && at[i] <= event; i++) found = value[i];
  return found;
}
