import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { manualSeed, nn, optim, randn } from "../../mod.ts";
import { formatChanges, ledgerOf, record } from "../../scope/mod.ts";

/** The line of the caller, as call sites show it, moved by some lines. */
function line(offset = 0): string {
  const [, , caller] = new Error().stack!.split("\n");
  return `scope/why_test.ts:${Number(/:(\d+):\d+\)?$/.exec(caller)![1]) + offset}`;
}

Deno.test("whyDidThisChange names forward, optimizer, load, recalibration and copy_ with their lines", () => {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
  const bn = net.modules()[2] as nn.BatchNorm1d;
  const other = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
  other.forward(randn([16, 4]));
  const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
  const recorder = record(net, sgd, { callSites: true });
  const at: Record<string, string> = {};
  for (let i = 0; i < 3; i++) {
    at.forward = line(+1);
    net.forward(randn([16, 4])).square().sum().backward();
    at.optimizer = line(+1);
    sgd.step();
  }
  at.load = line(+1);
  net.loadStateDict(other.stateDict());
  at.recalibration = line(+1);
  optim.swa.updateBn([randn([16, 4]), randn([16, 4])], net);
  at.copy_ = line(+1);
  bn.runningMean!.copy_(7);
  at.reset = line(+1);
  bn.resetRunningStats();
  bn.runningMean!.data[0] = 5;
  net.eval().forward(randn([2, 4]));

  const mean = recorder.whyDidThisChange("1", "running_mean");
  assertEquals(mean.map(({ by, times, site }) => [by, times, site]), [
    ["edit", 1, undefined],
    ["reset", 1, at.reset],
    ["copy_", 1, at.copy_],
    ["recalibration", 3, at.recalibration],
    ["load", 1, at.load],
    ["forward", 3, at.forward],
  ]);
  assertEquals(
    recorder.whyDidThisChange(bn, "weight").map(({ by, times, site }) => [by, times, site]),
    [["load", 1, at.load], ["optimizer", 3, at.optimizer]],
  );
  assertEquals(recorder.whyDidThisChange(bn, "runningMean"), mean);
  assertMatch(
    formatChanges(mean),
    /^copy_: once, in event \d+, in all \S+ \(scope\/why_test\.ts:\d+\)$/m,
  );
  assertThrows(() => recorder.whyDidThisChange("2", "weight"), RangeError, 'expected one of "1"');
  assertThrows(() => recorder.whyDidThisChange("1", "momentum"), RangeError, "got name");

  const json = recorder.stop().toJSON();
  const { learned, tracked } = ledgerOf(json);
  assertEquals([learned.step.count, learned.forward.count, learned.other.count], [6, 0, 2]);
  assertEquals([tracked.step.count, tracked.forward.count], [0, 6]);
  assertEquals(
    json.writes.filter(({ name }) => name === "running_mean").map(({ by }) => by),
    ["load", "recalibration", "recalibration", "recalibration", "copy_", "reset", "edit"],
  );
  assertEquals(json.modes.map(({ mode, site }) => [mode, site?.startsWith("scope/why_test.ts:")]), [
    ["train", true],
    ["eval", true],
  ]);
});

Deno.test("accumulated statistics that are taken in early are told from those of a forward", () => {
  const bn = new nn.BatchNorm1d(2).accumulateStats(2);
  const recorder = record(bn, null);
  for (let i = 0; i < 3; i++) bn.forward(randn([4, 2]));
  bn.flushStats();
  assertEquals(
    recorder.stop().whyDidThisChange("", "running_var").map(({ by, times }) => [by, times]),
    [
      ["accumulated", 1],
      ["forward", 1],
    ],
  );
});

Deno.test("what stopped or was never recorded is left alone: copies, other models, a second recorder", () => {
  const bn = new nn.BatchNorm1d(2);
  const [first, second] = [record(bn, null), record(bn, null)];
  const copy = bn.deepCopy();
  copy.forward(randn([4, 2]));
  new nn.BatchNorm1d(2).forward(randn([4, 2]));
  assertEquals([first.events, second.events], [0, 0]);
  bn.forward(randn([4, 2]));
  first.stop();
  bn.forward(randn([4, 2]));
  bn.runningMean!.copy_(0);
  second.stop();
  bn.forward(randn([4, 2]));
  assertEquals([first.events, second.events], [1, 3]);
  assertEquals(
    record(copy, null).stop().toJSON().layers[0].final.runningMean,
    [...copy.runningMean!.data],
  );
});
