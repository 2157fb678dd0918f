/**
 * A question before a setting is changed: predict, then see.
 */
import { escape, type Hidden, type State, type View } from "./view.ts";

/** What is asked, what is set by either answer, and which of the two is right. */
export interface Prediction {
  readonly question: string;
  readonly answers: readonly [string, string];
  /** The settings that show it. */
  readonly set: State;
  /** The answer that is right, 0 or 1, whatever the other settings are. */
  readonly right: 0 | 1;
  /** Why, as HTML. */
  readonly why: string;
}

/** What was said: 0 nothing yet, 1 the first answer, 2 the second. */
const GUESS: Hidden = { key: "guess", values: [0, 1, 2], initial: 0, onlyShown: true };

/** A view's parts that ask, and answer once its settings are those of the question. */
export function predicting(
  anchor: string,
  { question, answers, set, right, why }: Prediction,
): Required<Pick<View, "hidden" | "aside">> {
  const id = `${anchor}-question`;
  return {
    hidden: [GUESS],
    aside(state) {
      const isShown = Object.entries(set).every(([key, value]) => state[key] === value);
      if (state.guess === 0 || !isShown) {
        const buttons = answers.map((answer, i) =>
          `<button type="button" data-set="${
            escape(JSON.stringify({ ...set, guess: i + 1 }))
          }">${answer}</button>`
        );
        return `<div class="question" role="group" aria-labelledby="${id}"><p id="${id}" tabindex="-1">` +
          `<b>Predict, then see: ${question}</b></p><p>${buttons.join(" ")}</p></div>`;
      }
      const said = state.guess - 1;
      return `<div class="question"><p tabindex="-1" data-focus>${
        said === right ? "Yes: " : `You said “${answers[said]}”. `
      }<b>${answers[right]}</b>. ${why}</p></div>`;
    },
  };
}
