/**
 * What the tests of the house know of the package: its folder, its settings, its files.
 *
 * @module
 */

/** The folder of the package. */
export const root: URL = new URL("../../", import.meta.url);

/** As much of deno.json as the tests look at. */
export interface Settings {
  exports: Record<string, string>;
  tasks: Record<string, { description?: string; command?: string }>;
}

/** deno.json. */
export const settings: Settings = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));

/** The rooms that are published. */
export const rooms = ["autograd", "nn", "optim", "io", "scope", "distributed", "experiment"];

/** The TypeScript files below a folder, as paths from the package's folder; none if it is not there. */
export async function* modulesBelow(folder: string): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(new URL(`${folder}/`, root)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    // AssemblyScript sources look like TypeScript and are compiled by another compiler.
    if (path.endsWith("kernels/assembly")) continue;
    if (isDirectory) yield* modulesBelow(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Every published module. */
export async function publishedModules(): Promise<string[]> {
  const found = ["mod.ts"];
  for (const room of rooms) found.push(...await Array.fromAsync(modulesBelow(room)));
  return found.sort();
}
