/**
 * Tapegrad as a peer: `--threads N`, `--blas`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { kernels } from "../../../mod.ts";
import { prepare } from "../../work.ts";
import { type Adapter, serve, TOLERANCE } from "../protocol.ts";

async function start(): Promise<Adapter> {
  const { values } = parseArgs({
    options: { threads: { type: "string" }, blas: { type: "boolean", default: false } },
  });
  if (values.threads !== undefined) await kernels.setThreads(Number(values.threads));
  if (values.blas) kernels.useBlas();
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const info = kernels.info();
  return {
    version: `${version}, Deno ${Deno.version.deno}, ` +
      `${info.kernels} kernels, threads: ${info.threads}`,
    dtype: "float64",
    tolerance: TOLERANCE.float64,
    prepare,
  };
}

await serve(start);
