/**
 * Builds the lab: a folder of four files that any web server can host.
 *
 * @module
 */
import { addressOf, PAGES, readBeliefs } from "./beliefs.ts";
import { bundle } from "./bundle.ts";
import { pageHtml } from "./document.ts";
import { silenceWarnings } from "./library.ts";
import { runs } from "./scenes/mod.ts";
import { programText } from "./script.ts";
import { initialState, sceneState } from "./state.ts";
import { views } from "./views/mod.ts";

/** Modules of scenes that other scenes' programs begin with. */
const NEIGHBOURS = /^import .* from "\.\/(\w+)\.ts";$/gm;

/** The program of a scene, but for its last line. */
export async function programOf(anchor: string): Promise<string> {
  const read = (name: string) => Deno.readTextFile(new URL(`./scenes/${name}.ts`, import.meta.url));
  const sources = new Map<string, string>();
  const collect = async (name: string): Promise<void> => {
    if (sources.has(name)) return;
    const text = await read(name);
    for (const [, neighbour] of text.matchAll(NEIGHBOURS)) await collect(neighbour);
    sources.set(name, text);
  };
  await collect(anchor.replaceAll("-", "_"));
  return programText(anchor, [...sources.values()]);
}

/** The page, with every scene's numbers as they are in the beginning. */
async function page(pages: string): Promise<string> {
  const links = (await readBeliefs()).map((belief) => ({
    ...belief,
    address: addressOf(belief, pages),
  }));
  const restore = silenceWarnings();
  const state = initialState(views);
  const scenes = await Promise.all(views.map(async (view) => ({
    view,
    numbers: runs[view.anchor](sceneState(view, state)),
    program: await programOf(view.anchor),
    beliefs: links.filter(({ scene }) => scene === view.anchor),
  })));
  restore();
  return pageHtml(scenes);
}

/**
 * The lab's files by name.
 *
 * @param pages The address of a page on batch norm, with `{page}` in place of its name.
 * @throws {RangeError} if `pages` has no such place.
 */
export async function buildLab(pages: string = PAGES): Promise<ReadonlyMap<string, string>> {
  const here = (path: string) => new URL(path, import.meta.url);
  return new Map([
    ["index.html", await page(pages)],
    ["style.css", await Deno.readTextFile(here("./page/style.css"))],
    ["page.js", await bundle(here("./page/page.ts"))],
    ["worker.js", await bundle(here("./page/worker.ts"))],
  ]);
}

/** Whether a folder may be replaced: it is not there, empty, or an earlier build by `generator`. */
export async function isReplaceable(
  folder: string,
  generator = "Tapegrad lab",
): Promise<boolean> {
  try {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    if (names.length === 0) return true;
    const text = await Deno.readTextFile(`${folder}/index.html`);
    return text.includes(`<meta name="generator" content="${generator}">`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await Deno.stat(folder).then(() => false, () => true);
  }
}

/**
 * Writes files into a folder that appears whole or not at all.
 *
 * @throws {RangeError} if there is something else in the folder's place.
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  const path = folder.replace(/\/+$/, "");
  if (!await isReplaceable(path)) {
    throw new RangeError(
      `Cannot write the lab: ${path} holds other files, expected an empty or a new folder`,
    );
  }
  const fresh = `${path}.new-${crypto.randomUUID()}`;
  const old = `${path}.old-${crypto.randomUUID()}`;
  await Deno.mkdir(fresh, { recursive: true });
  try {
    for (const [name, text] of files) await Deno.writeTextFile(`${fresh}/${name}`, text);
    const isThere = await Deno.stat(path).then(() => true, () => false);
    if (isThere) await Deno.rename(path, old);
    await Deno.rename(fresh, path);
    if (isThere) await Deno.remove(old, { recursive: true });
  } catch (error) {
    await Deno.remove(fresh, { recursive: true }).catch(() => {});
    throw error;
  }
}
