/**
 * Writes docs/operations.md from the registry of primitives, or with `--check` says whether it is
 * current.
 *
 * @module
 */
import {
  type AnyPrimitive,
  bind,
  Generator,
  type Input,
  noGrad,
  primitives,
  type Sample,
  type Tensor,
} from "../mod.ts";
import { commandLine, flag } from "./command_line.ts";

const file = new URL("../docs/operations.md", import.meta.url);

const preface = `# Operations

Every primitive of the registry: what \`definePrimitive\` was given, one row each. This file is written
by \`deno task docs:ops\` and checked by \`deno task ok\`.

- **Shapes** are those of the first samples that the tests run, inputs → outputs; an absent optional
  input is a dash.
- **Order** is how often it can be differentiated: \`any\`, \`1\` with the reason below the table, or \`0\`.
- **Saved** is what stays in memory from the forward to the backward pass: inputs (\`in\`), outputs
  (\`out\`) by position, or \`other\` for a tensor that is neither.

`;

function shapeOf(tensor: Input): string {
  return tensor === null ? "–" : `[${tensor.shape.join(", ")}]`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** Which tensors of a call a primitive keeps. */
function saved(primitive: AnyPrimitive, sample: Sample, outputs: readonly Tensor[]): string {
  if (primitive.vjp === undefined) return "";
  const inputs = sample.inputs;
  const needs = inputs.map((input) => input !== null);
  const kept: readonly Input[] = noGrad(() =>
    primitive.save?.(inputs, outputs, sample.attrs, needs) ?? []
  );
  const names = kept.filter((tensor) => tensor !== null).map((tensor) => {
    const input = inputs.indexOf(tensor), output = outputs.indexOf(tensor);
    if (input >= 0) return `in${input + 1}`;
    return output >= 0 ? `out${output + 1}` : "other";
  });
  return names.length === 0 ? "nothing" : names.join(", ");
}

function order(primitive: AnyPrimitive): string {
  if (primitive.vjp === undefined) return "0";
  return primitive.onlyFirstOrder === undefined ? "any" : "1";
}

function row(primitive: AnyPrimitive): string {
  const samples: readonly Sample[] = primitive.samples?.(new Generator(0)) ?? [];
  const shapes = new Set<string>();
  let keeps = "";
  for (const [i, sample] of samples.entries()) {
    const outputs = noGrad(() => bind(primitive, sample.inputs, sample.attrs));
    if (i === 0) keeps = saved(primitive, sample, outputs);
    if (shapes.size < 2) {
      shapes.add(
        `${sample.inputs.map(shapeOf).join(" ")} → ${outputs.map(shapeOf).join(" ")}`,
      );
    }
  }
  const columns = [
    `\`${primitive.name}\``,
    primitive.summary ?? "",
    [...shapes].join("<br>"),
    order(primitive),
    keeps,
  ];
  return `| ${columns.map(cell).join(" | ")} |`;
}

function table(): string {
  const all = [...primitives.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  const rows = all.map(row).join("\n");
  const once = all.filter((p) => p.onlyFirstOrder !== undefined)
    .map((p) => `- \`${p.name}\`: ${p.onlyFirstOrder}`).join("\n");
  const reasons = once === "" ? "" : `\n## Differentiable once\n\n${once}\n`;
  return `${preface}| primitive | computes | shapes | order | saved |\n` +
    `| --- | --- | --- | --- | --- |\n${rows}\n${reasons}`;
}

/** The table in the layout of `deno fmt`, which the repository's documents have. */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}

const { check } = commandLine("docs:ops", {
  check: flag("write nothing; only say whether the table is current"),
});
const wanted = await formatted(table());
if (check) {
  const present = await Deno.readTextFile(file).catch(() => "");
  if (present !== wanted) {
    console.error("docs/operations.md is not current: run deno task docs:ops");
    Deno.exit(1);
  }
} else {
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(file, wanted);
}
