/** The ten lines of PyTorch on the page give what the page says. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { findPython } from "../io/python.ts";
import { root } from "../house/package.ts";

const page = await Deno.readTextFile(new URL("docs/from_pytorch.md", root));
const python = await findPython(["torch"]);
if (python === null) console.log("No PyTorch here: the page's ten lines are not run in it.");

Deno.test({
  name: "the ten lines of PyTorch give the loss that the page has",
  ignore: python === null,
  async fn() {
    const program = /```python\n([^]*?)```/.exec(page)![1];
    const { code, stdout, stderr } = await new Deno.Command(python!, {
      args: ["-c", `${program}\nprint(repr(loss.item()))`],
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const [told] = /(?<=loss of )[\d.]+/.exec(page)!;
    assertAlmostEquals(Number(new TextDecoder().decode(stdout)), Number(told), 1e-12);
    assert(page.includes(`assertAlmostEquals(loss.item(), ${told}, 1e-12)`));
  },
});
