/**
 * Preloaded by a run of other tests, puts the kernels named by the environment variable
 * `TAPEGRAD_KERNELS` in force for tensors of every size, so that small samples reach them too:
 *
 *     TAPEGRAD_KERNELS=simd deno test --preload tests/kernels/backend.ts tests/oracle
 */
import { setPooledFrom } from "../../autograd/kernels/memory.ts";
import { type Build, setSmallest, useBuild } from "../../autograd/kernels/wasm/instance.ts";

const build = Deno.env.get("TAPEGRAD_KERNELS");
if (build !== undefined) {
  useBuild(build as Build);
  setPooledFrom(1);
  setSmallest(0);
}
