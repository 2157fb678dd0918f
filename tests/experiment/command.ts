/** The command line in a process of its own, and a folder for its files. */

export const tool = new URL("../../tools/experiment.ts", import.meta.url);

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function deno(args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

export function command(...args: string[]): Promise<Ended> {
  return deno(["run", "--no-check", "-A", tool.pathname, ...args]);
}

export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-experiment-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A module with an experiment of two configs, `n` 1 and 2, whose run begins with `body`. */
export const program = (body: string) => `
import { experiment, list, main } from ${
  JSON.stringify(new URL("../../experiment/mod.ts", import.meta.url).href)
};
export default experiment({
  name: "own",
  claim: "c",
  configs: list([{ n: 1 }, { n: 2 }]),
  metrics: { m: { goal: "max" } },
  *run({ config: { n } }) { ${body} yield { step: 1, metrics: { m: n } }; },
});
if (import.meta.main) await main(import.meta.url);
`;
