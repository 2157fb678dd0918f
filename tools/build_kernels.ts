/**
 * Compiles the AssemblyScript kernels twice, with relaxed-SIMD fused multiply-add and with plain SIMD128,
 * and writes both as base64 into one TypeScript module that loads everywhere.
 *
 *     deno task build:kernels
 *
 * The output depends on the sources and the pinned compiler only; a test rebuilds and compares it.
 *
 * @module
 */

import asc from "npm:assemblyscript@0.28.20/asc";
import { deflateSync } from "fflate";

const sources = new URL("../autograd/kernels/wasm/assembly/", import.meta.url);
const artifact = new URL("../autograd/kernels/wasm/module.ts", import.meta.url);

const commonFlags = [
  "index.ts",
  "--outFile",
  "kernels.wasm",
  // Level 2 and up sinks chains of pure operations into one expression, which makes V8 spill the
  // accumulators of an unrolled loop: 17 instead of 26 GFLOP/s. V8 optimises by itself.
  "--optimizeLevel",
  "1",
  "--shrinkLevel",
  "0",
  "--noAssert",
  "--runtime",
  "stub",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory",
  "16",
  "--maximumMemory",
  "65536",
  "--enable",
  "simd",
  "--enable",
  "threads",
];

/** Compiles one build and returns its bytes. */
export async function compileKernels(relaxed: boolean): Promise<Uint8Array> {
  let bytes: Uint8Array | null = null;
  let messages = "";
  const { error } = await asc.main(
    [...commonFlags, ...(relaxed ? ["--enable", "relaxed-simd"] : [])],
    {
      readFile: (name: string) => {
        try {
          return unroll(Deno.readTextFileSync(new URL(name, sources)));
        } catch {
          return null;
        }
      },
      writeFile: (name: string, contents: Uint8Array | string) => {
        if (name === "kernels.wasm" && typeof contents !== "string") bytes = contents;
      },
      listFiles: () => [],
      stderr: { write: (chunk: Uint8Array | string) => void (messages += text(chunk)) },
    },
  );
  if (error !== null || bytes === null) {
    throw new Error(`Cannot compile the kernels: ${error?.message ?? "no output"}\n${messages}`);
  }
  return bytes;
}

/**
 * Repeats the lines between `// unroll(n) $` and `// end` n times with 0, 1, … in place of `$`: the only
 * thing that the sources use and AssemblyScript does not know.
 */
export function unroll(source: string): string {
  return source.replaceAll(
    /^ *\/\/ unroll\((\d+)\) \$\n([^]*?)^ *\/\/ end\n/gm,
    (_, times: string, body: string) =>
      Array.from({ length: Number(times) }, (_, i) => body.replaceAll("$", String(i))).join(""),
  );
}

function text(chunk: Uint8Array | string): string {
  return typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
}

/** Where the functions of a module begin: what stands there differs between the builds by a few bytes. */
function functionStarts(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const CODE = 10;
  while (at < bytes.length) {
    const section = bytes[at++];
    const length = number();
    const end = at + length;
    if (section === CODE) {
      for (let count = number(); count > 0; count--) {
        starts.push(at);
        const size = number();
        at += size;
      }
    }
    at = end;
  }
  return starts;
}

/**
 * Both builds in one array, function by function in turn, so that the compressor sees how alike they are:
 * the number of parts, their lengths (two 16-bit numbers each), and the parts.
 */
function interleave(builds: readonly [Uint8Array, Uint8Array]): Uint8Array {
  const cuts = builds.map((bytes) => [0, ...functionStarts(bytes), bytes.length]);
  const count = cuts[0].length - 1;
  const header = new Uint16Array(1 + 2 * count);
  header[0] = count;
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    builds.forEach((bytes, which) => {
      const part = bytes.subarray(cuts[which][i], cuts[which][i + 1]);
      header[1 + 2 * i + which] = part.length;
      parts.push(part);
    });
  }
  return new Uint8Array([...new Uint8Array(header.buffer), ...parts.flatMap((part) => [...part])]);
}

/** The text of the generated TypeScript module. */
export async function generateModule(): Promise<string> {
  const relaxed = await compileKernels(true);
  const plain = await compileKernels(false);
  const names = WebAssembly.Module.exports(new WebAssembly.Module(plain.slice()))
    .filter(({ kind }) => kind === "function").map(({ name }) => name).sort();
  const packed = deflateSync(interleave([relaxed, plain]), { level: 9 });
  return `// Generated from assembly/ by tools/build_kernels.ts; do not edit.
// deno-fmt-ignore-file

/**
 * Two builds of the kernels, with relaxed-SIMD fused multiply-add and with plain SIMD128, whose results
 * are the same on every machine: function by function in turn, deflated, as base64.
 */
export const packedBuilds: string = "${packed.toBase64()}";

/** What the builds export. */
export type KernelName =
  | ${names.map((name) => JSON.stringify(name)).join("\n  | ")};
`;
}

if (import.meta.main) {
  const contents = await generateModule();
  await Deno.writeTextFile(artifact, contents);
  console.log(`${artifact.pathname}: ${(contents.length / 1024).toFixed(1)} KiB`);
}
