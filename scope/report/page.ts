/**
 * A page in one file that can load nothing: styles, figures and data lie in it, and its policy forbids the
 * rest.
 */
import { type Content, embeddedJson, Html, markup } from "./html.ts";
import { script } from "./script.ts";
import { drawingStyle, pageStyle, palette } from "./style.ts";

/** No request is possible, not only none made. */
export const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** What a page holds. */
export interface Page {
  readonly title: string;
  /** Under the title: what was run. */
  readonly about: string;
  readonly main: Content;
  /** The whole of the data, which the script reads and the buttons save. */
  readonly data: unknown;
}

/** The file's text. */
export function pageOf({ title, about, main, data }: Page): string {
  return markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${POLICY}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title}</title>
        <style>${new Html(palette + drawingStyle + pageStyle)}</style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="meta">${about}</p>
        </header>
        <main>
    ${main}
        </main>
        <footer>
          <p>One file: nothing is loaded, and nothing is sent. <span class="save" hidden><button type="button"
    data-save="json">All data (JSON)</button></span></p>
        </footer>
        <script type="application/json" id="data">${embeddedJson(data)}</script>
        <script>${new Html(script)}</script>
      </body>
    </html>
  `.text.trim() + "\n";
}

/** A page inside of another document: neither's styles touch the other, and its policy stays. */
export function framed(page: string, title: string): Html {
  return markup`<iframe title="${title}" sandbox="allow-scripts allow-downloads" srcdoc="${page}"
style="width: 100%; height: 700px; border: 0"></iframe>`;
}
