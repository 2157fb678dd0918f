import { assert, assertStringIncludes } from "@std/assert";

Deno.test("the main job asks for reading its data only", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read=examples/data",
      "examples/train_digits.ts",
      "--epochs=1",
    ],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  assertStringIncludes(new TextDecoder().decode(stdout), "Test accuracy");
});
