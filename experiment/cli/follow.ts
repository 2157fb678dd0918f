/**
 * The live page of an experiment's runs.
 */
import type { LiveRuns } from "../../scope/live/serve_runs.ts";
import { describeConfig } from "../expectations.ts";
import type { Tally } from "./tally.ts";

/** Serves a page that follows the runs; its address is told on standard error. */
export async function follow(tally: Tally): Promise<LiveRuns> {
  // Loaded where it is asked for: others need not wait for it.
  const { serveRuns } = await import("../../scope/live/serve_runs.ts");
  const { name, claim, seeds } = tally.experiment;
  const [metric, { goal, unit = "" }] = tally.metric;
  const live = serveRuns(() => ({
    name,
    claim,
    metric,
    goal,
    unit,
    total: tally.total,
    done: tally.done,
    secondsLeft: tally.secondsLeft,
    configs: tally.standings.map(({ axes, ended, lost, values, curve }) => ({
      label: describeConfig(axes),
      runs: seeds.length,
      ended,
      lost,
      values,
      curve,
    })),
  }));
  console.error(`Follow the runs at ${live.url}`);
  return live;
}
