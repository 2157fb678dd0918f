/**
 * The live page of an experiment: a row for each config, drawn at most once a frame of the screen.
 */
/// <reference lib="dom" />
import { announce } from "../../lab/page/announcer.ts";
import { extent, Plot } from "../../lab/views/plot.ts";
import { escape, short } from "../../lab/views/view.ts";
import { changed, type ConfigProgress, type RunsProgress } from "../runs.ts";

const STATES = { running: "Running", stopping: "Stopping", ended: "Over" };
type State = keyof typeof STATES;

const DOTS = { width: 300, height: 30, left: 8 };
const CURVE = { width: 150, height: 30, left: 4 };

let runs: RunsProgress | null = null;
let state: State = "running";
let line: "connecting" | "connected" | "lost" | "over" = "connecting";
const LINES = {
  connecting: "connecting …",
  connected: "",
  lost: "connection lost, trying again …",
  over: "the runs are over; the page keeps what it has",
};
let isDue = false;

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function later(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    render();
  });
}

/** The middle of some numbers; NaN of none. */
function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function metric(value: number, { unit }: RunsProgress): string {
  if (Number.isNaN(value)) return "–";
  return unit === "%" ? `${(100 * value).toFixed(1)} %` : `${short(value)}${unit && ` ${unit}`}`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Which config is ahead, by the medians of those of which a run has completed. */
function sentence(all: RunsProgress): string {
  const known = all.configs.filter(({ values }) => values.length > 0);
  if (known.length === 0) return "No run has completed yet.";
  const sign = all.goal === "min" ? -1 : 1;
  const best = known.reduce((a, b) => sign * median(b.values) > sign * median(a.values) ? b : a);
  const of = best.values.length === 1 ? "1 run" : `${best.values.length} runs`;
  const word = all.goal === "min" ? "smallest" : "largest";
  return `${
    state === "ended" ? "The" : "So far the"
  } ${word} median of ${all.metric}: ${best.label}, ` +
    `${metric(median(best.values), all)} (${of}).`;
}

function dots(all: RunsProgress, { label, values }: ConfigProgress): string {
  const x = extent(all.configs.flatMap((config) => config.values));
  const plot = new Plot({ ...DOTS, x, y: [0, 1], xTicks: [], yTicks: [] });
  if (values.length > 0) {
    const middle = median(values);
    plot.segment("median", middle, 0, middle, 1);
  }
  return plot.dots("mark third", values, values.map(() => 0.5), 4)
    .toString(`${label}: ${values.map((value) => metric(value, all)).join(", ") || "none yet"}`);
}

/** What the dots' places mean: the smallest and the largest value of all. */
function scale(all: RunsProgress): string {
  const values = all.configs.flatMap((config) => config.values).sort((a, b) => a - b);
  const last = values.at(-1);
  return last === undefined ? "" : ` from ${metric(values[0], all)} to ${metric(last, all)},`;
}

function curve(all: RunsProgress, { label, curve: values }: ConfigProgress): string {
  const finite = values.map((y, x) => [x, y] as const).filter(([, y]) => Number.isFinite(y));
  const plot = new Plot({
    ...CURVE,
    x: [0, Math.max(1, values.length - 1)],
    y: extent(finite.map(([, y]) => y)),
    xTicks: [],
    yTicks: [],
  });
  const [xs, ys] = [finite.map(([x]) => x), finite.map(([, y]) => y)];
  const last = ys.at(-1);
  if (last !== undefined) plot.line("line third", xs, ys).dots("mark third", [xs.at(-1)!], [last]);
  return plot.toString(`${label}: ${last === undefined ? "nothing yet" : metric(last, all)}`);
}

function row(all: RunsProgress, config: ConfigProgress): string {
  const { label, ended, runs, lost, values } = config;
  const gone = lost === 0 ? "" : `<br><span class="lost">✗ ${lost} not completed</span>`;
  return `<tr><th scope="row">${
    escape(label)
  }</th><td class="number">${ended} of ${runs}${gone}</td>
<td class="number">${metric(median(values), all)}</td><td class="dots">${dots(all, config)}</td>
<td class="curve">${curve(all, config)}</td></tr>`;
}

function table(all: RunsProgress): string {
  const what = `${escape(all.metric)}: a dot for each completed run,${
    scale(all)
  } a line for the median`;
  return `<table class="runs"><caption>${what}. The curve is that of the run that began last.</caption>
<thead><tr><th scope="col">config</th><th scope="col" class="number">ended</th><th scope="col" class="number">median</th>
<th scope="col">each run</th><th scope="col">on the way</th></tr></thead>
<tbody>${all.configs.map((config) => row(all, config)).join("")}</tbody></table>`;
}

function render(): void {
  document.documentElement.dataset.line = line;
  element("connection").textContent = LINES[line];
  if (element("state").textContent !== STATES[state]) {
    element("state").textContent = STATES[state];
    announce(STATES[state]);
  }
  element<HTMLButtonElement>("stop").disabled = state !== "running" || line === "over";
  if (runs === null) return;
  const { name, claim, done, total, secondsLeft } = runs;
  element("name").textContent = name;
  document.title = `${name}: ${done} of ${total}`;
  element("claim").textContent = `${claim}.`;
  element("sentence").textContent = sentence(runs);
  element<HTMLProgressElement>("progress").value = done / total;
  const left = secondsLeft === null || done === total || state !== "running"
    ? ""
    : `, about ${duration(secondsLeft)} left`;
  element("count").textContent = `${done} of ${total} runs have ended${left}`;
  element("configs").innerHTML = table(runs);
}

const source = new EventSource("events");
source.addEventListener("open", () => {
  line = "connected";
  later();
});
source.addEventListener("all", ({ data }) => {
  ({ state, runs } = JSON.parse(data));
  later();
});
source.addEventListener("change", ({ data }) => {
  if (runs !== null) runs = changed(runs, JSON.parse(data));
  later();
});
source.addEventListener("state", ({ data }) => {
  state = JSON.parse(data);
  if (state === "ended") {
    source.close();
    line = "over";
  }
  later();
});
source.addEventListener("error", () => {
  if (line !== "over") line = "lost";
  later();
});

element("stop").addEventListener("click", async () => {
  const fault = element("fault");
  try {
    const response = await fetch("control", {
      method: "POST",
      headers: { "x-tapegrad-token": location.hash.slice(1) },
      body: "stop",
    });
    fault.hidden = response.ok;
    fault.textContent = response.ok ? "" : await response.text();
  } catch {
    fault.hidden = false;
    fault.textContent = "The runs cannot be reached.";
  }
});
render();
