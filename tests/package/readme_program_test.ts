/** The first program of README, word for word, in each engine and in a page, from the npm tarball. */
import { assertEquals } from "@std/assert";
import {
  chromium,
  installed,
  makeProject,
  openPage,
  output,
  runs,
  serving,
  tool,
} from "./elsewhere.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

function block(language: string, index = 0): string {
  const all = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))];
  return all[index][1];
}

const program = block("js");
const expected = block("text", 1);
const project = installed ? await makeProject("readme", { "first.mjs": program }) : "";
const tar = project === "" ? "" : `${project}/node_modules/@tapegrad/tapegrad`;

const engines: readonly (readonly [name: string, program: string, args: readonly string[]])[] = [
  ["Deno", Deno.execPath(), ["run", "--quiet", "--no-prompt", "--allow-read"]],
  ["Node on the path", runs("node") ? "node" : "", []],
  ["Node 22", tool("node22/bin/node"), []],
  ["Node 24", tool("node24/bin/node"), []],
  ["Bun", tool("bun/bin/bun"), ["run"]],
];

for (const [engine, path, args] of engines) {
  Deno.test({
    name: `the first program of README prints what README says in ${engine}`,
    ignore: !installed || path === "",
    async fn() {
      assertEquals(await output(path, [...args, "first.mjs"], project), expected);
    },
  });
}

Deno.test({
  name: "the page of README shows its sum, without a build step",
  ignore: !installed || chromium === "",
  async fn() {
    const folder = `${project}/page`;
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.mkdir(folder);
    await output("cp", ["-r", tar, `${folder}/tapegrad`], project);
    const seen =
      `<script type="module">report(JSON.stringify({ text: document.body.textContent }))</script>`;
    const text = `<!doctype html><body>\n${block("html")}${seen}</body>`;
    await Deno.writeTextFile(`${folder}/index.html`, text);
    const { text: shown } = await serving(folder, openPage) as { text: string };
    assertEquals(shown, "6");
  },
});

Deno.test({
  name: "the first program of README prints what README says in a page that Vite builds",
  ignore: !installed || chromium === "",
  async fn() {
    const folder = await makeProject("readme-vite", {
      "first.mjs": program,
      "main.js": `const lines = [];
console.log = (...parts) => lines.push(parts.join(" ") + "\\n");
await import("./first.mjs");
report(JSON.stringify({ printed: lines.join("") }));
`,
      "index.html": `<!doctype html><body><script type="module" src="/main.js"></script></body>`,
    });
    await output(tool("node22/bin/node"), [tool("vite8/bin/vite.js"), "build"], folder);
    const { printed } = await serving(`${folder}/dist`, openPage) as { printed: string };
    assertEquals(printed, expected);
  },
});
