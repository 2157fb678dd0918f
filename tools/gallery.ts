/**
 * Writes docs/gallery.md: every example, what it is about, how to run it, and what it prints.
 *
 *     deno task docs:gallery [--check]
 *
 * @module
 */
import { commandLine, flag } from "./command_line.ts";

const root = new URL("../", import.meta.url);
const page = new URL("docs/gallery.md", root);

/** The examples in the order of the page, with the command that runs each. */
const examples: readonly (readonly [file: string, command: string])[] = [
  ["first_network", "deno run examples/first_network.ts"],
  ["from_pytorch", "deno run examples/from_pytorch.ts"],
  ["train_digits", "deno task train"],
  ["four_combinations", "deno task example:four-combinations"],
  ["gradient_accumulation", "deno task example:gradient-accumulation"],
  ["recalibration", "deno task example:recalibration"],
  ["fine_tuning", "deno task example:fine-tuning"],
  ["distillation", "deno task example:distillation"],
];

const decoder = new TextDecoder();

async function printed(file: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read=examples/data", `examples/${file}.ts`],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot run examples/${file}.ts:\n${decoder.decode(stderr)}`);
  // What a clock says is another thing each time.
  return decoder.decode(stdout).trimEnd().replace(/, \d+\.\d s\.$/, ".");
}

/** What the comment at the head of a program says, without the command that runs it. */
function about(source: string): string {
  const comment = /\/\*\*([^]*?)\*\//.exec(source)![1];
  const lines = comment.split("\n").map((line) => line.replace(/^ *\* ?/, ""));
  return lines.filter((line) => !line.startsWith("    ")).join("\n").trim();
}

/** The page, from running everything. */
export async function gallery(): Promise<string> {
  const sections: string[] = [];
  for (const [file, command] of examples) {
    const source = await Deno.readTextFile(new URL(`examples/${file}.ts`, root));
    sections.push(
      `## ${file.replaceAll("_", " ")}\n\n${about(source)} [Source](../examples/${file}.ts)\n\n` +
        `\`\`\`text\n$ ${command}\n${await printed(file)}\n\`\`\`\n`,
    );
  }
  const text = `# The examples and what they print

Written by \`deno task docs:gallery\`; a test runs all of them and compares.

${sections.join("\n")}
## notebook

What batch norm learns and what it merely tracks, cell by cell, in Deno's Jupyter kernel: recorders, figures,
tapes and results show themselves. [Source](../examples/batch_norm.ipynb)
`;
  const format = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = format.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return decoder.decode((await format.output()).stdout);
}

if (import.meta.main) {
  const { check } = commandLine("docs:gallery", {
    check: flag("write nothing; only say whether the page is current"),
  });
  const text = await gallery();
  if (!check) await Deno.writeTextFile(page, text);
  else if (await Deno.readTextFile(page) !== text) {
    console.error("docs/gallery.md is not what the examples print: run deno task docs:gallery");
    Deno.exit(1);
  }
}
