/**
 * The live page: follows the run, draws at most once a frame of the screen.
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { announce } from "../../lab/page/announcer.ts";
import { SWITCHES } from "../../lab/views/who_moves_what.ts";
import { escape, key, num, short } from "../../lab/views/view.ts";
import { ledgerOf, type Moves, sentenceOf } from "../../ledger.ts";
import { type LayerRecord, numberOf, type RunRecord, type Series } from "../../run_record.ts";
import { Chart, LEFT, type Line } from "./chart.ts";
import { Connection, type RunInfo } from "./connection.ts";
import { eventsOf, modesText, spanOf } from "./events.ts";

const OFF = ["lr", "eval", "momentum"] as const;
const STATES = { running: "Running", paused: "Paused", stopped: "Stopping", ended: "Over" };
const LINES = {
  connecting: "connecting …",
  connected: "",
  lost: "connection lost, trying again …",
  over: "the run is over; the page keeps what it has",
};

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const lanes = element("lanes");
const learned = new Chart(lanes, "learned", "event");
const tracked = new Chart(lanes, "tracked", "event");
const metrics = new Map<string, Chart>();
const shown = new WeakMap<Element, string>();
let question = { asked: 0, guess: 0 };
let isDue = false;

const connection = new Connection(() => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    render();
  });
});

function fill(target: HTMLElement, html: string): boolean {
  if (shown.get(target) === html) return false;
  shown.set(target, html);
  target.innerHTML = html;
  return true;
}

function cell(name: string, { count, distance }: Moves): string {
  return `<td data-cell="${name}"${count === 0 ? ' class="still"' : ""}><b>${
    num(count)
  }</b> <span>${count === 0 ? "did not move" : `path ${num(distance)}`}</span></td>`;
}

function matrix(record: RunRecord): string {
  const ledger = ledgerOf(record);
  const row = (name: "learned" | "tracked", what: string) =>
    `<tr><th scope="row"><span class="chip ${name}"></span>${name}<small>${what}</small></th>${
      cell(`${name}.step`, ledger[name].step)
    }${cell(`${name}.forward`, ledger[name].forward)}</tr>`;
  return `<table class="matrix"><caption>How often each moved, and the length of its way</caption>
<thead><tr><td></td><th scope="col">by the optimizer’s steps ●</th><th scope="col">by forward passes ▲</th>
</tr></thead><tbody>${row("learned", "γ, β")}${
    row("tracked", "running mean, variance")
  }</tbody></table>`;
}

/** The switches, the question before one is thrown, and the answer. */
function switches({ off, hasSwitches, state }: RunInfo): string {
  if (!hasSwitches) return "";
  const isOver = state === "stopped" || state === "ended";
  const now = OFF.indexOf(off as typeof OFF[number]);
  const buttons = SWITCHES.map(({ name }, i) =>
    `<button type="button" data-switch="${i}" aria-pressed="${now === i}"${
      isOver ? " disabled" : ""
    }>${name}</button>`
  );
  const head = `<p class="switches"><span>Switch one thing off:</span> ${buttons.join(" ")}</p>`;
  if (question.asked > 0) {
    const { name } = SWITCHES[question.asked - 1];
    return `${head}<div class="question" role="group" aria-labelledby="which-lane"><p id="which-lane"
 tabindex="-1" data-focus><b>${name}: which lane goes flat?</b></p><p>
<button type="button" data-guess="1"><span class="chip learned"></span>learned: γ, β</button>
<button type="button" data-guess="2"><span class="chip tracked"></span>tracked: running mean, variance</button>
</p></div>`;
  }
  if (now < 0) return head;
  const { name, flat, why } = SWITCHES[now];
  const said = ["learned", "tracked"][question.guess - 1];
  const verdict = question.guess === 0 ? "" : said === flat ? "Yes: " : `You said ${said}. `;
  return `${head}<div class="question"><p tabindex="-1" data-focus>${verdict}<b>${name} flattens the ${flat}
 lane</b>, and no other. ${why}</p></div>`;
}

/** A channel's way since the start. */
function path({ at, values }: Series, column: number, start: number) {
  return { at, values: values.map((row) => numberOf(row[column]) - start) };
}

function line(
  name: string,
  colour: Line["colour"],
  look: Line["look"],
  { at, values }: { at: readonly number[]; values: readonly number[] },
): Line {
  return { name, colour, look, at, values };
}

