import { assert } from "@std/assert";

Deno.test("the figure of the guide is what its script draws from what was measured", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "bench/distributed/figure.ts", "--check"],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
