/**
 * The documents of the repository as pages: Markdown to HTML, links between documents to links between
 * pages, and links to sources to the forge.
 *
 * @module
 */
import hljs from "npm:highlight.js@11.12.0";
import { Marked } from "npm:marked@18.2.1";
import { getHeadingList, gfmHeadingId } from "npm:marked-gfm-heading-id@4.1.4";
import { markedHighlight } from "npm:marked-highlight@2.2.4";
import { forge } from "../npm_pack.ts";

/** A document that becomes a page. */
export interface Page {
  /** Its path in the repository. */
  readonly source: string;
  /** Its path on the site. */
  readonly path: string;
  readonly title: string;
  readonly html: string;
  /** Its sections, for the search: an anchor, a heading and the words below it. */
  readonly sections: readonly Section[];
}

/** A heading and what stands below it. */
export interface Section {
  readonly anchor: string;
  readonly heading: string;
  readonly text: string;
}

/** The path on the site of a document: a README is the index of its folder. */
export function pathOf(source: string): string {
  const below = source.replace(/^docs\//, "").replace(/\.md$/, ".html");
  return below.replace(/(^|\/)README\.html$/, "$1index.html").replace(
    /^(CONTRIBUTING|CHANGELOG)\.html$/,
    (name) => name.toLowerCase(),
  );
}

/** `to` as seen from the folder of `from`. */
export function relative(from: string, to: string): string {
  const [base, target] = [from.split("/").slice(0, -1), to.split("/")];
  while (base.length > 0 && target.length > 1 && base[0] === target[0]) {
    base.shift();
    target.shift();
  }
  return "../".repeat(base.length) + target.join("/");
}

/** Where a link of a document leads on the site. */
export function target(link: string, source: string, documents: ReadonlySet<string>): string {
  if (/^(?:[a-z]+:|#)/.test(link)) return link;
  const [path, anchor] = link.split("#");
  const inRepository = new URL(path, `http://x/${source}`).pathname.slice(1);
  const hash = anchor === undefined ? "" : `#${anchor}`;
  if (documents.has(inRepository)) {
    return relative(pathOf(source), pathOf(inRepository)) + hash;
  }
  // A picture stands beside the page of its document.
  if (/^docs\/.*\.(?:svg|png)$/.test(inRepository)) {
    return relative(pathOf(source), inRepository.slice("docs/".length));
  }
  return `${forge}/blob/main/${inRepository}${hash}`;
}

/** A document as a page. */
export function toPage(source: string, markdown: string, documents: ReadonlySet<string>): Page {
  const marked = new Marked(
    gfmHeadingId(),
    markedHighlight({
      langPrefix: "hljs language-",
      highlight(code: string, language: string) {
        const known = hljs.getLanguage(language) === undefined ? "plaintext" : language;
        return hljs.highlight(code, { language: known }).value;
      },
    }),
    {
      walkTokens(token) {
        if (token.type === "link" || token.type === "image") {
          token.href = target(token.href, source, documents);
        }
      },
    },
  );
  // Wide tables scroll by themselves, not with the page.
  const html = (marked.parse(markdown, { async: false }) as string)
    .replaceAll("<table>", '<div class="wide" tabindex="0"><table>')
    .replaceAll("</table>", "</table></div>")
    .replaceAll("<pre>", '<pre tabindex="0">');
  const headings = getHeadingList();
  const title = headings.find(({ level }) => level === 1)?.raw ?? source;
  return { source, path: pathOf(source), title: plain(title), html, sections: sectionsOf(html) };
}

/** Scenes of the lab that a page on batch norm names become links to them. */
export function withScenes(page: Page): Page {
  if (!page.path.startsWith("batch_norm/")) return page;
  const lab = relative(page.path, "lab/index.html");
  const html = page.html.replaceAll(
    /<code>#([a-z-]+)<\/code>/g,
    (code, scene) => `<a href="${lab}#${scene}">${code}</a>`,
  );
  return { ...page, html };
}

/** Markup and entities taken out. */
function plain(html: string): string {
  return html.replaceAll(/<[^>]*>/g, "").replaceAll("`", "").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&").replaceAll(/\s+/g, " ").trim();
}

function sectionsOf(html: string): Section[] {
  const heading = /<h[1-4] id="([^"]*)">([^]*?)<\/h[1-4]>/g;
  const found = [...html.matchAll(heading)];
  return found.map((match, i) => ({
    anchor: match[1],
    heading: plain(match[2]),
    text: plain(html.slice(match.index + match[0].length, found[i + 1]?.index)),
  }));
}
