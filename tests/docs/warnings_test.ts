/** The page of warnings has all of them, in the words of the library, each with what to do. */
import { assertEquals } from "@std/assert";
import { WARNINGS } from "../../mod.ts";
import { root } from "../house/package.ts";

Deno.test("every warning has its section, and every section is of a warning", async () => {
  const text = await Deno.readTextFile(new URL("docs/warnings.md", root));
  const sections = text.split(/^## /m).slice(1).map((section) => section.replaceAll(/\s+/g, " "));
  const wrong = Object.entries(WARNINGS).filter(([code, seen], i) =>
    !sections[i]?.startsWith(`${code} What was seen: ${seen}. `) ||
    sections[i].length < `${code} What was seen: ${seen}. `.length + 20
  );
  assertEquals(wrong, []);
  assertEquals(sections.length, Object.keys(WARNINGS).length);
});
