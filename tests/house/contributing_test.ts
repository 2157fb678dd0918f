/** CONTRIBUTING's way to a new operation, followed word for word in a copy of the package. */
import { assert, assertEquals } from "@std/assert";
import { root } from "./package.ts";

const guide = await Deno.readTextFile(new URL("CONTRIBUTING.md", root));

/** The code blocks of the section, in order. */
function blocks(): string[] {
  const start = guide.indexOf("## Adding an operation");
  const section = guide.slice(start, guide.indexOf("\n## ", start));
  return [...section.matchAll(/```ts ignore\n([^]*?)```/g)].map(([, code]) => code);
}

async function copyTree(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name.startsWith(".") && name !== ".std") continue;
    if (["node_modules", "coverage"].includes(name)) continue;
    const target = `${to}/${name}`;
    if (isDirectory) await copyTree(new URL(`${name}/`, from), target);
    else await Deno.copyFile(new URL(name, from), target);
  }
}

/** Adds code to a file; its imports take the place of those from the same modules. */
async function add(path: string, code: string): Promise<void> {
  let text = await Deno.readTextFile(path);
  let rest = code;
  for (const [line, module] of code.matchAll(/^import .* from ("[^"]+");\n/gm)) {
    const before = text.split("\n").find((other) => other.endsWith(`from ${module};`));
    assert(before !== undefined, `${path} imports ${module}`);
    text = text.replace(`${before}\n`, line);
    rest = rest.replace(line, "");
  }
  await Deno.writeTextFile(path, `${text}\n${rest.trim()}\n`);
}

async function deno(folder: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, `deno ${args.join(" ")}:\n${text}`);
  return text;
}

Deno.test("adding logaddexp as CONTRIBUTING says gives a tested and documented operation", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-contributing-" });
  try {
    for (const part of ["autograd", "nn", "optim", "tests/autograd", "tools", "docs", ".std"]) {
      const from = new URL(`${part}/`, root);
      if (await Deno.stat(from).then(() => true, () => false)) {
        await copyTree(from, `${folder}/${part}`);
      }
    }
    for (const file of ["mod.ts", "deno.json"]) {
      await Deno.copyFile(new URL(file, root), `${folder}/${file}`);
    }
    const [kernel, line, declaration, ...more] = blocks();
    assertEquals(more, []);
    await add(`${folder}/autograd/kernels/elementwise/arithmetic_plain.ts`, kernel);
    await add(`${folder}/autograd/kernels/mod.ts`, line);
    await add(`${folder}/autograd/ops/elementwise/math.ts`, declaration);

    await deno(folder, "check", "mod.ts");
    const tests = await deno(
      folder,
      "test",
      "--no-check",
      "--allow-read",
      "--filter",
      "logaddexp",
      "tests/autograd/primitives_test.ts",
    );
    const passed = Number(/(\d+) passed/.exec(tests)?.[1]);
    assert(passed >= 15 && tests.includes("order 1 and 2"), tests);
    await deno(
      folder,
      "run",
      "--allow-read",
      "--allow-write=docs",
      "--allow-run",
      "tools/ops_table.ts",
    );
    const table = await Deno.readTextFile(`${folder}/docs/operations.md`);
    assert(/^\| `logaddexp` +\| ln\(eˣ \+ eʸ\)/m.test(table), "the table lists it");
    const value =
      'import { logaddexp } from "./mod.ts"; console.log(logaddexp(1000, 1000).item());';
    await Deno.writeTextFile(`${folder}/try.ts`, value);
    assertEquals((await deno(folder, "run", "--quiet", "try.ts")).trim(), String(1000 + Math.LN2));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
