/**
 * Wrong calls of the recorder's functions end in the library's words, never the engine's.
 */
import { assertEquals } from "@std/assert";
import { nn, ones } from "../../mod.ts";
import * as scope from "../../scope/mod.ts";
import { gradientPartsOf } from "../../scope/gradient_parts.ts";
import { callWrongly, type RightArguments, type Tally } from "../house/wrong_calls.ts";

const layer = () => new nn.BatchNorm1d(2);
const loss = () => layer().forward(ones([2, 2])).sum();
const record = () => scope.record(layer(), null).stop().toJSON();

const calls: readonly [name: string, call: unknown, right: RightArguments][] = [
  ["record", scope.record, () => [layer(), null, {}]],
  [
    "new Recorder",
    (model: never, optimizers: never) =>
      new scope.Recorder(model, optimizers, {
        title: "",
        every: 1,
        channels: "all",
        callSites: false,
      })
        .stop(),
    () => [layer(), []],
  ],
  ["ledgerOf", scope.ledgerOf, () => [record()]],
  ["sentenceOf", scope.sentenceOf, () => [record()]],
  ["formatChanges", scope.formatChanges, () => [[]]],
  ["jsonNumber", scope.jsonNumber, () => [1]],
  ["numberOf", scope.numberOf, () => ["NaN"]],
  ["tapeOf", scope.tapeOf, () => [loss(), {}]],
  ["gradientPartsOf", gradientPartsOf, () => [layer(), loss]],
];

Deno.test("wrong calls of the recorder's functions end in the library's words", async () => {
  const tally: Tally = { made: 0, engine: [] };
  for (const [name, call, right] of calls) {
    await callWrongly(name, call as () => unknown, right, tally);
  }
  assertEquals([tally.made > 400, tally.engine], [true, []]);
});
