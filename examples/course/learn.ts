/**
 * The course, a step at a time: says what a step already does and what is still blank.
 *
 *     deno task learn 3 [--solution]
 */
import { parseArgs } from "node:util";
import { silenceWarnings } from "@tapegrad/tapegrad";
import { Blank } from "./blank.ts";
import type { Check } from "./check.ts";

/** The steps by number. */
export const steps = [
  "scalar_tape",
  "broadcasting",
  "forward",
  "buffers_and_modes",
  "backward",
  "second_derivative",
  "recalibration",
] as const;

const HELP = `Seven steps from a tape of numbers to batch norm's second derivative (docs/course.md).

  deno task learn N              checks step N, examples/course/N_….ts
  deno task learn N --solution   checks the solution that is kept in examples/course/solutions
  deno task learn --help         this text
`;

/** Runs the checks of a step one after the other, up to the first that fails; whether all hold. */
export async function learn(
  number: number,
  folder: "." | "./solutions",
  print: (line: string) => void,
): Promise<boolean> {
  const name = `${number}_${steps[number - 1]}`;
  const file = `examples/course/${folder === "." ? "" : "solutions/"}${name}.ts`;
  const [step, { checks }] = await Promise.all([
    import(`${folder}/${name}.ts`),
    import(`./checks/${name}.ts`) as Promise<{ checks: readonly Check<unknown>[] }>,
  ]);
  // What the steps do on purpose, tracking under noGrad() for instance, is warned of elsewhere.
  silenceWarnings();
  for (const { what, run } of checks) {
    try {
      await run(step);
      print(`ok      ${what}`);
    } catch (error) {
      const reason = (error as Error).message;
      print(`not yet ${what}`);
      print(error instanceof Blank ? `\nFill in ${file}: ${reason}.` : `\n${file}: ${reason}`);
      return false;
    }
  }
  print(
    number < steps.length ? `\nNext: deno task learn ${number + 1}` : "\nThat was the last step.",
  );
  return true;
}

if (import.meta.main) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        solution: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help || positionals.length === 0) {
      console.log(HELP);
    } else {
      const number = Number(positionals[0]);
      if (!(number in [0, ...steps]) || number === 0 || positionals.length > 1) {
        const got = positionals.join(" ");
        console.error(
          `learn: got step ${got}, expected one from 1 to ${steps.length} (--help says more)`,
        );
        Deno.exit(2);
      }
      const folder = values.solution ? "./solutions" : ".";
      if (!await learn(number, folder, console.log)) Deno.exit(1);
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`learn: ${error.message.split(". To specify")[0]} (--help lists the options)`);
    Deno.exit(2);
  }
}
