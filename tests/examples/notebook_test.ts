/** The notebook runs from top to bottom. */
import { assert, assertEquals } from "@std/assert";

const folder = new URL("../../examples/", import.meta.url);
const path = new URL("batch_norm.ipynb", folder).pathname;

interface Cell {
  readonly cell_type: "code" | "markdown";
  readonly source: string | readonly string[];
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly data?: Readonly<Record<string, unknown>>;
  }[];
}

async function cellsOf(file: string): Promise<Cell[]> {
  return JSON.parse(await Deno.readTextFile(file)).cells;
}

function textOf({ source }: Cell): string {
  return typeof source === "string" ? source : source.join("");
}

async function run(command: string, args: string[], env: Record<string, string> = {}) {
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { code: 127, text: `${command} is missing` };
    throw error;
  }
}

const python = "/usr/bin/python3";
const hasClient = (await run(python, ["-c", "import nbclient"])).code === 0;
if (!hasClient) console.log("No nbclient here: the notebook's cells are run as one program.");

Deno.test({
  name: "the notebook runs under nbclient, in Deno's kernel",
  ignore: !hasClient,
  async fn() {
    const temp = await Deno.makeTempDir({ prefix: "tapegrad-notebook-" });
    try {
      // What `deno jupyter --install` writes, without a change to this machine.
      const env = { JUPYTER_DATA_DIR: `${temp}/jupyter`, JUPYTER_PATH: `${temp}/jupyter` };
      const kernel = `${temp}/jupyter/kernels/deno`;
      await Deno.mkdir(kernel, { recursive: true });
      const spec = {
        argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
        display_name: "Deno",
        language: "typescript",
      };
      await Deno.writeTextFile(`${kernel}/kernel.json`, JSON.stringify(spec));
      const script = new URL("notebook.py", import.meta.url).pathname;
      const output = `${temp}/output.ipynb`;
      // The kernel's socket drops a message now and then: what it never shows is missing each time.
      let shown: string[] = [];
      for (let attempt = 0; attempt < 3 && !shown.includes("text/html"); attempt++) {
        const ran = await run(python, [script, path, folder.pathname, output], env);
        assertEquals(ran.code, 0, ran.text);
        const cells = (await cellsOf(output)).filter((cell) => cell.cell_type === "code");
        assert(cells.every(({ outputs }) => outputs!.every((one) => one.output_type !== "error")));
        shown = cells.flatMap(({ outputs }) =>
          outputs!.flatMap(({ data = {} }) => Object.keys(data))
        );
      }
      assert(shown.includes("text/html"), shown.join(" "));
    } finally {
      await Deno.remove(temp, { recursive: true });
    }
  },
});

Deno.test("the cells of the notebook are one program that runs", async () => {
  const code = (await cellsOf(path)).filter((cell) => cell.cell_type === "code").map(textOf);
  // Beside the notebook, where its imports are known.
  const program = await Deno.makeTempFile({
    dir: folder.pathname,
    prefix: ".notebook-",
    suffix: ".ts",
  });
  try {
    await Deno.writeTextFile(program, code.join("\n;\n"));
    const ran = await run(Deno.execPath(), ["run", "--no-prompt", "--allow-env", program]);
    assertEquals(ran.code, 0, ran.text);
    assert(ran.text.includes("momentum 0"), ran.text);
  } finally {
    await Deno.remove(program);
  }
});

Deno.test("what the notebook shows on a page was made by its cells, each of them", async () => {
  const cells = (await cellsOf(path)).filter((cell) => cell.cell_type === "code");
  assertEquals(cells.slice(1).filter(({ outputs }) => outputs!.length === 0).map(textOf), []);
  const figure = cells.find((cell) => textOf(cell).startsWith("notebookFigure("))!;
  assert("image/svg+xml" in figure.outputs![0].data!);
});
