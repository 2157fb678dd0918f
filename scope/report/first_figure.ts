/**
 * The first screen as one drawing, for places that show no pages.
 */
import { closeUpLanes, overviewLanes, sentenceText } from "./first_screen.ts";
import { escape, Html, markup } from "./html.ts";
import { short } from "./lanes.ts";
import { drawingStyle, palette } from "./style.ts";
import type { Move, RunView } from "./view.ts";

const WIDTH = 1160;

/** An SVG file. */
export function firstFigure(run: RunView, title: string): string {
  const { learned, tracked } = run.matrix;
  const [first, second] = sentenceText(run).split(/(?<=\.) /);
  const inner: Html[] = [];
  let height = 350;
  const [channel] = run.channels;
  if (channel !== undefined) {
    inner.push(placed(closeUpLanes(run, channel, "close-up", 640), 520, 100));
    inner.push(placed(overviewLanes(run, channel, "whole", WIDTH), 0, 420));
    height = 420 + heightOf(inner[1]);
  }
  const cells = [
    cell(learned.step, 160, 150, "learned"),
    cell(learned.forward, 330, 150, "tracked"),
    cell(tracked.step, 160, 250, "learned"),
    cell(tracked.forward, 330, 250, "tracked"),
  ];
  return markup`
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 -20 ${WIDTH + 40} ${height + 40}"
      width="${WIDTH + 40}" height="${height + 40}" role="img" aria-labelledby="whole-title"
      font-family="system-ui, sans-serif" font-size="14" fill="var(--ink)">
    <title id="whole-title">${title}</title><desc>${sentenceText(run)}</desc>
    <style>${new Html(palette.replaceAll(":root", "svg") + drawingStyle)}</style>
    <rect x="-20" y="-20" width="100%" height="100%" fill="var(--paper)"/>
    <text y="14" fill="var(--soft)" font-weight="600">${title}</text>
    <text y="44" font-size="20">${first}</text><text y="72" font-size="20">${second}</text>
    ${text(160, 124, "● optimizer step", "var(--learned)")}${
    text(
      330,
      124,
      "▲ forward pass",
      "var(--tracked)",
    )
  }${text(0, 185, "learned", "var(--ink)")}${text(0, 285, "tracked", "var(--ink)")}
    <text x="0" y="203" font-size="12" fill="var(--soft)">γ and β</text><text x="0" y="303" font-size="12" fill="var(--soft)">mean and variance</text>
    ${cells}${inner}${
    channel === undefined
      ? null
      : markup`<text y="400" font-weight="600">${`The whole run: ${channel.layer}, channel ${channel.channel}; each strip has its own scale`}</text>`
  }</svg>
  `.text.trim() + "\n";
}

function text(x: number, y: number, words: string, fill: string): Html {
  return new Html(
    `<text x="${x}" y="${y}" font-weight="600" fill="${fill}">${escape(words)}</text>`,
  );
}

function cell({ times, distance }: Move, x: number, y: number, kind: string): Html {
  const fill = times === 0 ? "none" : `var(--${kind}-back)`;
  return markup`
    <rect x="${x}" y="${y}" width="165" height="90" fill="${fill}"
      stroke="var(--line)" />
    <text x="${x + 12}" y="${y + 42}" font-size="30" font-weight="${times === 0 ? 400 : 650}"
      fill="${times === 0 ? "var(--zero)" : `var(--${kind})`}">${times}</text>
    <text x="${x + 12}" y="${y + 68}" font-size="12" fill="var(--soft)">${
    times === 0 ? "times: never moved" : `times, distance ${short(distance)}`
  }</text>
  `;
}

function placed(drawing: Html, x: number, y: number): Html {
  return new Html(drawing.text.replace("<svg ", `<svg x="${x}" y="${y}" `));
}

function heightOf({ text }: Html): number {
  return Number(/ height="(\d+)"/.exec(text)?.[1] ?? 0);
}
