/** README: its program runs where it is not in the project, prints what it says, and its links lead somewhere. */
import { assert, assertEquals } from "@std/assert";
import { root } from "../house/package.ts";
import { documentsBelow } from "./documents.ts";

const readme = await Deno.readTextFile(new URL("README.md", root));

/** The code blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map((
    [, code],
  ) => code);
}

async function printed(args: readonly string[], cwd: string | URL): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the first program of README runs in an empty folder and prints what README says", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const imports = { "@tapegrad/tapegrad": new URL("mod.ts", root).href };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${folder}/first.mjs`, blocks("js")[0]);
    const output = await printed(["run", "--no-prompt", "first.mjs"], folder);
    assertEquals(output, blocks("text")[1]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the table that README begins with is what training prints", async () => {
  const [command, , ...lines] = blocks("text")[0].trimEnd().split("\n");
  assert(command.endsWith("task train"), command);
  const output = await printed(
    ["run", "--no-prompt", "--allow-read=examples/data", "examples/train_digits.ts"],
    root,
  );
  const all = output.split("\n");
  assertEquals(lines.filter((line) => !all.includes(line)), []);
});

Deno.test("the first command downloads what it uses: no package stands in deno.json, where all commands fetch it", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  assertEquals(Object.values<string>(imports).filter((target) => target.startsWith("npm:")), []);
});

Deno.test("README's picture is what its command draws", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const args = ["--epochs", "2", "--report", `${folder}/run.svg`];
    assert(readme.includes("`deno task train --epochs 2 --report run.svg`"));
    await printed(
      ["run", "--no-prompt", "--allow-read", "--allow-write", "examples/train_digits.ts", ...args],
      root,
    );
    const picture = await Deno.readTextFile(new URL("docs/first_screen.svg", root));
    assertEquals(
      await Deno.readTextFile(`${folder}/run.svg`),
      picture,
      "run deno task docs:picture",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the first network has at most 40 lines and tells the points apart", async () => {
  const path = "examples/first_network.ts";
  const lines = (await Deno.readTextFile(new URL(path, root))).trimEnd().split("\n").length;
  assert(lines <= 40, `${lines} lines`);
  const output = await printed(["run", "--no-prompt", path], root);
  const share = Number(/^([\d.]+) % of 1000 new points told apart\n$/.exec(output)?.[1]);
  assert(share > 95, output);
});

Deno.test("README says that nothing is published until the changelog dates a version", async () => {
  const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", root));
  const isPublished = /^## \d+\.\d+\.\d+ \(\d{4}-\d{2}-\d{2}\)$/m.test(changelog);
  assertEquals(readme.includes("Not published yet"), !isPublished);
});

Deno.test("every link between documents leads to a file, and to a heading in it", async () => {
  const documents = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...await documentsBelow("docs"),
  ];
  const dead: string[] = [];
  for (const document of documents) {
    const text = await Deno.readTextFile(new URL(document, root));
    for (const [, link] of text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(link)) continue;
      const url = new URL(link, new URL(document, root));
      const anchor = decodeURIComponent(url.hash.slice(1));
      url.hash = "";
      const info = await Deno.stat(url).catch(() => null);
      const target = info?.isFile ? await Deno.readTextFile(url) : info && "";
      if (target === null || (anchor !== "" && !anchors(target).includes(anchor))) {
        dead.push(`${document}: ${link}`);
      }
    }
  }
  assertEquals(dead, []);
});

/** The anchors of a document's headings, as forges make them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}
