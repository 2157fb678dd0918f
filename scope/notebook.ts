/**
 * How a recorder shows itself in a notebook.
 */
import { ledgerOf, type Moves, sentenceOf } from "./ledger.ts";
import type { RunRecord } from "./run_record.ts";

/** What a notebook shows, by media type: it takes the richest that it knows. */
export type NotebookOutput = Readonly<Record<string, string>>;

/** The sentence and the matrix of a record. */
export function notebookOutput(record: RunRecord): NotebookOutput {
  const sentence = sentenceOf(record);
  const { learned, tracked } = ledgerOf(record);
  const cell = ({ count, distance }: Moves): string =>
    count === 0 ? "<td>0</td>" : `<td>${count} ×, ${distance.toPrecision(3)} in all</td>`;
  const row = (name: string, moves: typeof learned): string =>
    `<tr><th scope="row">${name}</th>${cell(moves.step)}${cell(moves.forward)}</tr>`;
  return {
    "text/plain": sentence,
    "text/html":
      `<p>${sentence}</p><table><thead><tr><td></td><th scope="col">optimizer step</th>` +
      `<th scope="col">forward pass</th></tr></thead><tbody>${row("learned: γ and β", learned)}${
        row("tracked: running mean and variance", tracked)
      }</tbody></table>`,
  };
}
