/**
 * The pages on batch norm that send readers to a scene, so that the scene can send them back.
 */

/** A belief about batch norm, with the page that puts it to the test. */
export interface Belief {
  /** Its number in the list of beliefs. */
  readonly number: number;
  /** The belief itself, in quotation marks. */
  readonly words: string;
  /** The page's file name without its extension. */
  readonly page: string;
  /** The anchor of the scene that shows it. */
  readonly scene: string;
}

/** Where the pages are, for a lab that is hosted without them. */
export const PAGES = "https://github.com/tapegrad/tapegrad/blob/main/docs/batch_norm/{page}.md";

const ROW = /^\| *(\d+) *\| *\[(.*?)\]\((\w+)\.md\) *\|(?:.*\|)? *`#([a-z-]+)` *\|$/;

/**
 * The beliefs in a table of Markdown whose rows hold a number, a belief that links to its page, and,
 * last, its scene.
 *
 * @throws {TypeError} if a numbered row is not of this form.
 */
export function beliefsIn(markdown: string): Belief[] {
  return markdown.split("\n").filter((line) => /^\| *\d/.test(line)).map((line) => {
    const match = ROW.exec(line);
    if (match === null) {
      throw new TypeError(
        "Cannot read which page belongs to which scene: got the row " +
          `"${line.replaceAll(/ +/g, " ")}", ` +
          "expected | number | [belief](page.md) | … | `#scene` |",
      );
    }
    const [, number, words, page, scene] = match;
    return { number: Number(number), words, page, scene };
  });
}

/** The beliefs in the list of the documentation. */
export async function readBeliefs(): Promise<Belief[]> {
  const list = new URL("../../docs/batch_norm/README.md", import.meta.url);
  return beliefsIn(await Deno.readTextFile(list));
}

/**
 * The address of a belief's page.
 *
 * @param pages The address of any page, with `{page}` in place of its name.
 * @throws {RangeError} if `pages` has no such place.
 */
export function addressOf({ page }: Belief, pages: string): string {
  if (!pages.includes("{page}")) {
    throw new RangeError(
      `Cannot link to the pages on batch norm: got the address ${pages}, ` +
        "expected one with {page} in place of the page's name",
    );
  }
  return pages.replaceAll("{page}", page);
}
