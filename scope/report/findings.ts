/**
 * What was in which mode, what the audits said, and the tape.
 */
import { type Figure, tableOf } from "./figure.ts";
import { type Html, markup } from "./html.ts";
import type { RunView, TapeNode } from "./view.ts";

/** In which mode the forward passes ran, and where it was set. */
export function modeSection({ stretches }: RunView): Html | null {
  if (stretches.length === 0) return null;
  const count = new Map<string, number>();
  for (const { mode } of stretches) count.set(mode, (count.get(mode) ?? 0) + 1);
  const told = [...count].map(([mode, times]) => `${times} in ${mode}`).join(", ");
  const rows = stretches.map(({ layer, mode, from, to, site }) => [layer, mode, from, to, site]);
  return markup`<section aria-labelledby="modes-heading"><h2 id="modes-heading">Modes</h2>
<p>Stretches of forward passes in one mode: ${told}. The strip under the lanes shows them on the axis of events.</p>
<details><summary>All of them, in order</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Modes in order">${
    tableOf({ columns: ["layer", "mode", "first event", "last event", "called at"], rows })
  }</div></details></section>`;
}

/** Writes that neither a forward pass nor the optimizer made. */
export function writeSection({ writes }: RunView): Html | null {
  if (writes.length === 0) return null;
  const rows = writes.map(({ at, layer, name, by, distance, site }) => [
    at,
    layer,
    name,
    by,
    distance,
    site,
  ]);
  return markup`<section aria-labelledby="writes-heading"><h2 id="writes-heading">Other writes</h2>
<p>Neither a forward pass nor the optimizer made these.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Other writes">${
    tableOf({ columns: ["event", "layer", "tensor", "by", "distance", "at"], rows })
  }</div></section>`;
}

/** What stands out, in words. */
export function findingSection({ findings, gaps, warnings }: RunView): Html {
  const reasons = gaps.flatMap(({ layer, reasons }) =>
    reasons.map((message) => ({ layer, message }))
  );
  const notes = warnings.map((message) => ({ layer: "record", message }));
  const all = [...findings, ...reasons, ...notes];
  return markup`
    <section
      aria-labelledby="health-heading"><h2 id="health-heading">Audit and health</h2>${
    all.length ===
        0
      ? markup`<p><span aria-hidden="true">✓</span> Nothing stands out.</p>`
      : markup`<ul class="plain">${
        all.map(({ layer, message }) =>
          markup`
              <li><span aria-hidden="true">⚠ </span><b>${layer}</b>: ${message}</li>
            `
        )
      }</ul>`
  }</section>
  `;
}

/** The matrix, layer by layer. */
export function ledgerSection({ layers }: RunView): Html {
  const rows = layers.flatMap(({ name, moves }) =>
    (["learned", "tracked"] as const).map((kind) => [
      name,
      kind === "learned" ? "learned: γ, β" : "tracked: running mean, variance",
      moves[kind].step.times,
      moves[kind].step.distance,
      moves[kind].forward.times,
      moves[kind].forward.distance,
    ])
  );
  const columns = ["layer", "what", "by optimizer", "distance", "by forward", "distance"];
  return markup`<details data-print><summary>The matrix, layer by layer</summary>
<div class="scroll" tabindex="0" role="region" aria-label="The matrix, layer by layer">${
    tableOf({ columns, rows })
  }</div></details>`;
}

/** The tape, folded by module. */
export function tapeSection({ tape }: RunView): Html | null {
  if (tape.length === 0) return null;
  const groups = new Map<string, TapeNode[]>();
  for (const node of tape) {
    const found = groups.get(node.path) ?? [];
    groups.set(node.path, found);
    found.push(node);
  }
  const bytes = tape.reduce((sum, node) => sum + node.bytes, 0);
  return markup`<section class="tape" aria-labelledby="tape-heading"><h2 id="tape-heading">The tape</h2>
<p>${tape.length} calls of a training step, with ${bytes} bytes saved for the backward pass. The running
statistics are not among them: they are written beside the tape.</p>${
    [...groups].map(([path, nodes]) =>
      markup`
        <details>
          <summary>${path === "" ? "outside of modules" : path}: ${
        nodes.map(({ primitive }) => primitive).join(", ")
      }</summary>
          <div class="scroll" tabindex="0" role="region" aria-label="Calls of ${path}">${
        tableOf({
          columns: ["primitive", "shapes", "bytes saved", "norm of the gradient"],
          rows: nodes.map(({ primitive, shapes, bytes, gradient }) => [
            primitive,
            shapes,
            bytes,
            gradient,
          ]),
        })
      }</div>
        </details>
      `
    )
  }</section>`;
}

/** The figures that there is something to draw for. */
export function present(figures: readonly (Figure | null)[]): Figure[] {
  return figures.filter((figure) => figure !== null);
}
