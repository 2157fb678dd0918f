/**
 * Runs of an experiment that go on as they are told.
 *
 * @module
 */
import type { RunsProgress } from "../../scope/live/runs.ts";

/** Two configs of three runs; the second diverges once. */
export function exampleRuns(): { readonly progress: RunsProgress; advance(i: number): void } {
  const config = (label: string) => ({
    label,
    runs: 3,
    ended: 0,
    lost: 0,
    values: [] as number[],
    curve: [] as number[],
  });
  const configs = [config("depth 3, trains bn"), config('depth 8, trains <"out">')];
  const progress = {
    name: "bn-only",
    claim: "In a deep network training γ and β alone is enough",
    metric: "accuracy",
    goal: "max" as const,
    unit: "%",
    total: 6,
    done: 0,
    secondsLeft: null as number | null,
    configs,
  };
  return {
    progress,
    advance(i) {
      const at = configs[i % 2];
      const isLost = at === configs[1] && i === 19;
      at.curve.push(isLost ? NaN : Math.sin(i) ** 2);
      if (at.curve.length < 10 || at.ended === at.runs) return;
      if (isLost) at.lost++;
      else at.values.push(at.curve.at(-1)!);
      at.ended++;
      at.curve = [];
      progress.done++;
      progress.secondsLeft = 0.5 * (progress.total - progress.done);
    },
  };
}
