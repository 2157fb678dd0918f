/**
 * A tape as text, as a Mermaid flowchart and as a graph for Graphviz.
 */
import type { TapeCall, TapeLeaf, TapeRecord } from "./tape_record.ts";

/** A line for each call, under the name of its module. */
export function tapeToText(tape: TapeRecord): string {
  const blocks = blocksOf(tape).flatMap(({ head, lines }) => [head, ...lines]);
  return [headOf(tape), ...blocks].join("\n");
}

/** The same as HTML: each module can be unfolded. */
export function tapeToHtml(tape: TapeRecord): string {
  const blocks = blocksOf(tape).map(({ head, lines }) =>
    `<details><summary>${escapeHtml(head)}</summary><pre>${
      escapeHtml(lines.join("\n"))
    }</pre></details>`
  );
  return `<p>${escapeHtml(headOf(tape))}</p>${blocks.join("")}`;
}

function headOf({ shape, calls, leaves, savedBytes }: TapeRecord): string {
  return `${shapeText(shape)}: ${plural(calls.length, "call")}, ` +
    `${plural(leaves.length, "leaf", "leaves")}, ${bytes(savedBytes)} kept for the backward pass`;
}

/** The lines of each module. */
function blocksOf(tape: TapeRecord): { head: string; lines: string[] }[] {
  const byId = new Map(tape.calls.map((call) => [call.id, call]));
  const leaves = new Map(tape.leaves.map((leaf) => [leaf.id, leaf]));
  const rows = new Map(tape.calls.map((call) => [call.id, [
    `${call.id}`,
    call.primitive,
    `${call.inputs.map((input) => source(input, leaves)).join(", ")} → ${
      call.outputs.map(shapeText).join(", ")
    }`,
    call.state === "kept" ? `keeps ${bytes(call.savedBytes)}` : call.state,
    call.gradNorm === null ? "" : `gradient ${short(call.gradNorm)}`,
  ]]));
  const all = [...rows.values()];
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(0, ...all.map((row) => row[i].length)));
  return tape.groups.map(({ module, calls, savedBytes }) => ({
    head: `${module === null ? "(before any module)" : module || "(the model)"}: ${
      plural(calls.length, "call")
    }, ${bytes(savedBytes)}`,
    lines: calls.filter((id) => byId.has(id)).map((id) => {
      const [number, ...cells] = rows.get(id)!;
      const rest = cells.map((cell, i) => cell.padEnd(widths[i + 1])).join("  ");
      return `  ${number.padStart(widths[0])}  ${rest}`.trimEnd();
    }),
  }));
}

/** A Mermaid flowchart, from the leaves down. */
export function tapeToMermaid(tape: TapeRecord): string {
  const node = (id: number | string): string =>
    typeof id === "number" ? `c${id}` : id.replace(" ", "");
  const text = (lines: readonly string[]): string =>
    `"${lines.map((line) => escapeMermaid(line)).join("<br>")}"`;
  return [
    "flowchart TD",
    ...tape.leaves.map((leaf) => `  ${node(leaf.id)}([${text(leafLines(leaf))}])`),
    ...tape.calls.map((call) => `  ${node(call.id)}[${text(callLines(call))}]`),
    ...edges(tape).map(([from, to, shape]) => `  ${node(from)} -->|${text([shape])}| ${node(to)}`),
  ].join("\n");
}

/** A graph for Graphviz, from the leaves down. */
export function tapeToDot(tape: TapeRecord): string {
  const quote = (lines: readonly string[]): string =>
    `"${lines.map((line) => line.replace(/["\\]/g, "\\$&")).join("\\n")}"`;
  const node = (id: number | string): string => quote([String(id)]);
  return [
    "digraph tape {",
    "  node [shape=box]",
    ...tape.leaves.map((leaf) =>
      `  ${node(leaf.id)} [shape=ellipse, label=${quote(leafLines(leaf))}]`
    ),
    ...tape.calls.map((call) => `  ${node(call.id)} [label=${quote(callLines(call))}]`),
    ...edges(tape).map(([from, to, shape]) =>
      `  ${node(from)} -> ${node(to)} [label=${quote([shape])}]`
    ),
    "}",
  ].join("\n");
}

function edges({ calls }: TapeRecord): [from: number | string, to: number, shape: string][] {
  return calls.flatMap(({ id, inputs }) =>
    inputs.flatMap(({ from, shape }): [number | string, number, string][] =>
      from === null ? [] : [[from, id, shapeText(shape)]]
    )
  );
}

function callLines(
  { primitive, module, outputs, savedBytes, state, gradNorm }: TapeCall,
): string[] {
  return [
    primitive,
    ...(module === null ? [] : [module || "(the model)"]),
    outputs.map(shapeText).join(", "),
    state === "kept" ? `keeps ${bytes(savedBytes)}` : state,
    ...(gradNorm === null ? [] : [`gradient ${short(gradNorm)}`]),
  ];
}

function leafLines({ id, name, shape, gradNorm }: TapeLeaf): string[] {
  return [
    name ?? id,
    shapeText(shape),
    ...(gradNorm === null ? [] : [`gradient ${short(gradNorm)}`]),
  ];
}

function source(
  { from, shape }: TapeCall["inputs"][number],
  leaves: ReadonlyMap<string, TapeLeaf>,
): string {
  if (shape === null) return "–";
  const what = from === null
    ? ""
    : typeof from === "number"
    ? `#${from} `
    : `${leaves.get(from)?.name ?? from} `;
  return what + shapeText(shape);
}

function shapeText(shape: readonly number[] | null): string {
  return shape === null ? "–" : `[${shape.join(", ")}]`;
}

function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

function short(value: number | string): string {
  return Number(value).toPrecision(3);
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function escapeMermaid(text: string): string {
  return text.replace(/[&<>"#]/g, (sign) => `#${sign.codePointAt(0)};`);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
}
