/** A process that was started alone needs no MPI. */
import { assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { allGather, allReduce, allReduce_, broadcast_, init } from "../../distributed/mod.ts";
import { reduceScatter } from "../../distributed/mod.ts";
import { describeRoll } from "../../distributed/mpi/watch.ts";
import { FLAVORS, HANDLES } from "../../distributed/mpi/flavors.ts";
import { normalizeAcross } from "../../distributed/sync_batch_norm.ts";
import { Generator, gradcheck, nn, randn, tensor } from "../../mod.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("collectives of a group of one return what they are given", () => {
  using group = init();
  assertEquals([group.rank, group.size, group.library], [0, 1, null]);
  assertStrictEquals(init({ timeout: 5 }), group);
  const x = tensor([1, 2]);
  for (const op of ["sum", "mean", "min", "max"] as const) {
    assertEquals(allReduce(x, { op }).toArray(), [1, 2]);
    assertEquals(reduceScatter(x, { op }).toArray(), [1, 2]);
  }
  assertEquals(allGather(x).map((part) => part.toArray()), [[1, 2]]);
  assertStrictEquals(broadcast_(x), x);
});

Deno.test("a collective needs a group, an open one", () => {
  assertThrows(() => allReduce(tensor([1])), Error, "expected init() before");
  const group = init();
  group.close();
  assertThrows(() => allReduce(tensor([1])), Error, "expected init() before");
});

Deno.test("wrong arguments are refused by name", () => {
  using _group = init();
  assertThrows(() => init({ ranks: 2 } as never), TypeError, "got an option ranks");
  assertThrows(() => init({ timeout: 0 }), RangeError, "got timeout 0");
  assertThrows(() => init({ timeout: "5" as never }), TypeError, "got timeout string 5");
  assertThrows(() => init({ debug: 1 as never }), TypeError, "got debug 1");
  assertThrows(() => init({ library: 5 as never }), TypeError, "got library number 5");
  assertThrows(() => allReduce([1] as never), TypeError, "got x an array of 1");
  const x = tensor([1]);
  assertThrows(() => allReduce(x, { op: "product" as never }), RangeError, "got op product");
  assertThrows(() => allReduce_(x, { op: 3 as never }), TypeError, "got op 3");
  assertThrows(() => broadcast_(x, { source: 1 }), RangeError, "got source 1");
  assertThrows(() => reduceScatter(tensor(1)), RangeError, "got x of shape []");
});

Deno.test("a group of one asks for no permission but to see that it is one", async () => {
  const program = `import { init } from ${
    JSON.stringify(new URL("../../distributed/mod.ts", import.meta.url).href)
  }; console.log(init().size);`;
  const run = (...permissions: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", ...permissions, "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
  const names = "--allow-env=OMPI_COMM_WORLD_SIZE,PMI_SIZE,SLURM_STEP_NUM_TASKS,PMIX_RANK";
  for (const permissions of [[names], []]) {
    const child = run(...permissions);
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(program));
    await writer.close();
    const { stdout, stderr } = await child.output();
    const text = new TextDecoder();
    if (permissions.length > 0) assertEquals(text.decode(stdout).trim(), "1");
    else assertStringIncludes(text.decode(stderr), `expected ${names}`);
  }
});

Deno.test("the watchdog's words name ranks and collectives", () => {
  const answers = new Map([[2, { code: 0, count: 6 }], [3, { code: 3, count: 5 }]]);
  assertEquals(
    describeRoll(0, { code: 0, count: 6 }, [1, 2, 3], answers, 2000),
    "Cannot go on: rank 1 did not come to allReduce (number 7) within 2.0 s; rank 3 is in broadcast_ " +
      "(number 6), not in allReduce (number 7); ranks 0, 2 waited there. All ranks have to run the same " +
      "collectives in the same order. The job ends.",
  );
});

Deno.test("every implementation has every handle and a place to look for it", () => {
  for (const { handles, libraries, handle } of FLAVORS) {
    assertEquals(Object.keys(handles).sort(), [...HANDLES].sort());
    assertEquals(libraries.length > 2, true);
    const kind = handle === "pointer" ? "string" : "number";
    for (const value of Object.values(handles)) assertEquals(typeof value, kind);
  }
});

Deno.test("normalising over processes is batchNorm where there is one; both derivatives agree with differences", () => {
  const generator = new Generator(2);
  const processes = { size: 1, sum: () => {}, sumTensor: <T>(x: T) => x };
  for (const shape of [[5, 2], [3, 2, 3]]) {
    const mask = randn(shape.map((n, i) => i === 1 ? 1 : n), { generator }).gt(-1);
    for (const m of [null, mask]) {
      const x = randn(shape, { generator }).requiresGrad_();
      const weight = randn([2], { generator }).requiresGrad_();
      const bias = randn([2], { generator }).requiresGrad_();
      const operands = { x, weight, bias, runningMean: null, runningVar: null };
      const { y } = normalizeAcross(operands, { eps: 0.01, mask: m, processes });
      const expected = nn.functional.batchNorm(x, null, null, weight, bias, {
        training: true,
        eps: 0.01,
        mask: m,
      });
      assertClose(y, expected, 1e-13, 1e-13, "y");
      gradcheck(
        (x, weight, bias) =>
          normalizeAcross({ ...operands, x, weight, bias }, { eps: 0.01, mask: m, processes }).y,
        [x, weight, bias],
        { order: 2 },
      );
    }
  }
});
