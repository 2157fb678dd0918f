/**
 * Runs random programs on every set of kernels and, where Python has it, in PyTorch, compares
 * everything that they show, and shrinks what differs to a few lines.
 *
 *     deno task fuzz --programs 500 --seed 1
 *
 * @module
 */
import { silenceWarnings } from "../../mod.ts";
import { commandLine, integer } from "../../tools/command_line.ts";
import { type Difference, difference, shrink } from "./compare.ts";
import { generate } from "./generate.ts";
import { type Observation, print, type Program } from "./program.ts";
import { kernelPlaces, nudged, type Place, reference, torchPlace } from "./runners.ts";

/** What a difference looks like to a person. */
async function report(
  place: Place,
  seed: number,
  program: Program,
  first: Difference,
): Promise<string> {
  const compare = async (candidate: Program): Promise<Difference | null> =>
    difference(candidate, await reference(candidate), await place.run(candidate), place);
  const short = await shrink(program, async (candidate) => await compare(candidate) !== null);
  // One that is gone the second time depends on what ran before: all the worse.
  const found = await compare(short) ?? first;
  return `${place.name} differs from plain kernels (seed ${seed}):\n${print(short)}\n` +
    `  at line ${found.statement}: plain kernels ${JSON.stringify(found.expected)}, ` +
    `${place.name} ${JSON.stringify(found.actual)}`;
}

/** What comparing programs has shown. */
interface Findings {
  /** What differs, for people. */
  readonly reports: string[];
  readonly statements: number;
  readonly threw: number;
  /** Programs that magnify rounding errors so much that nothing can be said. */
  readonly sensitive: number;
}

/** Compares `count` programs from a seed on. */
export async function fuzz(
  count: number,
  seed: number,
  places: readonly Place[],
): Promise<Findings> {
  const reports: string[] = [];
  const sensitive = new Set<number>();
  const programs: { seed: number; program: Program; expected: readonly Observation[] }[] = [];
  let [statements, threw] = [0, 0];
  for (let i = 0; i < count; i++) {
    await reference([]);
    const program = generate(seed + i);
    const expected = await reference(program);
    statements += program.length;
    threw += expected.filter((observation) => observation === "threw").length;
    programs.push({ seed: seed + i, program, expected });
  }
  for (const place of places) {
    for (const { seed, program, expected } of programs) {
      const actual = await place.run(program);
      const first = difference(program, expected, actual, place);
      if (first === null) continue;
      // Where a rounding error in the leaves does as much, the two need not agree.
      if (difference(program, expected, await nudged(program)) !== null) sensitive.add(seed);
      else reports.push(await report(place, seed, program, first));
    }
  }
  return { reports, statements, threw, sensitive: sensitive.size };
}

if (import.meta.main) {
  const { programs: count, seed } = commandLine("fuzz", {
    programs: integer("how many programs", 500),
    seed: integer("the seed of the first; the others count up from it", 1, { from: 0 }),
  });
  silenceWarnings();
  await using torch = await torchPlace();
  const places = [...await kernelPlaces(), ...(torch === null ? [] : [torch])];
  let [differing, statements, threw, sensitive] = [0, 0, 0, 0];
  // In blocks, so that what was observed does not pile up.
  for (let done = 0; done < count; done += 100) {
    const result = await fuzz(Math.min(100, count - done), seed + done, places);
    result.reports.forEach((text) => console.log(text));
    differing += result.reports.length;
    statements += result.statements;
    threw += result.threw;
    sensitive += result.sensitive;
  }
  console.log(
    `${count} programs, ${statements} statements (${threw} refused), on plain, ` +
      `${places.map(({ name }) => name).join(", ")}: ${differing} differ` +
      (sensitive > 0 ? `, ${sensitive} magnify rounding errors too much to tell` : ""),
  );
  if (differing > 0) Deno.exitCode = 1;
}
