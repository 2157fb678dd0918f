/**
 * What was in which mode, what the audits said, and the tape.
 */
import { type Figure, tableOf } from "./figure.ts";
import { type Html, html } from "./html.ts";
import type { RunView, TapeNode } from "./view.ts";

/** In which mode the forward passes ran, and where it was set. */
export function modeSection({ axis }: RunView): Html | null {
  if (axis.modes.length === 0) return null;
  const sums = new Map<string, number>();
  for (const { mode, forwards } of axis.modes) sums.set(mode, (sums.get(mode) ?? 0) + forwards);
  const told = [...sums].map(([mode, forwards]) => `${forwards} in ${mode}`).join(", ");
  const rows = axis.modes.map(({ mode, from, to, forwards, site }) => [
    mode,
    from,
    to,
    forwards,
    site,
  ]);
  return html`
    <section aria-labelledby="modes-heading">
      <h2 id="modes-heading">Modes</h2>
      <p>Forward passes: ${told}. The strip under the lanes shows them on the axis of events.</p>
      <details>
        <summary>The ${axis.modes.length} stretches, in order</summary>
        <div class="scroll" tabindex="0" role="region" aria-label="Modes in order">${tableOf({
          columns: ["mode", "first event", "last event", "forward passes", "set at"],
          rows,
        })}</div>
      </details>
    </section>
  `;
}

/** What stands out, in words. */
export function findingSection({ findings, gaps }: RunView): Html {
  const reasons = gaps.flatMap(({ layer, reasons }) =>
    reasons.map((message) => ({ layer, message }))
  );
  const all = [...findings, ...reasons];
  return html`
    <section
      aria-labelledby="health-heading"><h2 id="health-heading">Audit and health</h2>${all.length ===
          0
        ? html`<p><span aria-hidden="true">✓</span> Nothing stands out.</p>`
        : html`<ul class="plain">${
          all.map(({ layer, message }) =>
            html`
              <li><span aria-hidden="true">⚠ </span><b>${layer}</b>: ${message}</li>
            `
          )
        }</ul>`}</section>
  `;
}

/** What each layer's tensors were moved by: the matrix, layer by layer. */
export function ledgerSection({ layers }: RunView, names: Readonly<Record<string, string>>): Html {
  const rows = layers.flatMap(({ name, moves }) =>
    Object.entries(moves).map(([quantity, { step, forward }]) => [
      name,
      names[quantity],
      step.times,
      step.distance,
      forward.times,
      forward.distance,
    ])
  );
  const columns = [
    "layer",
    "quantity",
    "times by optimizer",
    "distance",
    "times by forward",
    "distance",
  ];
  return html`
    <details data-print>
      <summary>The matrix, layer by layer</summary>
      <div class="scroll" tabindex="0" role="region"
        aria-label="The matrix, layer by layer">${tableOf({ columns, rows })}</div>
    </details>
  `;
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
  return html`<section class="tape" aria-labelledby="tape-heading"><h2 id="tape-heading">The tape</h2>
<p>${tape.length} calls of the last training step, with ${bytes} bytes saved for the backward pass. The running
statistics are not among them: they are written beside the tape.</p>${
    [...groups].map(([path, nodes]) =>
      html`
        <details>
          <summary>${path === "" ? "outside of modules" : path}: ${nodes.map(({ primitive }) =>
            primitive
          ).join(", ")}</summary>
          <div class="scroll" tabindex="0" role="region" aria-label="Calls of ${path}">${tableOf({
            columns: ["primitive", "shapes", "bytes saved", "norm of the gradient"],
            rows: nodes.map(({ primitive, shapes, bytes, gradient }) => [
              primitive,
              shapes,
              bytes,
              gradient,
            ]),
          })}</div>
        </details>
      `
    )
  }</section>`;
}

/** The figures that there is something to draw for. */
export function present(figures: readonly (Figure | null)[]): Figure[] {
  return figures.filter((figure) => figure !== null);
}
