/**
 * Links of a folder of pages that lead nowhere.
 *
 * @module
 */

/** The links and anchors of a page. */
function read(html: string): { links: string[]; anchors: Set<string> } {
  const values = (attribute: string): string[] =>
    [...html.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, "g"))].map(([, value]) =>
      value.replaceAll("&amp;", "&")
    );
  return {
    links: [...values("href"), ...values("src")],
    anchors: new Set([...values("id"), ...values("name")]),
  };
}

/** Every file of a folder by its path in it, pages with their text. */
export async function filesOf(folder: string, below = ""): Promise<Map<string, string | null>> {
  const files = new Map<string, string | null>();
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    const path = below + name;
    if (isDirectory) { for (const entry of await filesOf(folder, `${path}/`)) files.set(...entry); }
    else {files.set(
        path,
        name.endsWith(".html") ? await Deno.readTextFile(`${folder}/${path}`) : null,
      );}
  }
  return files;
}

/**
 * The links within the folder that lead to no file, or to no anchor of a page.
 *
 * @param isChecked Whose links are followed: pages that somebody else makes may be taken as they are.
 */
export function deadLinks(
  files: ReadonlyMap<string, string | null>,
  isChecked: (path: string) => boolean = () => true,
): string[] {
  const anchors = new Map<string, Set<string>>();
  const anchorsOf = (path: string, html: string): Set<string> => {
    if (!anchors.has(path)) anchors.set(path, read(html).anchors);
    return anchors.get(path)!;
  };
  const dead: string[] = [];
  for (const [path, html] of files) {
    if (html === null || !isChecked(path)) continue;
    for (const link of read(html).links) {
      if (/^[a-z]+:/.test(link)) continue;
      const url = new URL(link === "" ? "." : link, `http://x/${path}`);
      let to = decodeURIComponent(url.pathname.slice(1));
      if (to === "" || to.endsWith("/")) to += "index.html";
      const page = files.get(to);
      const anchor = decodeURIComponent(url.hash.slice(1));
      if (page === undefined) dead.push(`${path}: ${link} (no file ${to})`);
      // The lab keeps its state behind the anchor.
      else if (anchor !== "" && page !== null && !anchorsOf(to, page).has(anchor.split("?")[0])) {
        dead.push(`${path}: ${link} (no anchor #${anchor})`);
      }
    }
  }
  return dead;
}
