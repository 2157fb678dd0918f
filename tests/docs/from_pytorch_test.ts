/** The ten lines of PyTorch and of Tapegrad: the page has them word for word, and both print what it says. */
import { assert, assertEquals } from "@std/assert";
import { findPython } from "../io/python.ts";
import { root } from "../house/package.ts";

const page = await Deno.readTextFile(new URL("docs/from_pytorch.md", root));
const python = await findPython(["torch"]);
if (python === null) console.log("No PyTorch here: its ten lines are not run.");

/** The page's code block of a language. */
function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "m").exec(page)![1];
}

async function printed(command: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: root,
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the page has both programs word for word", async () => {
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  assertEquals(block("python"), (await read("examples/from_pytorch.py")).split('"""\n')[1]);
  const program = (await read("examples/from_pytorch.ts")).split("*/\n")[1];
  assertEquals(block("ts"), program.replace("../mod.ts", "@tapegrad/tapegrad"));
});

Deno.test("the ten lines of Tapegrad print what the page says", async () => {
  const output = await printed(Deno.execPath(), "run", "--no-prompt", "examples/from_pytorch.ts");
  assertEquals(output, block("text"));
});

Deno.test({
  name: "the ten lines of PyTorch print the same",
  ignore: python === null,
  async fn() {
    assertEquals(await printed(python!, "examples/from_pytorch.py"), block("text"));
  },
});
