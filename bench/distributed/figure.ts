/**
 * Draws docs/distributed_scaling.svg from what `deno task bench:distributed --record` wrote: how long a step takes
 * on 1 to 1,024 ranks by the cost model, what is measured and what is assumed told apart.
 *
 *     deno task docs:scaling [--check]
 */
import { commandLine, flag } from "../../tools/command_line.ts";
import type { Measured } from "../distributed_bench.ts";

const { check } = commandLine("docs:scaling", {
  check: flag("write nothing; only say whether the figure is current"),
});
const root = new URL("../../", import.meta.url);
const measured: Measured = JSON.parse(
  await Deno.readTextFile(new URL("bench/distributed/measured.json", root)),
);

/** A network, as the model sees it. */
interface Network {
  readonly name: string;
  /** Seconds of one message's hop, and of one byte. */
  readonly latency: number;
  readonly perByte: number;
}

const MESSAGES = 2 * 2 + 1;

const ASSUMED: readonly Network[] = [
  { name: "10 Gbit/s Ethernet (assumed: 25 µs, 1.1 GB/s)", latency: 25e-6, perByte: 1 / 1.1e9 },
  { name: "100 Gbit/s InfiniBand (assumed: 2 µs, 11 GB/s)", latency: 2e-6, perByte: 1 / 11e9 },
];

/** Seconds of the messages of a step: messages · α·log₂ n + β·bytes·2(n − 1)/n. */
function messageTime(n: number, bytes: number, network: Network): number {
  return MESSAGES * network.latency * Math.log2(n) + network.perByte * 2 * (n - 1) / n * bytes;
}

const RANKS = Array.from({ length: 11 }, (_, i) => 2 ** i);
const [one, strong, weak] = measured.steps;
const bytes = 8 * measured.gradients;

/** Throughput against one rank; without a network as measured on one machine. */
function speedup(n: number, network: Network | null, kind: "strong" | "weak"): number {
  const messages = n === 1 || network === null ? 0 : 1000 * messageTime(n, bytes, network);
  if (kind === "weak") return n * one.ms / ((n === 1 ? one.ms : weak.ms) + messages);
  // What did not become shorter on two ranks will not on more: the optimizer's step, copies.
  const divided = 2 * (one.ms - strong.ms);
  return one.ms / (divided / n + (one.ms - divided) + messages);
}

const WIDTH = 420;
const HEIGHT = 300;
const [LEFT, TOP] = [48, 40];
const x = (n: number): number => LEFT + Math.log2(n) / 10 * (WIDTH - LEFT - 16);
const y = (s: number): number => TOP + (1 - Math.log2(Math.max(s, 1)) / 10) * (HEIGHT - TOP - 40);

function panel(kind: "strong" | "weak", at: number): string {
  const ticks = RANKS.filter((_, i) => i % 2 === 0);
  const grid = ticks.map((n) =>
    `<line class="grid" x1="${x(n)}" y1="${TOP}" x2="${x(n)}" y2="${y(1)}"/>` +
    `<line class="grid" x1="${LEFT}" y1="${y(n).toFixed(1)}" x2="${x(1024)}" y2="${
      y(n).toFixed(1)
    }"/>` +
    `<text x="${x(n)}" y="${HEIGHT - 24}" text-anchor="middle">${n}</text>` +
    `<text x="${LEFT - 6}" y="${(y(n) + 4).toFixed(1)}" text-anchor="end">${n}</text>`
  ).join("\n");
  const curves = ASSUMED.map((network, i) => {
    const points = RANKS.map((n) =>
      `${x(n).toFixed(1)},${y(speedup(n, network, kind)).toFixed(1)}`
    );
    return `<polyline class="curve c${i}" points="${points.join(" ")}"/>`;
  }).join("\n");
  const ideal = `<line class="ideal" x1="${x(1)}" y1="${y(1)}" x2="${x(1024)}" y2="${y(1024)}"/>`;
  const dots = [1, 2].map((n) =>
    `<circle class="measured" cx="${x(n).toFixed(1)}" cy="${
      y(speedup(n, null, kind)).toFixed(1)
    }" r="4"/>`
  ).join("\n");
  const title = kind === "strong"
    ? `Strong scaling: one batch of ${one.batch} for all`
    : `Weak scaling: ${one.batch} samples for each rank`;
  return `<g transform="translate(${at} 0)">
<text class="title" x="${LEFT}" y="24">${title}</text>
${grid}
${ideal}
${curves}
${dots}
<text x="${(LEFT + x(1024)) / 2}" y="${HEIGHT - 6}" text-anchor="middle">ranks</text>
</g>`;
}

const legend = [
  ["measured", `measured on ${measured.processor}, 1 and 2 ranks`],
  ...ASSUMED.map(({ name }, i) => [`c${i}`, name]),
  ["ideal", "as many times as ranks"],
].map(([kind, text], i) => {
  const [lx, ly] = [LEFT + (i % 2) * WIDTH, HEIGHT + 14 + 20 * (i >> 1)];
  const mark = kind === "measured"
    ? `<circle class="measured" cx="${lx + 10}" cy="${ly - 4}" r="4"/>`
    : `<line class="${kind === "ideal" ? "ideal" : `curve ${kind}`}" x1="${lx}" y1="${
      ly - 4
    }" x2="${lx + 20}" y2="${ly - 4}"/>`;
  return `${mark}<text x="${lx + 28}" y="${ly}">${text}</text>`;
}).join("\n");

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${
  HEIGHT + 48
}" role="img" aria-label="Throughput against one rank, for 1 to 1,024 ranks">
<style>
svg { background: #fff; font: 12px system-ui, sans-serif; }
text { fill: #333; }
.title { font-weight: 600; }
.grid { stroke: #e3e3e3; }
.ideal { stroke: #999; stroke-dasharray: 2 4; }
.curve { fill: none; stroke-width: 2; stroke-dasharray: 7 4; }
.c0 { stroke: #b4540a; }
.c1 { stroke: #1f6fb4; }
.measured { fill: #111; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; }
  text { fill: #ddd; }
  .grid { stroke: #33363c; }
  .measured { fill: #fff; }
  .c0 { stroke: #f0a35e; }
  .c1 { stroke: #7cb9f0; }
}
</style>
${panel("strong", 0)}
${panel("weak", WIDTH)}
${legend}
</svg>
`;

const target = new URL("docs/distributed_scaling.svg", root);
if (check) {
  if (await Deno.readTextFile(target) !== svg) {
    console.error(
      "docs/distributed_scaling.svg is not what the script draws: run it without --check",
    );
    Deno.exit(1);
  }
} else {
  await Deno.writeTextFile(target, svg);
}
