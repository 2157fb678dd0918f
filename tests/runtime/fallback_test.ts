import { assert, assertEquals } from "@std/assert";

async function run(missing: string): Promise<{ kernels: string; losses: number[] }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-ffi=/nowhere",
      new URL("fallback.ts", import.meta.url).pathname,
      missing,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

for (
  const [missing, kernels] of [
    ["everything", "plain"],
    ["simd", "plain"],
    ["relaxed simd", "simd"],
    ["shared memory", "plain"],
    ["compilation", "plain"],
    ["compilation at once", "relaxed"],
    ["all but 64 MiB", "relaxed"],
    ["all but 64 MiB before plain kernels", "relaxed"],
  ]
) {
  Deno.test(`without ${missing} of WebAssembly training goes on with ${kernels} kernels`, async () => {
    const all = await run("nothing");
    const less = await run(missing);
    assertEquals(less.kernels, kernels);
    less.losses.forEach((loss, i) => {
      assert(
        Math.abs(loss - all.losses[i]) < 1e-12,
        `loss ${i}: ${loss}, with all ${all.losses[i]}`,
      );
    });
  });
}

Deno.test("threads start also where nothing has asked for a kernel before", async () => {
  const url = new URL("../../mod.ts", import.meta.url).href;
  const program = `import { kernels } from ${JSON.stringify(url)};
await kernels.setThreads(2);
console.log(kernels.info().threads);
await kernels.setThreads(1);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", program],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "2\n", new TextDecoder().decode(stderr));
});
