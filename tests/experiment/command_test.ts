/** The command line, run as its user runs it. */
import { assert, assertEquals } from "@std/assert";

import { command, deno, inFolder, program, tool } from "./command.ts";

Deno.test("separation --check prints its table and holds", async () => {
  const { code, out, err } = await command("separation", "--check");
  assertEquals(code, 0, out + err);
  assert(/^noGrad +1 +0 +0 +0 +1\.\d+ +0$/m.test(out), out);
  assert(!out.includes("✗"), out);
  assert(/Warning \[bn-update-under-no-grad\], 1 times in 1 runs/.test(err), err);
});

Deno.test("the command needs no package from elsewhere until a report is asked for", async () => {
  const { code, out, err } = await deno(["info", "--json", tool.pathname]);
  assertEquals(code, 0, err);
  interface Module {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier: string } }[];
  }
  const { roots, modules } = JSON.parse(out) as { roots: string[]; modules: Module[] };
  const known = new Map(modules.map((module) => [module.specifier, module]));
  // Types are not fetched to run something.
  const needed = new Set(roots);
  for (const specifier of needed) {
    for (const { code } of known.get(specifier)?.dependencies ?? []) {
      if (code !== undefined) needed.add(code.specifier);
    }
  }
  assert([...needed].some((specifier) => specifier.endsWith("/experiment/results.ts")));
  assertEquals([...needed].filter((specifier) => !/^(file|node):/.test(specifier)), []);
});

Deno.test("wrong usage is told in one line, with exit code 2", async () => {
  for (
    const args of [
      ["nope"],
      ["separation", "--sede", "1"],
      ["separation", "--set", "nope=1"],
      [
        "separation",
        "--where",
        "how=never",
      ],
      ["separation", "--format", "xml"],
      ["separation", "--seeds", "-2"],
      ["separation", "--workers", "0"],
      ["separation", "--report", "nowhere/page.html"],
      ["separation", "--report", "page.txt"],
      ["leakage", "separation"],
    ]
  ) {
    const { code, out, err } = await command(...args, "--dry-run");
    assertEquals([code, out], [2, ""], args.join(" "));
    assert(/^Cannot [^\n]*\n$/.test(err), `${args.join(" ")}: ${err}`);
  }
});

Deno.test("what has ended is not run again, and lr 1e9 diverges with exit code 0", async () => {
  await inFolder(async (folder) => {
    const args = ["leakage", "--seeds", "1", "--set", "steps=20", "--out", folder];
    const first = await command(...args);
    assertEquals(first.code, 0, first.err);
    assert(first.err.includes("2/2"), first.err);
    const table = await Deno.readTextFile(`${folder}/leakage/results.csv`);
    const second = await command(...args);
    assert(second.err.includes("2 of 2 runs have ended before"), second.err);
    assertEquals(second.out, first.out);
    assertEquals(await Deno.readTextFile(`${folder}/leakage/results.csv`), table);
    const wild = await command(
      "normalisation-batch",
      ...["--seeds", "1", "--where", "size=8", "--set", "lr=1e9", "--set", "epochs=2"],
      ...["--out", folder],
    );
    assertEquals(wild.code, 0, wild.err);
    assert(/✗ 0 of 1, 1 diverged/.test(wild.out), wild.out);
  });
});

Deno.test("a run that throws fails alone, and --retry failed runs just that one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/own.ts`;
    const own = (...args: string[]) =>
      deno(["run", "--no-check", "-A", path, "--out", `${folder}/runs`, ...args]);
    await Deno.writeTextFile(path, program(`if (n === 1) throw new Error("broken");`));
    const first = await own();
    assertEquals(first.code, 1, first.err);
    assert(/^2 +1 +2$/m.test(first.out), first.out);
    const log = () => Deno.readTextFile(`${folder}/runs/own/runs.jsonl`);
    assert((await log()).includes("Error: broken\\n    at"), await log());
    const again = await own();
    assertEquals(again.code, 1);
    assert(again.err.includes("2 of 2 runs have ended before"), again.err);
    const before = (await log()).match(/"t":"start"/g)!.length;
    await Deno.writeTextFile(path, program(""));
    const retried = await own("--retry", "failed", "--accept-changes");
    assertEquals(retried.code, 0, retried.err);
    assertEquals((await log()).match(/"t":"start"/g)!.length, before + 1);
  });
});

Deno.test("a baseline gives a verdict, and a report one page", async () => {
  await inFolder(async (folder) => {
    const page = `${folder}/rank.html`;
    const args = ["rank", "--check", "--baseline", "norm=none", "--report", page];
    const { code, out, err } = await command(...args);
    assertEquals(code, 0, out + err);
    // Five pairs can give no p below 0.0625, whatever they show.
    assert(/^norm=batch +5 .* 0\.0625 \(of 0\.0625 at least\) +too few runs$/m.test(out), out);
    const html = await Deno.readTextFile(page);
    assert(html.includes("<svg") && html.includes("Content-Security-Policy"), html.slice(0, 300));
    // The command of a row runs that row alone.
    const again = /deno task experiment (rank --seeds 3 --where norm=none)/.exec(html)![1];
    const row = await command(...again.split(" "), "--dry-run", "--out", folder);
    assertEquals(row.out.match(/norm none, .* [012]$/gm)?.length, 3, row.out);
    const wrong = await command("rank", "--check", "--baseline", "norm=group");
    assertEquals(wrong.code, 2, wrong.err);
    assert(/Cannot compare: got a baseline/.test(wrong.err), wrong.err);
  });
});

for (const name of ["scale-invariance", "gradient-explosion", "rank"]) {
  Deno.test(`${name} --quick holds what it claims`, async () => {
    const { code, out, err } = await command(name, "--check", "--quick");
    assertEquals(code, 0, out + err);
    assert(out.includes("✓") && !out.includes("✗"), out);
  });
}

Deno.test("--live serves a page that stops the runs as Ctrl-C does, and the same command goes on", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/own.ts`;
    await Deno.writeTextFile(
      path,
      program(
        `for (let step = 0; step < 300; step++) {
          const end = performance.now() + 5;
          while (performance.now() < end);
          yield { step, metrics: { m: step } };
        }`,
      ),
    );
    const args = ["run", "--no-check", "-A", path, "--out", `${folder}/runs`];
    const process = new Deno.Command(Deno.execPath(), {
      args: [...args, "--live"],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let said = "";
    const stopped: Promise<Response>[] = [];
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      const address = /http:\S+/.exec(said);
      if (address === null || stopped.length > 0) continue;
      const { origin, hash } = new URL(address[0]);
      const headers = { "x-tapegrad-token": hash.slice(1) };
      stopped.push(fetch(`${origin}/control`, { method: "POST", headers, body: "stop" }));
    }
    const [response] = await Promise.all(stopped);
    assertEquals([response.status, await response.json()], [200, { state: "stopping" }]);
    assertEquals((await process.status).code, 130, said);
    assert(said.includes("The same command goes on"), said);
    const again = await deno(args);
    assertEquals(again.code, 0, again.err);
  });
});
