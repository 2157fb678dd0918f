/**
 * What the measurements say, as a table and as data.
 *
 * @module
 */
import type { Peer } from "./peers.ts";
import { type Ask, flopsOf, type Row, unitsOf } from "./workloads.ts";

/** Times for one unit of work, in milliseconds. */
export interface Times {
  /** The median of each round. */
  readonly rounds: readonly number[];
  /** The fastest run of all, which a busy machine disturbs least. */
  readonly best: number;
  /** The lower quartile of all runs. */
  readonly quartile: number;
  /** The same two of the process's own time, on all cores: other programs do not show in it. */
  readonly cpu: { readonly best: number; readonly quartile: number };
}

/** The machine that all this was measured on. */
export interface Machine {
  /** The processor's name. */
  readonly processor: string;
  readonly cores: number;
  /** What ran, by peer. */
  readonly versions: Readonly<Record<string, string>>;
  /** What else there is to say: which BLAS, how fast, what is not to be trusted. */
  readonly remarks: readonly string[];
  /** When it began. */
  readonly date: string;
}

/** What became of a row with one peer: its times, or why there are none. */
export type Outcome = Times | { readonly reason: string };

/** Peak memory of a peer that did nothing but one row, in bytes. */
export interface Peak {
  /** Before the row's arrays were there. */
  readonly idle: number;
  readonly peak: number;
}

/** Everything that was measured of a row. */
export interface Measured {
  readonly row: Row;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly peaks: ReadonlyMap<string, Peak>;
  /** The peers that a demand on "javascript" means: the other JavaScript libraries in float64. */
  readonly javascript: readonly string[];
  /** What 128-bit vectors can do on this machine, in GFLOP/s; `null` if that is not known. */
  readonly limit: number | null;
}

/** The middle of numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value that a quarter of numbers is not above. */
export function lowerQuartile(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 4)];
}

/** The largest distance of a round from the median, as a part of it. */
export function spread(rounds: readonly number[]): number {
  const middle = median(rounds);
  return Math.max(...rounds.map((round) => Math.abs(round - middle))) / middle;
}

/**
 * The median over rounds of how many times longer `a` took than `b` in the same round: what slows the
 * whole machine down for a while slows both.
 */
export function ratio(a: readonly number[], b: readonly number[]): number {
  return median(a.slice(0, b.length).map((time, i) => time / b[i]));
}

function timesOf(measured: Measured, peer: string): Times | null {
  const outcome = measured.outcomes.get(peer);
  return outcome !== undefined && "rounds" in outcome ? outcome : null;
}

function roundsOf(measured: Measured, peer: string): readonly number[] | null {
  return timesOf(measured, peer)?.rounds ?? null;
}

/** A time in the unit that suits it. */
export function duration(milliseconds: number): string {
  if (milliseconds < 0.1) return `${(milliseconds * 1000).toPrecision(3)} µs`;
  return milliseconds < 1000
    ? `${milliseconds.toPrecision(3)} ms`
    : `${(milliseconds / 1000).toPrecision(3)} s`;
}

/** The verdict on one demand. */
export interface Verdict {
  readonly text: string;
  /** `null` if it could not be measured. */
  readonly met: boolean | null;
}

