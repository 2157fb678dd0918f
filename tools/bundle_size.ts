/**
 * Bundles the library for browsers, minified, and tells how large that is.
 *
 *     deno task bundle:size [--limit KILOBYTES] [--out FOLDER]
 *
 * Two bundles: everything, and everything but the WebAssembly kernels, which then run in plain
 * TypeScript.
 *
 * @module
 */
import { parseArgs } from "node:util";

const root = new URL("../", import.meta.url);

/** What a visitor's browser may have to load for the whole library, compressed, in kilobytes. */
export const LIMIT = 138;

/** The generated module without the kernels' bytes: there is nothing to unpack, so plain ones run. */
async function withoutKernels(generated: URL): Promise<string> {
  const text = await Deno.readTextFile(generated);
  const without = text.replaceAll(/"[A-Za-z0-9+/=]{1000,}"/g, '""');
  if (without === text) {
    throw new Error("Cannot leave out the kernels: got no bytes in their module");
  }
  return without;
}

/** The whole library as one minified module for browsers. */
export async function bundle(options: { readonly kernels: boolean }): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-bundle-" });
  try {
    const args = ["bundle", "--quiet", "--platform=browser", "--minify"];
    if (!options.kernels) {
      const stub = `${folder}/no_kernels.ts`;
      const map = `${folder}/import_map.json`;
      const generated = new URL("autograd/runtime/module.ts", root);
      await Deno.writeTextFile(stub, await withoutKernels(generated));
      const imports = { [generated.href]: `file://${stub}` };
      await Deno.writeTextFile(map, JSON.stringify({ imports }));
      args.push(`--import-map=${map}`);
    }
    const output = `${folder}/tapegrad.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, `--output=${output}`, new URL("mod.ts", root).pathname],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    if (!success) throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The bytes of a text, and those that travel when it is compressed. */
export async function sizes(text: string): Promise<{ raw: number; gzip: number }> {
  const bytes = new TextEncoder().encode(text);
  const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return { raw: bytes.length, gzip: (await new Response(compressed).arrayBuffer()).byteLength };
}

/** As file sizes are told: 1 kB is 1000 bytes. */
function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { limit: { type: "string", default: String(LIMIT) }, out: { type: "string" } },
  });
  const limit = Number(values.limit);
  let largest = 0;
  for (const kernels of [true, false]) {
    const text = await bundle({ kernels });
    const { raw, gzip } = await sizes(text);
    const name = kernels ? "with kernels" : "without kernels";
    console.log(`${name.padEnd(16)} ${kilobytes(raw)} minified, ${kilobytes(gzip)} compressed`);
    largest = Math.max(largest, gzip);
    if (values.out !== undefined) {
      await Deno.mkdir(values.out, { recursive: true });
      await Deno.writeTextFile(`${values.out}/tapegrad${kernels ? "" : "-plain"}.js`, text);
    }
  }
  if (largest > limit * 1000) {
    console.error(`Cannot accept the bundle: got ${kilobytes(largest)}, expected at most ${limit}`);
    Deno.exit(1);
  }
}
