/**
 * Tapegrad as a peer: `--threads N`, `--blas`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { offered, prepare } from "../../work.ts";
import { type Adapter, serve, TOLERANCE, Unsupported } from "../protocol.ts";

/** Calls a function that this version may not have. */
async function call(name: string, ...args: unknown[]): Promise<void> {
  const found = offered(name);
  if (found === null) throw new Unsupported(`this version has no ${name}`);
  await found(...args);
}

async function start(): Promise<Adapter> {
  const { values } = parseArgs({
    options: { threads: { type: "string" }, blas: { type: "boolean", default: false } },
  });
  if (values.threads !== undefined) await call("setThreads", Number(values.threads));
  if (values.blas) await call("useBlas");
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const info = offered("info")?.() as { kernels?: string; threads?: number } | undefined;
  const active = info === undefined ? "" : `, ${info.kernels} kernels, threads: ${info.threads}`;
  return {
    version: `${version}, Deno ${Deno.version.deno}${active}`,
    dtype: "float64",
    tolerance: TOLERANCE.float64,
    prepare,
  };
}

await serve(start);
