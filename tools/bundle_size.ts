/**
 * Bundles the library for browsers, minified, and tells how large that is.
 *
 *     deno task bundle:size [--out FOLDER]
 *
 * Three bundles: everything; everything but the WebAssembly kernels, which then run in plain
 * TypeScript; and a small program that trains one layer.
 *
 * @module
 */
import { bundle as bundleModule } from "../scope/lab/bundle.ts";
import { commandLine, place } from "./command_line.ts";

const root = new URL("../", import.meta.url);

/** What a page trains that is as small as it can be, each part imported from its own entry. */
const SMALL_PROGRAM = `
import { tensor } from "${new URL("autograd/mod.ts", root)}";
import { BatchNorm1d } from "${new URL("nn/mod.ts", root)}";
import { SGD } from "${new URL("optim/mod.ts", root)}";

const layer = new BatchNorm1d(2);
const sgd = new SGD(layer.parameters(), { lr: 0.1 });
layer.forward(tensor([[1, 2], [3, 5]])).square().sum().backward();
sgd.step();
console.log(layer.weight.toArray(), layer.runningMean.toArray());
`;

/** What is bundled. */
export interface Bundled {
  readonly name: string;
  /** A small program in the place of the whole library. */
  readonly isSmall?: boolean;
  /** Whether the WebAssembly kernels are in it. */
  readonly kernels: boolean;
  /** What a visitor's browser may have to load, compressed, in kilobytes. */
  readonly limit: number;
}

/** The bundles that are measured. */
export const BUNDLES: readonly Bundled[] = [
  { name: "everything", kernels: true, limit: 130 },
  { name: "without kernels", kernels: false, limit: 112 },
  { name: "small program", isSmall: true, kernels: true, limit: 73 },
];

/** The generated module without the kernels' bytes: there is nothing to unpack, so plain ones run. */
async function withoutKernels(generated: URL): Promise<string> {
  const text = await Deno.readTextFile(generated);
  const without = text.replaceAll(/"[A-Za-z0-9+/=]{1000,}"/g, '""');
  if (without === text) {
    throw new Error("Cannot leave out the kernels: got no bytes in their module");
  }
  return without;
}

/** One minified module for browsers. */
export async function bundle(
  { isSmall = false, kernels }: Pick<Bundled, "isSmall" | "kernels">,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-size-" });
  try {
    let map: string | null = null;
    if (!kernels) {
      const stub = `${folder}/no_kernels.ts`;
      map = `${folder}/import_map.json`;
      const generated = new URL("autograd/runtime/module.ts", root);
      await Deno.writeTextFile(stub, await withoutKernels(generated));
      const imports = { [generated.href]: `file://${stub}` };
      await Deno.writeTextFile(map, JSON.stringify({ imports }));
    }
    let entry = new URL("mod.ts", root).pathname;
    if (isSmall) {
      entry = `${folder}/program.ts`;
      await Deno.writeTextFile(entry, SMALL_PROGRAM);
    }
    return await bundleModule(entry, map);
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
  const { out } = commandLine("bundle:size", {
    out: place("FOLDER", "keep the bundles there, and overwrite earlier ones"),
  });
  if (out !== null) await Deno.mkdir(out, { recursive: true });
  let isTooLarge = false;
  for (const bundled of BUNDLES) {
    const { name, limit } = bundled;
    const text = await bundle(bundled);
    const { raw, gzip } = await sizes(text);
    const isOver = gzip > limit * 1000;
    isTooLarge ||= isOver;
    console.log(
      `${name.padEnd(16)} ${kilobytes(raw).padStart(9)} minified, ${kilobytes(gzip).padStart(9)} ` +
        `compressed, ${isOver ? "more than" : "at most"} ${limit} asked`,
    );
    if (out !== null) await Deno.writeTextFile(`${out}/${name.replaceAll(" ", "-")}.js`, text);
  }
  if (isTooLarge) Deno.exit(1);
}
