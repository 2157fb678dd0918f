/**
 * Builds the site: the documents, the lab, reports of the main job and of an experiment, and the reference
 * of the interface, as a folder that any web server can host.
 *
 *     deno task docs:site [--out FOLDER] [--without api,lab,report]
 *
 * The folder is built beside its place and takes it when it is whole: when a link leads nowhere, the
 * one that was there stays.
 *
 * @module
 */
import MiniSearch from "npm:minisearch@7.2.0";
import { isReplaceable } from "../../scope/lab/build.ts";
import { bundle } from "../../scope/lab/bundle.ts";
import { commandLine, list, place, refuse } from "../command_line.ts";
import { deadLinks, filesOf } from "./links.ts";
import { type Page, pathOf, relative, toPage, withScenes } from "./pages.ts";
import { document, type Group, STYLE } from "./template.ts";

const root = new URL("../../", import.meta.url);

/** What can be left out: it takes longer than the documents. */
export const parts = ["api", "lab", "report"] as const;
/** A part besides the documents. */
export type Part = (typeof parts)[number];

async function deno(...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot build the site: deno ${args[0]} failed:\n${new TextDecoder().decode(stderr)}`,
    );
  }
}

/** The documents of the repository that become pages, in the order in which they are read. */
async function documents(): Promise<string[]> {
  const found = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
      if (isDirectory) await visit(`${folder}${name}/`);
      else if (name.endsWith(".md")) found.push(folder + name);
    }
  };
  await visit("docs/");
  const rank = (path: string): string => (path.endsWith("README.md") ? "0" : "1") + path;
  return found.sort((a, b) => rank(a) < rank(b) ? -1 : 1);
}

/** The list of pages: each folder of docs by its own name, the rest below it. */
function groupsOf(pages: readonly Page[], without: readonly Part[]): Group[] {
  const groups = new Map<string, { title: string; path: string }[]>([["Documentation", []]]);
  for (const { path, title } of pages) {
    const folder = path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
    const name = folder === ""
      ? "Documentation"
      : folder[0].toUpperCase() + folder.slice(1).replaceAll("_", " ");
    const links = groups.get(name) ?? [];
    groups.set(name, links);
    links.push({ title: path === "index.html" ? "Start" : title, path });
  }
  const see = [
    { part: "lab", title: "The batch norm lab", path: "lab/index.html" },
    { part: "report", title: "A report of a run", path: "report.html" },
    { part: "report", title: "A report of an experiment", path: "experiment.html" },
    { part: "api", title: "Reference", path: "api/index.html" },
  ] as const;
  const links = see.filter(({ part }) => !without.includes(part));
  const list = [...groups].map(([name, links]) => ({ name, links }));
  if (links.length > 0) list.splice(1, 0, { name: "To see and look up", links });
  return list;
}

function searchIndex(pages: readonly Page[]): string {
  const index = new MiniSearch({
    fields: ["heading", "text"],
    storeFields: ["title", "heading", "path"],
  });
  index.addAll(
    pages.flatMap(({ path, title, sections }) =>
      sections.map(({ anchor, heading, text }) => ({
        id: `${path}#${anchor}`,
        path: `${path}#${anchor}`,
        title,
        heading,
        text,
      }))
    ),
  );
  return JSON.stringify(index);
}

/** Builds the site into a folder that is not there yet; gives the links that lead nowhere. */
export async function build(folder: string, without: readonly Part[] = []): Promise<string[]> {
  await Deno.mkdir(folder);
  const sources = await documents();
  const known = new Set(sources);
  const pages = await Promise.all(sources.map(async (source) => {
    const page = toPage(source, await Deno.readTextFile(new URL(source, root)), known);
    return without.includes("lab") ? page : withScenes(page);
  }));
  const groups = groupsOf(pages, without);
  for (const page of pages) {
    const file = `${folder}/${page.path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, document(page, groups));
  }
  await copyPictures("docs/", folder);
  await Deno.writeTextFile(`${folder}/site.css`, STYLE);
  await Deno.writeTextFile(`${folder}/search.json`, searchIndex(pages));
  const search = await bundle(new URL("search.js", import.meta.url));
  await Deno.writeTextFile(`${folder}/search.js`, search);
  if (!without.includes("lab")) {
    const pages = relative("lab/index.html", pathOf("docs/batch_norm/{page}.md"));
    await deno("task", "--quiet", "lab:build", "--out", `${folder}/lab`, "--pages", pages);
  }
  if (!without.includes("report")) {
    await deno("task", "--quiet", "train", "--report", `${folder}/report.html`);
    const experiment = ["separation", "--quick", "--out", `${folder}.runs`];
    await deno("task", "-q", "experiment", ...experiment, "--report", `${folder}/experiment.html`);
    await Deno.remove(`${folder}.runs`, { recursive: true });
  }
  if (!without.includes("api")) {
    const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
    const entries = Object.values(exports as Record<string, string>);
    await deno("doc", "--html", "--name=Tapegrad", `--output=${folder}/api`, ...entries);
  }
  // The reference's own pages link to what only a server answers.
  return deadLinks(await filesOf(folder), (path) => !path.startsWith("api/"));
}

/** Pictures stand beside the documents that show them. */
async function copyPictures(from: string, folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(from, root))) {
    if (isDirectory) await copyPictures(`${from}${name}/`, folder);
    else if (/\.(?:svg|png)$/.test(name)) {
      const target = `${folder}/${from.slice("docs/".length)}`;
      await Deno.mkdir(target, { recursive: true });
      await Deno.copyFile(new URL(from + name, root), target + name);
    }
  }
}

if (import.meta.main) {
  const { out, without } = commandLine("docs:site", {
    out: place("FOLDER", "where it is written; an earlier build is replaced", "_site"),
    without: list("what is left out", parts),
  });
  if (!await isReplaceable(out, "Tapegrad site")) {
    refuse(
      "docs:site",
      `got --out ${out}, expected a folder that is new, empty or an earlier site`,
    );
  }
  const partial = `${out}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  const dead = await build(partial, without);
  if (dead.length > 0) {
    console.error(`docs:site: these links lead nowhere:\n${dead.join("\n")}`);
    Deno.exit(1);
  }
  await Deno.remove(out, { recursive: true }).catch(() => {});
  await Deno.rename(partial, out);
  const files = await filesOf(out);
  console.log(`${out}: ${files.size} files, every link within them leads somewhere`);
}
