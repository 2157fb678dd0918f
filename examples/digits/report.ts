/**
 * What the ledger shows, as a table.
 */
import { type Event, type Ledger, QUANTITIES, type Quantity } from "./ledger.ts";

const LABELS: Record<Quantity, string> = {
  weight: "γ (weight)",
  bias: "β (bias)",
  runningMean: "running mean",
  runningVar: "running variance",
};

/** One row for each layer and quantity: how often and how far each event moved it. */
export function movementTable(ledger: Ledger): string {
  const { events } = ledger;
  const header = [
    "layer",
    "quantity",
    `by ${counted(events.forward, "training forward")}`,
    `by ${counted(events.optimizer, "optimizer step")}`,
    `by ${counted(events.evaluation, "evaluation")}`,
  ];
  const rows = ledger.layers.flatMap(([name]) =>
    QUANTITIES.map((quantity) => [
      name,
      LABELS[quantity],
      ...(["forward", "optimizer", "evaluation"] as const).map((event) =>
        cell(ledger, name, quantity, event)
      ),
    ])
  );
  return align([header, ...rows]);
}

function cell(ledger: Ledger, layer: string, quantity: Quantity, event: Event): string {
  const { times, distance } = ledger.movement(layer, quantity, event);
  return times === 0 ? "–" : `${times} ×, ${distance.toPrecision(3)} in all`;
}

/** Rows as columns of equal width, the first row underlined. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row.map((text, i) => text.padEnd(widths[i])).join("  ").trimEnd()
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return lines.join("\n");
}

/** `98.33 %` */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** `1 epoch`, `2 epochs` */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
