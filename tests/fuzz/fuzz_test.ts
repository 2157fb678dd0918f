import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { silenceWarnings } from "../../mod.ts";
import { difference, shrink } from "./compare.ts";
import { fuzz } from "./fuzz.ts";
import { generate } from "./generate.ts";
import { type Observation, print, type Program, valuesOf, without } from "./program.ts";
import { type Place, reference } from "./runners.ts";

silenceWarnings();

/** A library that is wrong in one function. */
const broken: Place = {
  name: "broken",
  run: async (program) => {
    const observations = await reference(program);
    return observations.map((observation, i): Observation => {
      const statement = program[i];
      const wrong = statement.kind === "call" && statement.name === "tanh";
      return wrong && observation !== "threw" ? observation.map((v) => v! + 1e-3) : observation;
    });
  },
};

Deno.test("programs are the same for a seed, and most of their statements run", async () => {
  assertEquals(generate(5), generate(5));
  const observations =
    (await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => reference(generate(seed)))))
      .flat();
  const threw = observations.filter((observation) => observation === "threw").length;
  assert(threw < observations.length / 5, `${threw} of ${observations.length} threw`);
});

Deno.test("a library against itself does not differ", async () => {
  const place: Place = { name: "itself", run: reference };
  assertEquals((await fuzz(20, 1, [place])).reports, []);
});

Deno.test("a wrong function is found and shrunk to the lines that need it", async () => {
  const { reports } = await fuzz(40, 1, [broken]);
  assert(reports.length > 0);
  for (const report of reports) {
    assertStringIncludes(report, "tanh(");
    const lines = report.split("\n").filter((line) => /^ {2}[tmo]\d+ = /.test(line));
    assert(lines.length <= 12, report);
  }
});

Deno.test("without() drops what depends on a statement and renumbers the rest", () => {
  const leaf = { kind: "leaf", shape: [2], seed: 1, requiresGrad: true } as const;
  const call = (name: string, ...args: number[]) =>
    ({ kind: "call", name, args, attrs: {}, noGrad: false }) as const;
  const program: Program = [leaf, call("exp", 0), leaf, call("sin", 1), call("cos", 2)];
  assertEquals(without(program, 1), [leaf, leaf, call("cos", 1)]);
  assertEquals(print(without(program, 1)).split("\n").length, 3);
});

Deno.test("a difference names the statement and both values", () => {
  const program: Program = [{ kind: "leaf", shape: [2], seed: 1, requiresGrad: false }];
  assertEquals(difference(program, [[1, NaN]], [[1, NaN]]), null);
  assertEquals(difference(program, [[1, 2]], [[1, 2.1]]), {
    statement: 0,
    expected: 2,
    actual: 2.1,
  });
  assertEquals(difference(program, [[1]], ["threw"])?.actual, "threw");
  assertEquals(difference(program, [[1, null]], [[1, 0]])?.expected, null);
});

Deno.test("shrinking keeps what differs", async () => {
  const program = generate(3);
  const hasLeaf = (candidate: Program) =>
    Promise.resolve(candidate.some(({ kind }) => kind === "leaf"));
  assertEquals((await shrink(program, hasLeaf)).length, 1);
});

Deno.test("the values of a seed lie between -2 and 2 and differ from seed to seed", () => {
  const values = valuesOf(7, 1000);
  assert(values.every((value) => value >= -2 && value < 2));
  assert(Math.abs(values.reduce((a, b) => a + b) / 1000) < 0.2);
  assert(valuesOf(8, 1000).some((value, i) => value !== values[i]));
});
