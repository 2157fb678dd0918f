/**
 * Preloaded by a run of other tests, puts the kernels named by the environment variable
 * `TAPEGRAD_KERNELS` in force (`plain`, `simd`, `relaxed`, `threads` or `blas`) for tensors of every size, so that
 * small samples reach them too:
 *
 *     TAPEGRAD_KERNELS=simd deno test --preload tests/kernels/backend.ts tests/oracle
 */
import { setThreads, useBlas } from "../../autograd/runtime/control.ts";
import { setPooledFrom } from "../../autograd/runtime/memory.ts";
import { type Build, setSmallest, useBuild } from "../../autograd/runtime/instance.ts";

const name = Deno.env.get("TAPEGRAD_KERNELS");
if (name !== undefined) {
  if (name === "threads") await setThreads(2);
  else if (name === "blas") useBlas();
  else useBuild(name as Build);
  setPooledFrom(1);
  setSmallest(0);
}
