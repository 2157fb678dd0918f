/**
 * The documents of the project.
 *
 * @module
 */
import { root } from "../house/package.ts";

/** The Markdown files below a folder, as paths from the project's folder, in order. */
export async function documentsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, root))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await documentsBelow(path));
    else if (name.endsWith(".md")) found.push(path);
  }
  return found.sort();
}
