/**
 * Writes the lab as a folder that any web server can host.
 *
 *     deno task lab:build [--out FOLDER] [--pages ADDRESS]
 *
 * @module
 */
import { buildLab, isReplaceable, writeFolder } from "../../scope/lab/build.ts";
import { commandLine, place, refuse, text } from "../command_line.ts";

const { out, pages } = commandLine("lab:build", {
  out: place("FOLDER", "where it is written; an earlier build is replaced", "_lab"),
  pages: text(
    "ADDRESS",
    "where the pages on batch norm are, with {page} for a page's name; in the repository where it is " +
      "not given",
    { pattern: /\{page\}/, expected: "an address with {page} in it" },
  ),
});
if (!await isReplaceable(out)) {
  refuse("lab:build", `got --out ${out}, expected a folder that is new, empty or an earlier lab`);
}
const files = await buildLab(pages ?? undefined);
await writeFolder(out, files);
console.log(`The lab is in ${out}: ${[...files.keys()].join(", ")}.`);
