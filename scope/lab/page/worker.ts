/**
 * The worker: runs scenes with the library, one after the other.
 */
/// <reference lib="webworker" />
import { silenceWarnings } from "../library.ts";
import { runs } from "../scenes/mod.ts";
import type { State } from "../views/view.ts";

/** What the page asks for. */
export interface Job {
  readonly anchor: string;
  readonly state: State;
}

/** What it gets. */
export type Answer =
  & { readonly anchor: string }
  & ({ readonly numbers: unknown; readonly milliseconds: number } | { readonly error: string });

// Scenes do on purpose what the library warns of.
silenceWarnings();

self.addEventListener("message", ({ data }: MessageEvent<Job>) => {
  const { anchor, state } = data;
  const started = performance.now();
  let answer: Answer;
  try {
    const numbers = runs[anchor](state);
    answer = { anchor, numbers, milliseconds: performance.now() - started };
  } catch (error) {
    answer = { anchor, error: (error as Error).message };
  }
  self.postMessage(answer);
});
