/**
 * Compiles the AssemblyScript kernels twice, with relaxed-SIMD fused multiply-add and with plain SIMD128,
 * and writes both, in one, as base64 into a TypeScript module that loads everywhere.
 *
 *     deno task build:kernels
 *
 * The output depends on the sources and the pinned compiler only; a test rebuilds and compares it.
 *
 * @module
 */

import asc from "npm:assemblyscript@0.28.20/asc";
import lzma from "npm:lzma@2.3.2";
import { ADD, FUSED, MULTIPLY, NOTHING, takeApart, unpack } from "../autograd/runtime/unpack.ts";
import { commandLine } from "./command_line.ts";

const sources = new URL("../autograd/kernels/assembly/", import.meta.url);
const artifact = new URL("../autograd/runtime/module.ts", import.meta.url);

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

/** Where the bodies of a module's functions begin and end. */
function bodies(bytes: Uint8Array): [start: number, end: number][] {
  const found: [number, number][] = [];
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
        const size = number();
        found.push([at, at + size]);
        at += size;
      }
    }
    at = end;
  }
  return found;
}

/**
 * The plain build with its multiplications and additions fused where the relaxed build has them so, in
 * a form from which `takeApart` makes the plain build again: one build to ship instead of two. In the
 * place of a multiplication stands an instruction that does nothing.
 */
export function fuse(plain: Uint8Array, relaxed: Uint8Array): Uint8Array<ArrayBuffer> {
  const fused = plain.slice();
  const has = (bytes: Uint8Array, at: number, instruction: readonly number[]): boolean =>
    instruction.every((byte, i) => bytes[at + i] === byte);
  const relaxedBodies = bodies(relaxed);
  bodies(plain).forEach(([start, end], which) => {
    let [at] = relaxedBodies[which];
    for (let i = start; i < end;) {
      if (has(plain, i, ADD) && has(relaxed, at, FUSED)) {
        fused.set(FUSED, i);
        i += 3;
        at += 3;
      } else if (has(plain, i, MULTIPLY) && !has(relaxed, at, MULTIPLY)) {
        fused.set(NOTHING, i);
        i += 3;
      } else if (plain[i++] !== relaxed[at++]) {
        throw new Error(
          `Cannot fuse function ${which}: got builds that differ in more than multiply-add`,
        );
      }
    }
    if (at !== relaxedBodies[which][1]) {
      throw new Error(
        `Cannot fuse function ${which}: got a relaxed build with more behind its end`,
      );
    }
  });
  const apart = takeApart(fused);
  if (!plain.every((byte, i) => byte === apart[i])) {
    throw new Error("Cannot fuse the kernels: got a plain build that has the marks by chance");
  }
  return fused;
}

/** What `unpack` of autograd/runtime unpacks: LZMA without the header that says how. */
export function pack(bytes: Uint8Array): Uint8Array {
  const HEADER = 13;
  const USUAL_SETTINGS = 0x5d;
  const packed = Uint8Array.from(lzma.compress([...bytes], 9));
  if (packed[0] !== USUAL_SETTINGS) {
    throw new Error(
      `Cannot pack the kernels: got settings ${packed[0]}, expected ${USUAL_SETTINGS}`,
    );
  }
  const stream = packed.slice(HEADER);
  if (!unpack(stream, bytes.length).every((byte, i) => byte === bytes[i])) {
    throw new Error("Cannot pack the kernels: got other bytes when they were unpacked");
  }
  return stream;
}

/** The text of the generated TypeScript module. */
export async function generateModule(): Promise<string> {
  const relaxed = await compileKernels(true);
  const plain = await compileKernels(false);
  const names = WebAssembly.Module.exports(new WebAssembly.Module(plain.slice()))
    .filter(({ kind }) => kind === "function").map(({ name }) => name).sort();
  const fused = fuse(plain, relaxed);
  const packed = pack(fused);
  return `// Generated from kernels/assembly/ by tools/build_kernels.ts; do not edit.
// deno-fmt-ignore-file

/**
 * The kernels with relaxed-SIMD fused multiply-add, packed, as base64. Taken apart they are the build
 * with plain SIMD128, whose results are the same on every machine.
 */
export const packedKernels: string = "${packed.toBase64()}";

/** How many bytes that are, unpacked. */
export const unpackedBytes = ${fused.length};

/** What the builds export. */
export type KernelName =
  | ${names.map((name) => JSON.stringify(name)).join("\n  | ")};
`;
}

if (import.meta.main) {
  commandLine("build:kernels", {});
  const contents = await generateModule();
  await Deno.writeTextFile(artifact, contents);
  console.log(`${artifact.pathname}: ${(contents.length / 1024).toFixed(1)} KiB`);
}
