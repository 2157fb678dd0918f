/**
 * The look of the pages: two colours with one meaning each, in light and in dark.
 *
 * Blue with a disc is learned by the optimizer, orange with a triangle is tracked by forward passes; shape
 * and label say the same as the colour does.
 */

/** The colours, as custom properties; figures that stand alone carry them too. */
export const palette: string = `
:root { color-scheme: light dark; --paper: #ffffff; --panel: #f6f7f9; --ink: #1b1f24; --soft: #545c66;
  --line: #c9ced6; --learned: #0b57a4; --tracked: #a34700; --learned-back: #e8f1fb; --tracked-back: #fdf0e4;
  --batch: #8a6a4a; --other: #5f3dc4; --good: #1a6b34; --bad: #b42318; --zero: #545c66; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --panel: #1c2026; --ink: #e8eaed;
  --soft: #a9b1bc; --line: #3d444e; --learned: #76b5f5; --tracked: #ffab66; --learned-back: #14263a;
  --tracked-back: #33230f; --batch: #b08d68; --other: #b39dff; --good: #6fd08c; --bad: #ff8a80;
  --zero: #a9b1bc; } }
@media print { :root { color-scheme: light; --paper: #ffffff; --panel: #ffffff; --ink: #000000;
  --soft: #404040; --line: #b0b0b0; --learned: #0b57a4; --tracked: #a34700; --learned-back: #ffffff;
  --tracked-back: #ffffff; --batch: #8a6a4a; --other: #5f3dc4; --good: #1a6b34; --bad: #b42318;
  --zero: #404040; } }
`;

/** What drawings need, on the page and alone. */
export const drawingStyle: string = `
svg.plot { display: block; overflow: visible; color: var(--soft); font-family: system-ui, sans-serif; }
svg text { white-space: pre; }
.learned { color: var(--learned); } .tracked { color: var(--tracked); } .batch { color: var(--batch); }
`;

/** The page. */
export const pageStyle: string = `
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 1240px; padding: 20px clamp(12px, 3vw, 32px) 48px; }
h1 { font-size: 1.15rem; font-weight: 600; margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 40px 0 4px; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 4px 0 8px; }
a { color: var(--learned); }
button, select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--soft);
  border-radius: 6px; min-height: 28px; padding: 2px 10px; max-width: 100%; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--learned); outline-offset: 2px; }
header .meta { color: var(--soft); margin: 0; font-size: .9rem; overflow-wrap: anywhere; }
.sentence { font-size: clamp(1.05rem, 1.6vw, 1.2rem); line-height: 1.45; margin: 10px 0 14px; max-width: 100ch;
  text-wrap: pretty; } .sentence span.line { display: block; }
.learned-text { color: var(--learned); font-weight: 600; } .tracked-text { color: var(--tracked); font-weight: 600; }
.first { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 20px 28px; align-items: start; }
.first .wide { grid-column: 1 / -1; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 28px; }
.grid .wide { grid-column: 1 / -1; }
figure { margin: 0; min-width: 0; }
figcaption p { color: var(--soft); font-size: .92rem; line-height: 1.4; margin: 2px 0 6px; max-width: 80ch; overflow-wrap: anywhere; }
.drawing svg { width: 100%; height: auto; max-width: 100%; }
.drawing svg.fixed { width: auto; }
svg.narrow-only { display: none; }
.under { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: start; justify-content: space-between;
  font-size: .85rem; color: var(--soft); }
.under details { min-width: 0; flex: 1 1 200px; max-width: 100%; }
.under summary, details > summary { cursor: pointer; min-height: 28px; line-height: 28px; }
.save { display: flex; gap: 6px; margin: 0; } .save[hidden] { display: none; }
.save button { min-height: 26px; font-size: .8rem; padding: 0 8px; }
.scroll { overflow: auto; max-height: 320px; max-width: 100%; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.scroll table { font-size: .85rem; color: var(--ink); } .scroll th, .scroll td { padding: 3px 10px; text-align: left;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
.scroll thead th { position: sticky; top: 0; background: var(--panel); } td.number { text-align: right !important; }
.matrix { width: 100%; border-spacing: 0; } .matrix caption { text-align: left; font-weight: 600; padding-bottom: 6px; }
.matrix th { text-align: left; font-weight: 600; padding: 6px 10px; vertical-align: middle; line-height: 1.25; }
.matrix th small { display: block; font-weight: 400; color: var(--soft); font-size: .82rem; }
.matrix thead td { border: 0; background: none; }
.matrix tbody td { padding: 8px 12px; border: 1px solid var(--line); width: 34%; vertical-align: top; line-height: 1.25; }
.matrix td b { display: block; font-size: 1.9rem; line-height: 1.15; font-weight: 650; }
.matrix td span { color: var(--soft); font-size: .82rem; display: block; }
.matrix .zero b { color: var(--zero); font-weight: 400; }
.matrix .by-step b { color: var(--learned); } .matrix .by-step { background: var(--learned-back); }
.matrix .by-forward b { color: var(--tracked); } .matrix .by-forward { background: var(--tracked-back); }
.learned-mark { color: var(--learned); } .tracked-mark { color: var(--tracked); }
.tools { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 8px 0; font-size: .92rem; }
.tools[hidden] { display: none; }
#event { width: min(320px, 60vw); }
.tools label { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; min-width: 0; }
#reading { min-height: 1.5em; font-size: .9rem; color: var(--soft); font-variant-numeric: tabular-nums; margin: 0; }
ul.plain { list-style: none; padding: 0; margin: 8px 0; } ul.plain li { padding: 4px 0 4px 1.6em; text-indent: -1.6em; overflow-wrap: anywhere; }
pre { overflow: auto; max-width: 100%; background: var(--panel); padding: 10px 12px; border-radius: 6px; font-size: .82rem; line-height: 1.4; }
.tape details { margin-left: 1em; } .tape summary { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); gap: 14px 18px; }
.facet { font-size: .85rem; color: var(--ink); margin: 0; line-height: 1.3; overflow-wrap: anywhere; max-width: none; }
.scroll td button { min-height: 24px; font-size: .78rem; padding: 0 8px; }
.scroll.tall { max-height: 70vh; } .results caption { text-align: left; color: var(--soft); font-size: .85rem; padding: 6px 10px; }
.results td, .results th { vertical-align: top; } .results small, .results th small { color: var(--soft); display: inline-block; margin-left: 4px; font-weight: 400; }
.results svg.fixed { width: 150px; height: 18px; } .good { color: var(--good); } .bad { color: var(--bad); } .detail { color: var(--soft); }
footer { margin-top: 40px; color: var(--soft); font-size: .85rem; }
@media (max-width: 720px) { .first { grid-template-columns: minmax(0, 1fr); } svg.wide-only { display: none; }
  svg.narrow-only { display: block; } .matrix th, .matrix thead td { border: 0; background: none; }
.matrix tbody td { padding: 6px; } .matrix td b { font-size: 1.5rem; } }
@media print { .tools, .save, .under details { display: none !important; } figure { break-inside: avoid; } body { max-width: none; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
