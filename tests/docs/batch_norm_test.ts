/** The twenty pages about batch norm: their form, their map, and the scenes that they name. */
import { assert, assertEquals } from "@std/assert";
import { buildLab } from "../../scope/lab/build.ts";
import { escape } from "../../scope/lab/views/view.ts";
import { root } from "../house/package.ts";
import { documentsBelow } from "./documents.ts";

const folder = "docs/batch_norm";
const map = await Deno.readTextFile(new URL(`${folder}/README.md`, root));
const pages = (await documentsBelow(folder)).filter((path) => !path.endsWith("README.md"));
const texts = await Promise.all(pages.map((path) => Deno.readTextFile(new URL(path, root))));

Deno.test("there are twenty pages of one form, each of 60 lines at most", () => {
  assertEquals(pages.length, 20);
  const parts = ["Predict", "The number", "Why", "In PyTorch", "See it"];
  for (const [i, text] of texts.entries()) {
    assert(text.split("\n").length <= 61, `${pages[i]} is too long`);
    assert(text.startsWith(`# ${i + 1}. “`), `${pages[i]} does not begin with its belief`);
    assertEquals(
      [...text.matchAll(/^\*\*([^*]+)\.\*\*/gm)].map(([, part]) => part),
      parts,
      pages[i],
    );
    assertEquals(text.match(/^```ts$/gm)?.length, 1, pages[i]);
    assert(/\bassert\w*\(/.test(text), `${pages[i]} asserts nothing`);
    const code = /^```ts\n([^]*?)^```/m.exec(text)![1].split("\n");
    const lines = code.filter((line) => line !== "" && !line.startsWith("import ")).length;
    assert(lines <= 13, `${pages[i]} has ${lines} lines of code`);
  }
});

Deno.test("the map has every page under its belief", () => {
  for (const [i, text] of texts.entries()) {
    const belief = /“(.*)”/.exec(text)![0];
    assert(map.includes(`[${belief}](${pages[i].slice(folder.length + 1)}) `), pages[i]);
  }
});

Deno.test("every page names a scene of the lab", async () => {
  const scenes = await Deno.readTextFile(new URL("scope/lab/scenes/mod.ts", root));
  for (const [i, text] of texts.entries()) {
    const anchor = /scene `#([a-z-]+)`/.exec(text)?.[1];
    assert(scenes.includes(`"${anchor}"`), `${pages[i]}: there is no scene ${anchor}`);
    assert(
      map.split("\n").some((row) =>
        row.startsWith(`| ${i + 1} `) && row.includes(`\`#${anchor}\``)
      ),
    );
  }
});

Deno.test("every scene leads back to exactly the pages that name it", async () => {
  const named = new Map<string, string[]>();
  for (const [i, text] of texts.entries()) {
    const [, anchor] = /scene `#([a-z-]+)`/.exec(text)!;
    const belief = escape(/“(.*)”/.exec(text)![0]);
    const page = pages[i].slice(folder.length + 1);
    const link = `<a href="at/${page}" aria-label="Belief ${i + 1}: ${belief}">${belief}</a>`;
    named.set(anchor, [...named.get(anchor) ?? [], link]);
  }
  const html = (await buildLab("at/{page}.md")).get("index.html")!;
  const sections = [...html.matchAll(/<section id="([^"]*)"[^]*?<\/section>/g)];
  const leadsBack = new Map(
    sections.map(([html, anchor]) => [anchor, html.match(/<a href="at\/.*?<\/a>/g) ?? []]),
  );
  for (const anchor of named.keys()) assert(leadsBack.has(anchor), `there is no scene ${anchor}`);
  for (const [anchor, links] of leadsBack) {
    assertEquals([...links], named.get(anchor) ?? [], anchor);
  }
});

Deno.test("the experiments that pages name are there, and lead back to them", async () => {
  const experiments = await Deno.readTextFile(new URL("docs/experiments.md", root));
  let named = 0;
  for (const [i, text] of texts.entries()) {
    const [, atScale = ""] = text.split("At scale:");
    for (const [, name] of atScale.matchAll(/`(?:deno task experiment )?([a-z-]+)`/g)) {
      named++;
      const row = experiments.split("\n").find((line) => line.startsWith(`| \`${name}\` `));
      assert(row !== undefined, `${pages[i]}: there is no experiment ${name}`);
      const back = `[${i + 1}](batch_norm/${pages[i].slice(folder.length + 1)})`;
      assert(row.includes(back), `${name} does not lead back to ${pages[i]}`);
    }
  }
  assert(named >= 18, `${named}`);
});
