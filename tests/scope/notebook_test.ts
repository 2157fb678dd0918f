/** What recorders, tapes, figures and reports show as the result of a notebook's cell. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { nn, ones, optim } from "../../mod.ts";
import { record, sentenceOf, tapeOf } from "../../scope/mod.ts";
import { notebookFigure, notebookReport, toFigure, toReport } from "../../scope/report/mod.ts";

/** By media type, as the kernel asks for it. */
function shownBy(value: object): Record<string, string> {
  return (value as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]();
}

const net = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
const recorder = record(net, sgd);
const loss = net.forward(ones([8, 4]).cumsum(0)).square().sum();
const tape = tapeOf(loss, { model: net });
loss.backward();
sgd.step();
const run = recorder.stop().toJSON();
const title = "<b>one</b> step";

Deno.test("a recorder shows its sentence and the matrix", () => {
  const shown = shownBy(recorder);
  assertEquals(shown["text/plain"], sentenceOf(run));
  const cells = [...shown["text/html"].matchAll(/<td>(\d+)/g)].map(([, count]) => count);
  assertEquals(cells, ["2", "0", "0", "2"]);
});

Deno.test("a tape shows its calls, folded by module, and nothing of a name is markup", () => {
  const shown = shownBy(tape);
  assertEquals(shown["text/plain"], tape.toText());
  assertEquals(shown["text/vnd.mermaid"], tape.toMermaid());
  const folds = [...shown["text/html"].matchAll(/<summary>(.*?)<\/summary>/g)];
  assertEquals(folds.map(([, head]) => head.split(":")[0]), ["0", "1"]);
  const odd = new nn.Sequential({ "<img>": new nn.BatchNorm1d(3) });
  const html = shownBy(tapeOf(odd.forward(ones([8, 3])), { model: odd }))["text/html"];
  assertStringIncludes(html, "&#60;img&#62;");
  assertEquals(html.includes("<img>"), false);
});

Deno.test("a figure shows itself as an image, a report as a document of its own", () => {
  const figure = shownBy(notebookFigure(run, { title }));
  assertEquals(figure["image/svg+xml"], toFigure(run, { title }));
  const { html, ...rest } = notebookReport(run, { title });
  assertEquals(html, toReport(run, { title }));
  const shown = shownBy(rest);
  assertEquals(shown["text/plain"], title);
  const [, text] = /srcdoc="([^"]*)"/.exec(shown["text/html"])!;
  const back: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  assertEquals(text.replace(/&(\w+|#39);/g, (_, name) => back[name]), html);
  assertEquals(shown["text/html"].includes("<b>"), false);
});