/** How a row stands to what is asked of it. */
export function judge(measured: Measured, ask: Ask): Verdict {
  if ("lessMemoryThan" in ask) {
    const mine = measured.peaks.get(ask.peer);
    const theirs = measured.peaks.get(ask.lessMemoryThan);
    const text = `peak memory of ${ask.peer} at most ${ask.part}× that of ${ask.lessMemoryThan}`;
    if (mine === undefined || theirs === undefined) return { text, met: null };
    return {
      text: `${text}: ${megabytes(mine.peak)} against ${megabytes(theirs.peak)}`,
      met: mine.peak <= ask.part * theirs.peak,
    };
  }
  const mine = roundsOf(measured, ask.peer);
  if ("gflops" in ask) {
    const { limit } = measured;
    const part = limit === null ? Infinity : ask.ofLimit * limit;
    const text = `${ask.peer} at least ${ask.gflops} GFLOP/s or ${100 * ask.ofLimit} % of ` +
      `${limit === null ? "an unknown limit" : limit.toFixed(1)}`;
    if (mine === null) return { text, met: null };
    const reached = gflops(measured.row, mine)!;
    const most = gflops(measured.row, [timesOf(measured, ask.peer)!.best])!;
    return {
      text: `${text}: ${reached.toFixed(1)} (fastest run: ${most.toFixed(1)})`,
      met: reached >= Math.min(ask.gflops, part),
    };
  }
  const others = ask.against === "javascript" ? measured.javascript : [ask.against];
  const ratios = others.flatMap((name): [string, number][] => {
    const theirs = roundsOf(measured, name);
    return mine === null || theirs === null ? [] : [[name, ratio(mine, theirs)]];
  });
  const best = (name: string) => timesOf(measured, ask.peer)!.best / timesOf(measured, name)!.best;
  const who = ask.against === "javascript" ? "the best JavaScript peer" : ask.against;
  const text = `${ask.peer} at most ${ask.atMost}× the time of ${who}`;
  if (ratios.length === 0) return { text, met: null };
  const [name, worst] = ratios.reduce((a, b) => b[1] > a[1] ? b : a);
  const named = ask.against === "javascript" ? ` of ${name}` : "";
  return {
    text: `${text}: ${worst.toPrecision(2)}×${named} (fastest runs: ${best(name).toPrecision(2)}×)`,
    met: worst <= ask.atMost,
  };
}

function gflops(row: Row, rounds: readonly number[]): number | null {
  const flops = flopsOf(row.work);
  return flops === null ? null : flops / (median(rounds) * 1e6);
}

/** Bytes in megabytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** A row's line: the time of the first peer, then times and ratios of the others. */
function cells(measured: Measured, names: readonly string[], notes: string[]): string[] {
  const base = roundsOf(measured, names[0]);
  return [
    measured.row.name,
    ...names.map((name, i) => {
      const outcome = measured.outcomes.get(name);
      if (outcome === undefined) return "–";
      if ("reason" in outcome) {
        notes.push(`${name}, ${measured.row.name}: ${outcome.reason}`);
        return "–";
      }
      const { rounds } = outcome;
      const time = `${duration(median(rounds))} ±${(100 * spread(rounds)).toFixed(0)} %`;
      if (i === 0) {
        const rate = gflops(measured.row, rounds);
        return rate === null ? time : `${time} (${rate.toFixed(1)} GFLOP/s)`;
      }
      return base === null ? time : `${time} (${ratio(rounds, base).toPrecision(3)}×)`;
    }),
  ];
}

/** Lines of equal width. */
export function layOut(lines: readonly (readonly string[])[]): string {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const row = (line: readonly string[]) =>
    `| ${line.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [row(lines[0]), rule, ...lines.slice(1).map(row)].join("\n");
}

/** The whole report as text. */
export function reportText(all: readonly Measured[], peers: readonly Peer[]): string {
  const names = peers.map(({ name }) => name)
    .filter((name) => all.some(({ outcomes }) => outcomes.has(name)));
  const notes: string[] = [];
  const table = layOut([["row", ...names], ...all.map((row) => cells(row, names, notes))]);
  const parts = [
    `Median of the rounds' medians, largest distance of a round from it; in brackets how many times\n` +
    `the time of ${names[0]} a peer takes.\n\n${table}`,
  ];
  if (notes.length > 0) parts.push(`No time:\n${notes.map((note) => `  ${note}`).join("\n")}`);
  const peaks = all.flatMap(({ row, peaks }) =>
    [...peaks].map(([name, { idle, peak }]) =>
      `  ${row.name}, ${name}: ${megabytes(peak)}, of which ${megabytes(idle)} before it began`
    )
  );
  if (peaks.length > 0) {
    parts.push(`Peak memory of a process that did only this:\n${peaks.join("\n")}`);
  }
  const verdicts = all.flatMap((row) =>
    row.row.asks.map((ask) => {
      const { text, met } = judge(row, ask);
      const mark = met === null ? "?  " : met ? "yes" : "NO ";
      return `  ${mark}  ${row.row.name}: ${text}${met === null ? ": not measured" : ""}`;
    })
  );
  if (verdicts.length > 0) parts.push(`What is asked:\n${verdicts.join("\n")}`);
  return parts.join("\n\n");
}

