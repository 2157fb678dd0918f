/**
 * Reading a large safetensors file against reading its bytes alone.
 *
 * @module
 */
import { randn } from "../mod.ts";
import { loadSafetensors, saveSafetensors } from "../io/mod.ts";

const TENSORS = 6;
const VALUES = 2 ** 21;

let made: Promise<string> | null = null;

/** The path of the file, which is there until the program ends. */
function file(): Promise<string> {
  return made ??= (async () => {
    const path = await Deno.makeTempFile();
    globalThis.addEventListener("unload", () => Deno.removeSync(path));
    const state = Array.from({ length: TENSORS }, (_, i) => [`w${i}`, randn([VALUES])] as const);
    await saveSafetensors(path, new Map(state));
    return path;
  })();
}

for (const [name, read] of Object.entries({ "bytes alone": Deno.readFile, loadSafetensors })) {
  Deno.bench({
    name: `read 100 MB, ${name}`,
    group: "read 100 MB",
    baseline: name === "bytes alone",
    async fn() {
      await read(await file());
    },
  });
}
