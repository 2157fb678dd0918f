/** The site that the documents become. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { build } from "../../tools/site/build.ts";
import { deadLinks, filesOf } from "../../tools/site/links.ts";
import { pathOf, relative, target, toPage, withScenes } from "../../tools/site/pages.ts";
import { withTempDir } from "../io/temp_dir.ts";

Deno.test("documents get paths, and links between them lead from page to page", () => {
  assertEquals(pathOf("README.md"), "index.html");
  assertEquals(pathOf("docs/batch_norm/README.md"), "batch_norm/index.html");
  assertEquals(pathOf("CONTRIBUTING.md"), "contributing.html");
  assertEquals(relative("a/b.html", "c.html"), "../c.html");
  assertEquals(relative("a/b.html", "a/c.html"), "c.html");
  const documents = new Set(["README.md", "docs/course.md", "docs/batch_norm/README.md"]);
  assertEquals(target("docs/course.md#x", "README.md", documents), "course.html#x");
  assertEquals(target("../course.md", "docs/batch_norm/README.md", documents), "../course.html");
  assertEquals(target("#x", "README.md", documents), "#x");
  assertEquals(target("docs/a.svg", "README.md", documents), "a.svg");
  assertEquals(target("b.png", "docs/batch_norm/README.md", documents), "b.png");
  assertEquals(
    target("../nn/mod.ts", "docs/course.md", documents),
    "https://github.com/tapegrad/tapegrad/blob/main/nn/mod.ts",
  );
});

Deno.test("a page has its title, anchors, highlighted code, and sections for the search", () => {
  const markdown =
    "# Two `kinds` of state\n\nText.\n\n## What is *tracked*\n\n```ts\nconst a = 1;\n```\n";
  const page = toPage("docs/a.md", markdown, new Set(["docs/a.md"]));
  assertEquals(page.title, "Two kinds of state");
  assertStringIncludes(page.html, 'id="what-is-tracked"');
  assertStringIncludes(page.html, "hljs-keyword");
  assertEquals(page.sections.map(({ heading, text }) => [heading, text]), [
    ["Two kinds of state", "Text."],
    ["What is tracked", "const a = 1;"],
  ]);
});

Deno.test("a scene that a page names leads into the lab", () => {
  const page = toPage("docs/batch_norm/a.md", "# A\n\nscene `#five-modes`, `deno`", new Set());
  assertStringIncludes(
    withScenes(page).html,
    'scene <a href="../lab/index.html#five-modes"><code>#five-modes</code></a>, <code>deno</code>',
  );
});

Deno.test("links that lead to no file or no anchor are found", () => {
  const files = new Map([
    [
      "index.html",
      '<h1 id="a">A</h1><a href="b/c.html#d">1</a><a href="#a">2</a><a href="https://x.org">3</a>',
    ],
    [
      "b/c.html",
      '<h1 id="d">D</h1><a href="../index.html#z">4</a><img src="e.png"><a href="../b/">5</a>',
    ],
  ]);
  assertEquals(deadLinks(files), [
    "b/c.html: ../index.html#z (no anchor #z)",
    "b/c.html: ../b/ (no file b/index.html)",
    "b/c.html: e.png (no file b/e.png)",
  ]);
});

Deno.test("the documents become a site in which every link leads somewhere", async () => {
  await withTempDir(async (folder) => {
    // The report has tests of its own, and the reference is Deno's.
    const dead = await build(`${folder}/site`, ["api", "report"]);
    assertEquals(dead, []);
    const files = await filesOf(`${folder}/site`);
    assert(files.has("index.html") && files.has("search.js") && files.has("course.html"));
    const index = JSON.parse(await Deno.readTextFile(`${folder}/site/search.json`));
    assert(index.documentCount > 30, `${index.documentCount} sections`);

    const lab = files.get("lab/index.html")!;
    const sections = new Map(
      Array.from(
        lab.matchAll(/<section id="([^"]*)"[^]*?<\/section>/g),
        ([html, id]) => [id, html],
      ),
    );
    const beliefs = [...files].filter(([path]) => /^batch_norm\/\d+_\w+\.html$/.test(path));
    assertEquals(beliefs.length, 20);
    for (const [path, html] of beliefs) {
      const scene = /href="\.\.\/lab\/index\.html#([a-z-]+)"/.exec(html!)?.[1];
      assert(scene !== undefined, `${path} leads to no scene`);
      assertStringIncludes(sections.get(scene)!, `href="../${path}"`);
    }
    assert(!lab.includes('href="https:'), "the lab leads out of its site");
  });
});
