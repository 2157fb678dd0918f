/**
 * What distinguishes configs, and small drawings side by side, one for each.
 */
import { quantile as exactQuantile } from "../../../experiment/statistics/mod.ts";
import { type Html, markup } from "../html.ts";
import { short } from "../lanes.ts";
import { percent } from "../learning.ts";
import type { Config, ConfigResult, MetricInfo, ResultsView, RunResult } from "./view.ts";

/** The axes along which the configs differ; all of them if there is one config only. */
export function varyingAxes(configs: readonly Config[]): string[] {
  const names = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  const varying = names.filter((name) =>
    new Set(configs.map((config) => JSON.stringify(config[name] ?? null))).size > 1
  );
  return varying.length > 0 ? varying : names;
}

/** `depth 8, trains bn`: what tells a config from the others. */
export function labelOf(config: Config, axes: readonly string[]): string {
  return axes.map((axis) => `${axis} ${config[axis] ?? "–"}`).join(", ") || "the only one";
}

/** Whether two configs are the same. */
export function isSame(a: Config, b: Config): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => Object.is(a[name] ?? null, b[name] ?? null));
}

/** The runs of a config. */
export function runsOf({ runs }: ResultsView, { config }: ConfigResult): RunResult[] {
  return runs.filter((run) => isSame(run.config, config));
}

/** A value with its unit. */
export function withUnit(value: number, { unit }: MetricInfo): string {
  if (!Number.isFinite(value)) return String(value);
  if (unit === "%") return percent(value);
  return unit === "" ? short(value) : `${short(value)} ${unit}`;
}

/** A drawing for each config, under its name. */
export function facets(
  drawings: readonly { readonly label: string; readonly drawing: Html }[],
): Html {
  return markup`<div class="facets">${
    drawings.map(({ label, drawing }) =>
      markup`
        <div><p class="facet">${label}</p>${drawing}</div>
      `
    )
  }</div>`;
}

/** The value below which a share of the values lies, interpolated; NaN where there is none, or NaN among them. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0 || values.some(Number.isNaN)) return NaN;
  return exactQuantile(values, share);
}