function drawLayer(record: RunRecord, layer: LayerRecord, column: number): void {
  const span = spanOf(record);
  const c = layer.channels[column];
  const { series, start } = layer;
  const from = (state: typeof start.gamma) => state === null ? 0 : numberOf(state[c]);
  const gamma = path(series.gamma, column, from(start.gamma));
  const beta = path(series.beta, column, from(start.beta));
  const mean = path(series.runningMean, column, from(start.runningMean));
  const variance = path(series.runningVar, column, from(start.runningVar));
  const end = ({ values }: { values: readonly number[] }) => short(values.at(-1) ?? 0);
  const where = `${layer.path || layer.kind}, channel ${c}`;
  learned.show(
    `Learned, ${where}: γ changed by ${end(gamma)}, β by ${end(beta)}.`,
    key("line learned", "line", "γ") + key("line learned dashed", "line", "β") +
      "<br>Change since the start, over events: forward passes and steps. Each lane has its own scale.",
    [line("γ", "learned", "line", gamma), line("β", "learned", "dashed", beta)],
    span,
  );
  tracked.show(
    `Tracked, ${where}: the running mean changed by ${end(mean)}, the running variance by ${
      end(variance)
    }.`,
    key("line tracked", "line", "running mean") +
      key("line tracked dashed", "line", "running variance") +
      key("cloud", "dot", "mean and variance of the batches"),
    [
      line(
        "mean of the batch",
        "cloud",
        "points",
        path(series.batchMean, column, from(start.runningMean)),
      ),
      line(
        "variance of the batch",
        "cloud",
        "points",
        path(series.batchVar, column, from(start.runningVar)),
      ),
      line("running mean", "tracked", "line", mean),
      line("running variance", "tracked", "dashed", variance),
    ],
    span,
  );
  const events = eventsOf(record, layer.path, { left: LEFT, width: tracked.width });
  element("events-title").textContent = events.title;
  fill(element("events-drawing"), events.svg);
}

function drawMetrics(record: RunRecord): void {
  for (const { name, unit, step, values } of record.metrics) {
    const chart = metrics.get(name) ??
      new Chart(element("metrics"), `metric-${metrics.size}`, "step");
    metrics.set(name, chart);
    // Accuracies are shares of 1.
    const scale = unit === "%" ? 100 : 1;
    const numbers = values.map((value) => scale * numberOf(value));
    const last = numbers.at(-1);
    chart.show(
      `${name}: ${last === undefined ? "none yet" : short(last, 4)}${unit && ` ${unit}`}`,
      `over steps`,
      [{ name, colour: "third", look: "line", at: step, values: numbers }],
    );
  }
}

/** Fills a list and keeps the choice. */
function choose(select: HTMLSelectElement, names: readonly string[]): number {
  const html = names.map((name, i) => `<option value="${i}">${escape(name)}</option>`).join("");
  const before = Math.max(0, select.selectedIndex);
  if (fill(select, html)) select.selectedIndex = Math.min(before, names.length - 1);
  return select.selectedIndex;
}

function renderRun(run: RunInfo): void {
  const state = element("state");
  if (state.textContent !== STATES[run.state]) {
    state.textContent = STATES[run.state];
    announce(STATES[run.state]);
  }
  const isOver = run.state === "stopped" || run.state === "ended";
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-command]")) {
    const { command } = button.dataset;
    button.disabled = isOver || (command === "pause" && run.state === "paused") ||
      (command === "continue" && run.state === "running");
  }
  const target = element("switches");
  const hadFocus = target.contains(document.activeElement);
  if (fill(target, switches(run)) && hadFocus) {
    (target.querySelector<HTMLElement>("[data-focus]") ?? target.querySelector("button"))?.focus();
  }
}

function render(): void {
  const { record, run, line: state } = connection;
  element("connection").textContent = LINES[state];
  document.documentElement.dataset.line = state;
  document.documentElement.dataset.resyncs = String(connection.resyncs);
  if (run !== null) renderRun(run);
  if (record === null) return;
  if (record.title !== "") element("title").textContent = record.title;
  element("sentence").textContent = sentenceOf(record);
  element("steps").textContent = String(record.steps);
  fill(element("matrix"), matrix(record));
  drawMetrics(record);
  const names = record.layers.map(({ path, kind, features }) =>
    `${path || "the model"} (${kind}, ${features} channels)`
  );
  const layer = record.layers[choose(element<HTMLSelectElement>("layer"), names)];
  if (layer === undefined) return;
  const channels = layer.channels.map((channel) => `channel ${channel}`);
  const column = choose(element<HTMLSelectElement>("channel"), channels);
  if (column >= 0) drawLayer(record, layer, column);
  element("modes").textContent = `Modes of this layer, by event: ${modesText(record, layer.path)}.`;
}

async function ask(command: string): Promise<void> {
  const refused = await connection.control(command);
  const fault = element("fault");
  fault.hidden = refused === null;
  fault.textContent = refused ?? "";
}

document.addEventListener("click", ({ target }) => {
  const button = (target as Element).closest<HTMLElement>("button");
  if (button === null) return;
  const { command, switch: thrown, guess } = button.dataset;
  if (command !== undefined) void ask(command);
  if (thrown !== undefined) {
    const isOn = button.getAttribute("aria-pressed") === "true";
    question = { asked: isOn ? 0 : Number(thrown) + 1, guess: 0 };
    if (isOn || connection.run?.off !== "none") void ask("off none");
    render();
  }
  if (guess !== undefined) {
    const what = OFF[question.asked - 1];
    question = { asked: 0, guess: Number(guess) };
    void ask(`off ${what}`);
  }
});
element("layer").addEventListener("change", render);
element("channel").addEventListener("change", render);

/** Draws all charts anew. */
function rebuild(): void {
  for (const chart of [learned, tracked, ...metrics.values()]) chart.rebuild();
  render();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rebuild);
let width = document.body.clientWidth;
new ResizeObserver(() => {
  if (document.body.clientWidth === width) return;
  width = document.body.clientWidth;
  rebuild();
}).observe(document.body);

// For whoever wants the record itself.
Object.defineProperty(globalThis, "tapegradRecord", { get: () => connection.record });
