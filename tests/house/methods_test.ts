/** A method's documentation, what hover shows, is the first paragraph of its function's. */
import { assert, assertEquals } from "@std/assert";
import { root } from "./package.ts";

/** A documentation comment's first paragraph in one line. */
function firstParagraph(doc: string): string {
  return doc.split("\n\n")[0].split(/\n(?=@)/)[0].replaceAll(/\s+/g, " ").trim();
}

interface Documented {
  readonly name: string;
  readonly declarations: readonly { readonly jsDoc?: { readonly doc?: string } }[];
}

async function functions(): Promise<Map<string, string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "autograd/mod.ts"],
    cwd: root,
  }).output();
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const [module] = Object.values(nodes as Record<string, { symbols: Documented[] }>);
  const found = new Map<string, string>();
  for (const { name, declarations } of module.symbols) {
    const doc = declarations.find(({ jsDoc }) => jsDoc?.doc)?.jsDoc?.doc;
    if (doc !== undefined) found.set(name, firstParagraph(doc));
  }
  return found;
}

Deno.test("each method says what its function says", async () => {
  const known = await functions();
  const text = await Deno.readTextFile(new URL("autograd/methods.ts", root));
  const method =
    /\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}(\w+)\([^{]*\{\n {4}return operations\.(\w+)\(/g;
  const wrong: string[] = [];
  let compared = 0;
  for (const [, comment, name, operation] of text.matchAll(method)) {
    // Overloads and a method whose arguments stand in another order have words of their own.
    if (["max", "min", "where", "view", "clone"].includes(name)) continue;
    const doc = firstParagraph(comment.replaceAll(/^ *\* ?/gm, ""));
    const expected = known.get(operation);
    if (expected === undefined || doc !== expected) {
      wrong.push(`${name}: "${doc}", not "${expected}"`);
    }
    compared++;
  }
  assert(compared > 70, `${compared} methods compared`);
  assertEquals(wrong, []);
});