/** The whole report as data. */
export function reportData(all: readonly Measured[], peers: readonly Peer[]): unknown {
  return all.map((measured) => {
    const { row, outcomes, peaks } = measured;
    const base = timesOf(measured, peers[0].name);
    return {
      name: row.name,
      group: row.group,
      work: row.work,
      unitsPerRun: unitsOf(row.work),
      peers: Object.fromEntries(
        [...outcomes].map(([name, outcome]) => {
          if ("reason" in outcome) return [name, outcome];
          const { rounds, best, quartile, cpu } = outcome;
          return [name, {
            medianMs: median(rounds),
            bestMs: best,
            quartileMs: quartile,
            cpuBestMs: cpu.best,
            cpuQuartileMs: cpu.quartile,
            spread: spread(rounds),
            roundsMs: rounds,
            gflops: gflops(row, rounds),
            ratio: base === null ? null : ratio(rounds, base.rounds),
            bestRatio: base === null ? null : best / base.best,
          }];
        }),
      ),
      memory: Object.fromEntries(peaks),
      asked: row.asks.map((ask) => ({ ask, ...judge(measured, ask) })),
    };
  });
}

/**
 * The report as a Markdown document that a page can show: of each row and peer the process's own time, minimum and
 * lower quartile, and the minimum as a part of the second peer's.
 */
export function reportMarkdown(
  all: readonly Measured[],
  peers: readonly Peer[],
  machine: Machine,
): string {
  const names = peers.map(({ name }) => name)
    .filter((name) => all.some(({ outcomes }) => outcomes.has(name)));
  const base = names.includes("torch") ? "torch" : names[0];
  const table = (title: string, read: (times: Times) => { best: number; quartile: number }) => {
    const lines = all.map((measured) => [
      measured.row.name,
      ...names.map((name) => {
        const times = timesOf(measured, name);
        if (times === null) return "–";
        const { best, quartile } = read(times);
        const theirs = timesOf(measured, base);
        const part = theirs === null || name === base
          ? ""
          : `, ${(best / read(theirs).best).toPrecision(2)}×`;
        return `${duration(best)} (${duration(quartile)})${part}`;
      }),
    ]);
    return `## ${title}\n\n${layOut([["row", ...names], ...lines])}`;
  };
  const peaks = all.flatMap(({ row, peaks }) =>
    [...peaks].map(([name, { peak }]) => [row.name, name, megabytes(peak)])
  );
  return [
    "# Side by side",
    `${machine.processor}, ${machine.cores} cores, ${machine.date}. Minimum of all runs, in brackets the ` +
    `lower quartile, and the minimum as a multiple of ${base}'s. The rounds of the peers alternate.`,
    Object.entries(machine.versions).map(([name, version]) => `- ${name}: ${version}`).join("\n"),
    ...(machine.remarks.length > 0
      ? [machine.remarks.map((remark) => `- ${remark}`).join("\n")]
      : []),
    table("Time of the process", ({ cpu }) => cpu),
    table("Time on the clock", (times) => times),
    ...(peaks.length > 0
      ? [`## Peak memory\n\n${layOut([["row", "peer", "peak"], ...peaks])}`]
      : []),
  ].join("\n\n") + "\n";
}
