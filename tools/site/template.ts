/**
 * What every page of the site has around its document: the list of pages, a search, and the style.
 *
 * @module
 */
import { type Page, relative } from "./pages.ts";

/** A heading of the list of pages, and what stands below it. */
export interface Group {
  readonly name: string;
  readonly links: readonly { readonly title: string; readonly path: string }[];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** A page of the site. */
export function document(page: Page, groups: readonly Group[]): string {
  const to = (path: string): string => relative(page.path, path);
  const list = groups.map(({ name, links }) => {
    const items = links.map(({ title, path }) => {
      const current = path === page.path ? ' aria-current="page"' : "";
      return `<li><a href="${to(path)}"${current}>${escaped(title)}</a></li>`;
    });
    return `<h2>${escaped(name)}</h2><ul>${items.join("")}</ul>`;
  });
  const title = page.path === "index.html" ? "Tapegrad" : `${page.title} · Tapegrad`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Tapegrad site">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="${to("site.css")}">
<script type="module" src="${to("search.js")}" data-root="${to("")}"></script>
</head>
<body>
<a class="skip" href="#document">To the text</a>
<nav aria-label="Pages">
<a class="name" href="${to("index.html")}">Tapegrad</a>
<form role="search"><input type="search" name="q" aria-label="Search the documentation"
 placeholder="Search" autocomplete="off" disabled></form>
<ol id="found" aria-live="polite"></ol>
<details open><summary>Pages</summary>${list.join("\n")}</details>
</nav>
<main id="document">
${page.html}
</main>
</body>
</html>
`;
}

export const STYLE = `:root {
  --text: #1d232b; --back: #fff; --soft: #f3f5f8; --line: #d5dbe3; --link: #0b57b0; --quiet: #55606d;
  --word: #8a2a6b; --string: #22643a; --number: #8a4b08;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e8ee; --back: #14181d; --soft: #1e242b; --line: #39424d; --link: #86b9ff; --quiet: #a4afbc;
    --word: #f0a5d6; --string: #93d6a6; --number: #f0bd7f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--back); font: 16px/1.6 system-ui, sans-serif;
  display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
a { color: var(--link); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 0; background: var(--back); padding: .5rem; }
nav { border-right: 1px solid var(--line); background: var(--soft); padding: 1rem; min-height: 100vh;
  font-size: .92rem; }
nav > .name { font-weight: 700; font-size: 1.2rem; text-decoration: none; color: var(--text); }
nav h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--quiet);
  margin: 1rem 0 .2rem; }
nav ul, nav ol { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .2rem .4rem; text-decoration: none; border-radius: .3rem; }
nav a[aria-current] { background: var(--back); font-weight: 600; color: var(--text); }
nav summary { display: none; }
input { width: 100%; font: inherit; padding: .35rem .5rem; margin: .8rem 0 .3rem; color: var(--text);
  background: var(--back); border: 1px solid var(--quiet); border-radius: .3rem; }
#found li { margin: .3rem 0; }
#found small { display: block; color: var(--quiet); padding: 0 .4rem; }
main { padding: 1rem 2.5rem 4rem; max-width: 56rem; }
main h1 { line-height: 1.2; }
main h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
pre, .wide { overflow-x: auto; }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: .4rem; line-height: 1.45; }
code { font: .9em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
:not(pre) > code { background: var(--soft); padding: .1em .3em; border-radius: .25em; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--soft); }
img { max-width: 100%; }
.hljs-keyword, .hljs-literal, .hljs-built_in { color: var(--word); }
.hljs-string, .hljs-regexp { color: var(--string); }
.hljs-number { color: var(--number); }
.hljs-comment { color: var(--quiet); font-style: italic; }
@media (max-width: 48rem) {
  body { display: block; }
  nav { min-height: 0; border-right: 0; border-bottom: 1px solid var(--line); }
  nav summary { display: list-item; cursor: pointer; padding: .3rem 0; }
  main { padding: .5rem 1rem 3rem; }
  main h1 { overflow-wrap: anywhere; }
}
@media print { nav { display: none; } body { display: block; } }
`;
