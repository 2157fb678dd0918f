/**
 * The page as HTML, each scene drawn as it is in the beginning: complete without a script, and what the
 * script finds when it starts.
 */
import type { Belief } from "./beliefs.ts";
import { callText } from "./script.ts";
import { initialState, LARGEST_SEED, sceneState } from "./state.ts";
import {
  type Control,
  type Drawn,
  escape,
  type Figure,
  type State,
  tableHtml,
  type View,
} from "./views/view.ts";

/** How wide figures are drawn before the page has been measured. */
const WIDTH = 640;

/** A scene on the page. */
export interface Scene {
  readonly view: View;
  /** Its numbers in the beginning. */
  readonly numbers: unknown;
  /** Its program, but for the last line. */
  readonly program: string;
  /** The beliefs that it shows, and where their pages are. */
  readonly beliefs: readonly (Belief & { readonly address: string })[];
}

// Nothing but the page's own files can be loaded, and nothing can be sent.
const POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; " +
  "img-src data:; base-uri 'none'; form-action 'none'";

function controlHtml(anchor: string, control: Control, value: number): string {
  const { key, label, kind, values, text } = control;
  const id = `${anchor}.${key}`;
  if (kind === "check") {
    return `<label class="control check"><input type="checkbox" id="${id}" data-key="${key}"${
      value === 1 ? " checked" : ""
    }> ${escape(label)}</label>`;
  }
  if (kind === "choice") {
    const options = values.map((choice) =>
      `<label><input type="radio" name="${id}" data-key="${key}" value="${choice}"${
        choice === value ? " checked" : ""
      }> ${escape(text(choice))}</label>`
    );
    return `<fieldset class="control choice"><legend>${escape(label)}</legend>${
      options.join(" ")
    }</fieldset>`;
  }
  const shown = escape(text(value));
  return `<div class="control range"><label for="${id}">${escape(label)}</label>
<input type="range" id="${id}" data-key="${key}" min="0" max="${
    values.length - 1
  }" step="1" value="${
    values.indexOf(value)
  }" aria-valuetext="${shown}"><output for="${id}">${shown}</output></div>`;
}

function figureHtml(anchor: string, figure: Figure, i: number): string {
  const id = `${anchor}-figure-${i + 1}`;
  const half = figure.half ? ' class="half"' : "";
  return `<figure${half} aria-labelledby="${id}">
<figcaption id="${id}" data-part="title">${escape(figure.title)}</figcaption>
<div class="picture" data-part="svg">${figure.svg}</div>
<p class="legend" data-part="legend">${figure.legend}</p>
<details><summary>The numbers of this figure</summary>
<div class="scroll" tabindex="0" role="region" aria-label="The numbers of this figure" data-part="table">${
    tableHtml(figure.table)
  }</div></details>
</figure>`;
}

function beliefsHtml(beliefs: Scene["beliefs"]): string {
  if (beliefs.length === 0) return "";
  const title = beliefs.length === 1 ? "A belief put to the test" : "Beliefs put to the test";
  const links = beliefs.map(({ number, words, address }) => {
    // In a list of the page's links, the quotation alone would read as a statement. A hidden word in
    // front of it would be what software clicks in place of the link.
    const name = escape(`Belief ${number}: ${words}`);
    return `<a href="${escape(address)}" aria-label="${name}">${escape(words)}</a>`;
  });
  // A separator ends a line; it never begins one.
  return `<p class="beliefs">${title}: ${links.join("\u00a0· ")}</p>`;
}

function sectionHtml(scene: Scene, place: number, state: State, call: string) {
  const { view, numbers, program, beliefs } = scene;
  const { anchor, title, lead, controls } = view;
  const drawn: Drawn = view.draw(numbers, state, WIDTH);
  const aside = view.aside === undefined ? "" : `<div data-part="aside">${view.aside(state)}</div>`;
  return `<section id="${anchor}" aria-labelledby="${anchor}-title">
<h2 id="${anchor}-title"><a href="#${anchor}"><span class="place">${place}</span> ${
    escape(title)
  }</a></h2>
<p class="lead">${lead}</p>
<p class="takeaway" data-part="takeaway">${drawn.takeaway}</p>
<div data-part="before">${drawn.before ?? ""}</div>
${aside}
<div class="controls" role="group" aria-label="Settings of this scene">
${controls.map((control) => controlHtml(anchor, control, state[control.key])).join("\n")}
</div>
<div class="figures" data-part="figures">
${drawn.figures.map((figure, i) => figureHtml(anchor, figure, i)).join("\n")}
</div>
<p class="fault" data-part="fault" hidden></p>
${beliefsHtml(beliefs)}
<div class="script"><button type="button" data-copy="script">Copy as script</button>
<details><summary>The program that prints these numbers</summary>
<pre class="scroll" tabindex="0" role="region" aria-label="The program that prints these numbers"><code>${
    escape(program)
  }</code><code data-part="call">${escape(call)}</code></pre></details></div>
</section>`;
}

/** The whole page. */
export function pageHtml(scenes: readonly Scene[]): string {
  const state = initialState(scenes.map(({ view }) => view));
  const sections = scenes.map((scene, i) => {
    const { view } = scene;
    const call = callText(sceneState(view, state));
    return sectionHtml(scene, i + 1, state.settings[view.anchor], call);
  });
  const links = scenes.map(({ view: { anchor, title } }) =>
    `<li><a href="#${anchor}">${escape(title)}</a></li>`
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Tapegrad lab">
<title>Batch norm lab: what is learned, what is tracked</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script type="module" src="page.js"></script>
</head>
<body>
<a class="skip" href="#${scenes[0].view.anchor}">Skip to the first scene</a>
<header>
<h1>Batch norm lab</h1>
<p>What is <b class="learned">learned</b>, what is merely <b class="tracked">tracked</b>, and by whom.
Every number here is computed in this page, by Tapegrad itself; every figure’s program can be copied.</p>
</header>
<nav aria-label="Scenes"><ol>
${links.join("\n")}
</ol></nav>
<div class="bar" role="group" aria-label="All scenes">
<label for="seed">Seed</label>
<input id="seed" type="number" inputmode="numeric" min="0" max="${LARGEST_SEED}" step="1" value="0">
<button type="button" id="next-seed">Next seed</button>
<button type="button" id="copy-link">Copy link</button>
<button type="button" id="reset">Reset</button>
<span id="working" aria-hidden="true"></span>
</div>
<noscript><p class="fault">Without JavaScript the figures are those of the beginning, and nothing can be
changed.</p></noscript>
<p id="address-fault" class="fault" role="alert" hidden></p>
<main>
${sections.join("\n\n")}
</main>
<footer><p>Copied programs run where Tapegrad is: <code>deno run scene.ts</code> in its folder, or in any
project that has it as a dependency.</p></footer>
<div id="said" class="unseen" role="status" aria-live="polite"></div>
</body>
</html>
`;
}
