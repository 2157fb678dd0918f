/**
 * Markup that cannot be broken out of: whatever is put into a template is text unless it is markup
 * made by a template itself.
 */

/** A piece of markup. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What a template may hold: text and numbers are escaped, lists are joined, `null` is nothing. */
export type Content = Html | string | number | null | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it stands in markup and in attributes. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Markup from a template. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(
    strings.reduce((text, string, i) => text + written(values[i - 1]) + string),
  );
}

function written(value: Content): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(written).join("");
  return escape(String(value));
}

/** A value as JSON that can stand inside a script element. */
export function embeddedJson(value: unknown): Html {
  return new Html(
    JSON.stringify(value).replace(/</g, "\\u003c").replace(/\u2028/g, "\\u2028")
      .replace(/\u2029/g, "\\u2029"),
  );
}
