/** One family name on every floor: a stranger finds a thing in every room by the same word. */
import { assert, assertEquals } from "@std/assert";
import { primitives } from "../../mod.ts";
import { modulesBelow, publishedModules, rooms, root } from "./package.ts";

const families = [
  "elementwise",
  "reduce",
  "shape",
  "matmul",
  "conv",
  "pool",
  "norm",
  "loss",
  "optim",
] as const;

/** Folders that are no family, by room. */
const others: Readonly<Record<string, readonly string[]>> = {
  "autograd/kernels": ["assembly"],
  "autograd/kernels/assembly": [],
  "autograd/ops": ["create"],
  // Layers say activation for elementwise and linear for matmul.
  nn: ["activation", "linear", "module", "init", "data", "utils"],
};

async function foldersOf(room: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(`${room}/`, root)));
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
}

for (const [room, allowed] of Object.entries(others)) {
  Deno.test(`the folders of ${room} are families`, async () => {
    const known: readonly string[] = [...families, ...allowed];
    assertEquals((await foldersOf(room)).filter((name) => !known.includes(name)), []);
  });
}

Deno.test("every family of kernels has operations, and the other way round", async () => {
  const inner = new Set(["assembly", "create", "optim"]);
  const [kernels, operations] = await Promise.all(
    ["autograd/kernels", "autograd/ops"].map(async (room) =>
      (await foldersOf(room)).filter((name) => !inner.has(name)).sort()
    ),
  );
  assertEquals(kernels, operations);
});

/** The family of the file in which text is found, by what the file exports or registers. */
async function familiesOf(room: string, pattern: RegExp): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const path of modulesBelow(room)) {
    const family = path.slice(room.length + 1).split("/")[0];
    const text = await Deno.readTextFile(new URL(path, root));
    for (const [, name] of text.matchAll(pattern)) found.set(name, family);
  }
  return found;
}

Deno.test("a primitive's record stands in the family of its kernel", async () => {
  const records = await familiesOf("autograd/ops", /^ {2}name: "(\w+)",$/gm);
  const kernels = await familiesOf("autograd/kernels", /^export (?:const|function) (\w+)/gm);
  const apart: string[] = [];
  let compared = 0;
  for (const { name } of primitives.values()) {
    const kernel = kernels.get(name);
    const record = records.get(name);
    if (kernel === undefined || record === undefined) continue;
    compared++;
    if (kernel !== record) apart.push(`${name}: record in ${record}, kernel in ${kernel}`);
  }
  assert(compared > 30, `${compared} compared`);
  assertEquals(apart, []);
});

Deno.test("no folder holds more files than can be read at a glance", async () => {
  const count = new Map<string, number>();
  for (const path of await publishedModules()) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    count.set(folder, (count.get(folder) ?? 0) + 1);
  }
  assertEquals([...count].filter(([, files]) => files > 17), []);
  assert(rooms.length > 3);
});
