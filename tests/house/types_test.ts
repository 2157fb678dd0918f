import { assert } from "@std/assert";
import { settings } from "./package.ts";

Deno.test("a strict user's program compiles, and wrong calls do not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-types-" });
  try {
    const flags = {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noPropertyAccessFromIndexSignature: true,
      noUnusedLocals: true,
      noImplicitReturns: true,
    };
    const { imports } = settings as unknown as { imports: Record<string, string> };
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ compilerOptions: flags, imports, lock: false }),
    );
    const program = new URL("strict_program.ts", import.meta.url);
    const root = new URL("../../mod.ts", import.meta.url).href;
    const text = (await Deno.readTextFile(program)).replace("../../mod.ts", root);
    await Deno.writeTextFile(`${folder}/program.ts`, text);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", `${folder}/deno.json`, `${folder}/program.ts`],
      env: { NO_COLOR: "1" },
    }).output();
    // The library's own files are checked under its own flags; here only what the program sees counts.
    const errors = new TextDecoder().decode(stderr).split(/\n(?=TS\d+)/)
      .filter((error) => error.includes("/program.ts:"));
    assert(success || errors.length === 0, errors.join("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
