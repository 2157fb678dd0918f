/**
 * The page's state and the address that holds it.
 *
 * `#momentum?seed=3&momentum.batches=90` is the scene that was touched last, the seed, and every
 * setting that is not as it was in the beginning.
 */
import type { Control, Hidden, State, View } from "./views/view.ts";

/** Everything that the page shows follows from this. */
export interface PageState {
  /** The scene that was touched last; the empty string at the top of the page. */
  readonly scene: string;
  readonly seed: number;
  /** The settings of each scene, by its anchor. */
  readonly settings: Readonly<Record<string, State>>;
}

/** What a seed may be. */
export const LARGEST_SEED = 0xffff_ffff;

/** A scene's settings, with controls and without. */
export function settingsOf(view: View): readonly (Control | Hidden)[] {
  return [...view.controls, ...view.hidden ?? []];
}

/** A scene's settings as they are in the beginning. */
export function initialSettings(view: View): State {
  return Object.fromEntries(settingsOf(view).map(({ key, initial }) => [key, initial]));
}

/** The page as it is in the beginning. */
export function initialState(views: readonly View[]): PageState {
  const settings = Object.fromEntries(views.map((view) => [view.anchor, initialSettings(view)]));
  return { scene: "", seed: 0, settings };
}

/** What a scene's numbers depend on: the seed and the settings that are more than a way of showing. */
export function sceneState(view: View, { seed, settings }: PageState): State {
  const chosen = settingsOf(view).filter(({ onlyShown = false }) => !onlyShown);
  return {
    seed,
    ...Object.fromEntries(chosen.map(({ key }) => [key, settings[view.anchor][key]])),
  };
}

/** The part of the address behind and with the #. */
export function formatHash(views: readonly View[], { scene, seed, settings }: PageState): string {
  const entries = seed === 0 ? [] : [`seed=${seed}`];
  for (const view of views) {
    for (const { key, initial } of settingsOf(view)) {
      const value = settings[view.anchor][key];
      if (value !== initial) entries.push(`${view.anchor}.${key}=${value}`);
    }
  }
  return `#${scene}${entries.length === 0 ? "" : `?${entries.join("&")}`}`;
}

/** The state that an address holds, and what in it could not be followed. */
export function parseHash(
  views: readonly View[],
  hash: string,
): { readonly state: PageState; readonly faults: readonly string[] } {
  const initial = initialState(views);
  const settings: Record<string, Record<string, number>> = structuredClone(initial.settings);
  const faults: string[] = [];
  const [anchor, query = ""] = hash.replace(/^#/, "").split("?");
  let { seed } = initial;
  for (const [name, text] of new URLSearchParams(query)) {
    const value = text.trim() === "" ? NaN : Number(text);
    if (name === "seed") {
      if (Number.isInteger(value) && value >= 0 && value <= LARGEST_SEED) seed = value;
      else faults.push(`seed is ${text}, expected an integer from 0 to ${LARGEST_SEED}`);
      continue;
    }
    const [scene, key] = name.split(".");
    const view = views.find((view) => view.anchor === scene);
    const setting = view && settingsOf(view).find((setting) => setting.key === key);
    if (setting === undefined) faults.push(`there is no setting ${name}`);
    else if (setting.values.includes(value)) settings[scene][key] = value;
    else faults.push(`${name} is ${text}, expected one of ${setting.values.join(", ")}`);
  }
  const scene = views.some((view) => view.anchor === anchor) ? anchor : "";
  return { state: { scene, seed, settings }, faults };
}
