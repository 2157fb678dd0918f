/** The npm tarball, as npm's own checkers and projects see it. */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { pack, withWholeLinks } from "../../tools/npm_pack.ts";
import { problemOfChangelog, problemOfVersion } from "../../tools/release.ts";
import { elsewhere, installed, makeProject, output, runs, tool } from "./elsewhere.ts";

const hasTar = runs("tar");
if (!hasTar) console.log("No tar here: the npm tarball is not looked at.");

Deno.test("links into the repository become whole addresses, others stay", () => {
  const text = "[a](docs/a.md#b) [c](https://x.org/c.md) [d](#d) ![e](./docs/e.svg)";
  const forge = "https://github.com/tapegrad/tapegrad";
  assertEquals(
    withWholeLinks(text),
    `[a](${forge}/blob/main/docs/a.md#b) [c](https://x.org/c.md) [d](#d) ` +
      `![e](${forge}/raw/main/docs/e.svg)`,
  );
});

Deno.test({
  name: "the npm tarball is complete: manifest, exports with types, documents without dead links",
  ignore: !hasTar,
  async fn() {
    const folder = `${elsewhere}tarball`;
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.mkdir(folder, { recursive: true });
    await pack(`${folder}/tapegrad.tgz`);
    await output("tar", ["-xzf", "tapegrad.tgz"], folder);
    const home = `${folder}/package`;
    const manifest = JSON.parse(await Deno.readTextFile(`${home}/package.json`));
    const settings = JSON.parse(
      await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
    );
    for (const field of ["description", "keywords", "repository", "license", "homepage", "bugs"]) {
      assert(manifest[field] !== undefined, field);
    }
    assertEquals(manifest.version, settings.version);
    assertEquals(manifest.engines.node, ">=20.16");
    assertEquals(Object.keys(manifest.exports), Object.keys(settings.exports));
    for (const entry of Object.values(manifest.exports) as Record<string, string>[]) {
      for (const path of Object.values(entry)) await Deno.stat(`${home}/${path}`);
    }
    for (const path of manifest.sideEffects) await Deno.stat(`${home}/${path}`);
    for (const name of ["README.md", "CHANGELOG.md"]) {
      const text = await Deno.readTextFile(`${home}/${name}`);
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
      for (const link of links) assert(/^(?:https:|#)/.test(link), `${name}: ${link}`);
      // What an address in the repository names is in this checkout.
      for (const link of links) {
        const path = /^https:\/\/github\.com\/tapegrad\/tapegrad\/(?:blob|raw)\/main\/([^#]+)/
          .exec(link)?.[1];
        if (path !== undefined) await Deno.stat(new URL(`../../${path}`, import.meta.url));
      }
    }
  },
});

Deno.test({
  name: "publint and arethetypeswrong find nothing in the tarball",
  ignore: !installed || !hasTar,
  async fn() {
    const folder = await makeProject("checked", {});
    const home = `${folder}/node_modules/@tapegrad/tapegrad`;
    const lint = await output(
      "node",
      [tool("publint/src/cli.js"), "run", "--strict", home],
      folder,
    );
    assertStringIncludes(lint, "All good");
    const types = await output("node", [
      tool("@arethetypeswrong/cli/dist/index.js"),
      `${folder}/tapegrad.tgz`,
      "--profile=esm-only",
      "--no-emoji",
      "--no-color",
    ], folder);
    assertFalse(/💀|❌|FAIL|masquerading|unresolved|failed/i.test(types), types);
    assertStringIncludes(types, "OK (ESM)");
  },
});

Deno.test({
  name: "what bundlers leave out is not missed",
  ignore: !installed || !hasTar,
  async fn() {
    const program = `import { tensor } from "@tapegrad/tapegrad";
console.log(tensor([1, 2, 3]).mul(2).sum().item());
`;
    const folder = await makeProject("shaken", { "main.js": program });
    const bundler = tool("@esbuild/linux-x64/bin/esbuild");
    const args = ["main.js", "--bundle", "--minify", "--format=esm", "--outfile=out.mjs"];
    await output(bundler, args, folder);
    assertEquals(await output("node", ["out.mjs"], folder), "12\n");
    const bundled = await Deno.readTextFile(`${folder}/out.mjs`);
    assertFalse(bundled.includes("safetensors"), "io was kept");
    assertFalse(bundled.includes("Nesterov") || bundled.includes("nesterov"), "optim was kept");
  },
});

Deno.test("a release needs the next version, and a changelog that says what is new", () => {
  const text =
    "# Changelog\n\n## 0.2.0 (2026-11-27)\n\n- Something that is new.\n\n## 0.1.0\n\nOld.\n";
  assertEquals(problemOfChangelog(text, "0.2.0"), null);
  assertStringIncludes(problemOfChangelog(text, "0.3.0")!, "no section");
  assertStringIncludes(problemOfChangelog(text, "0.1.0")!, "no date");
  assertStringIncludes(
    problemOfChangelog("## 0.1.0 (2026-01-01)\n\n## 0.0.9\n", "0.1.0")!,
    "nothing",
  );
  assertEquals(problemOfVersion("0.1.0", []), null);
  assertEquals(problemOfVersion("0.2.0", ["v0.1.0", "v0.1.3"]), null);
  assertStringIncludes(problemOfVersion("0.3.0", ["v0.1.0"])!, "0.1.1");
});
