/**
 * States of the lab's scenes for tests: the first, and those with each setting at its ends.
 *
 * @module
 */
import { silenceWarnings } from "../../mod.ts";
import { runs } from "../../scope/lab/scenes/mod.ts";
import { initialState, type PageState, sceneState, settingsOf } from "../../scope/lab/state.ts";
import type { State, View } from "../../scope/lab/views/view.ts";
import { views } from "../../scope/lab/views/mod.ts";

/** The view with this anchor. */
export function viewOf(anchor: string): View {
  return views.find((view) => view.anchor === anchor)!;
}

/** The page in the beginning, but for these settings of one scene. */
export function pageWith(anchor: string, settings: State, seed = 0): PageState {
  const initial = initialState(views);
  const changed = { ...initial.settings[anchor], ...settings };
  return { scene: anchor, seed, settings: { ...initial.settings, [anchor]: changed } };
}

/** A scene's numbers. */
// deno-lint-ignore no-explicit-any -- each scene has numbers of its own kind.
export function numbersOf(anchor: string, settings: State = {}, seed = 0): any {
  const restore = silenceWarnings();
  const state = sceneState(viewOf(anchor), pageWith(anchor, settings, seed));
  const numbers = runs[anchor](state);
  restore();
  return numbers;
}

/** Settings with each control at its least, its middle and its largest value, one at a time. */
export function edges(view: View): State[] {
  return settingsOf(view).flatMap(({ key, values }) =>
    [values[0], values[values.length >> 1], values.at(-1)!].map((value) => ({ [key]: value }))
  );
}
