/**
 * The batch norm layers of each config: γ, the gap between training and evaluation, drift.
 */
import type { Figure } from "../figure.ts";
import { markup } from "../html.ts";
import { short } from "../lanes.ts";
import { draw, Plot } from "../plot.ts";
import { facets, labelOf, quantile, varyingAxes } from "./configs.ts";
import type { ResultsView } from "./view.ts";

/** A histogram of γ for each config, with its gap and drift beside it. */
export function batchNormFigure({ configs }: ResultsView): Figure | null {
  const axes = varyingAxes(configs.map(({ config }) => config));
  const known = configs.flatMap(({ config, batchNorm }) =>
    batchNorm === null ? [] : [{ label: labelOf(config, axes), ...batchNorm }]
  );
  if (known.length === 0) return null;
  const gammas = known.flatMap(({ gamma }) => gamma).filter(Number.isFinite);
  const domain: [number, number] = [Math.min(...gammas), Math.max(...gammas)];
  const told = (values: readonly number[]) =>
    values.length === 0 ? "–" : short(quantile(values, 0.5));
  return {
    id: "batch-norm",
    heading: "Batch norm layers at the end",
    takeaway:
      markup`γ of all channels and runs, on one scale; under it the median distance between outputs in
training and in evaluation, and the median drift of the running mean in standard deviations.`,
    isWide: true,
    drawing: facets(known.map(({ label, gamma, gap, drift }, i) => ({
      label,
      drawing: markup`${
        draw({
          width: 230,
          height: 120,
          marginLeft: 34,
          marginBottom: 34,
          x: { domain, label: "γ", ticks: 4 },
          y: { grid: true, ticks: 3, label: null },
          marks: [
            Plot.rectY(
              gamma,
              Plot.binX({ y: "count" }, {
                x: (value: number) => value,
                thresholds: 20,
                domain,
                fill: "var(--learned)",
                inset: 0.5,
              } as Plot.BinXInputs<object>),
            ),
            Plot.ruleX([1], { stroke: "var(--ink)", strokeDasharray: "3 3" }),
          ],
        }, { title: `γ of ${label}`, id: `batch-norm-${i}` })
      }<p class="facet">gap ${told(gap)}, drift ${told(drift)}</p>`,
    }))),
    table: {
      columns: [
        "config",
        "channels",
        "γ lower quartile",
        "γ median",
        "γ upper quartile",
        "gap",
        "drift",
      ],
      rows: known.map(({ label, gamma, gap, drift }) => [
        label,
        gamma.length,
        quantile(gamma, 0.25),
        quantile(gamma, 0.5),
        quantile(gamma, 0.75),
        gap.length === 0 ? null : quantile(gap, 0.5),
        drift.length === 0 ? null : quantile(drift, 0.5),
      ]),
    },
  };
}
