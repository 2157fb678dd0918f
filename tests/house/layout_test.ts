import { assertEquals } from "@std/assert";
import { modulesBelow, publishedModules, root, settings } from "./package.ts";

async function ownModules(): Promise<string[]> {
  const found = await publishedModules();
  for (const folder of ["tests", "bench", "tools", "examples"]) {
    found.push(...await Array.fromAsync(modulesBelow(folder)));
  }
  return found;
}

// The Wasm modules' bytes are inlined by a tool; nobody reads them.
function isArtifact(path: string): boolean {
  return path === "autograd/runtime/module.ts";
}

Deno.test("files have snake_case names that say what is in them", async () => {
  const leftovers = /(^|_)(utils?|helpers?|misc|common|shared|stuff)(_|\.)/;
  const wrong = (await ownModules()).filter((path) => {
    const name = path.split("/").at(-1)!;
    // nn.utils is PyTorch's name.
    if (path === "nn/utils/mod.ts") return false;
    return !/^[a-z0-9_]+\.ts$/.test(name) || leftovers.test(name);
  });
  assertEquals(wrong, []);
});

// Files that are long because one class is, each of its methods a line or a few.
const longClasses: Record<string, string> = {
  "autograd/tensor.ts": "Tensor, a line and its documentation for each operation",
};

Deno.test("a file can be read in one sitting", async () => {
  const long: string[] = [];
  for (const path of await ownModules()) {
    if (isArtifact(path) || path in longClasses) continue;
    const lines = (await Deno.readTextFile(new URL(path, root))).split("\n").length;
    if (lines > 500) long.push(`${path}: ${lines} lines`);
  }
  assertEquals(long, []);
});

Deno.test("every published module begins with what it is", async () => {
  const mute: string[] = [];
  for (const path of await publishedModules()) {
    if (isArtifact(path)) continue;
    const text = await Deno.readTextFile(new URL(path, root));
    if (!text.startsWith("/**")) mute.push(path);
  }
  assertEquals(mute, []);
});

Deno.test("every task says what it does", () => {
  const mute = Object.entries(settings.tasks).filter(([, task]) => !task.description);
  assertEquals(mute.map(([name]) => name), []);
});

Deno.test("every export is a module with a documented example", async () => {
  const mute: string[] = [];
  for (const path of Object.values(settings.exports)) {
    const text = await Deno.readTextFile(new URL(path, root));
    const head = /^\/\*\*[^]*?\*\//.exec(text)?.[0] ?? "";
    if (!head.includes("@example") && !head.includes("```ts")) mute.push(path);
  }
  assertEquals(mute, []);
});
