/**
 * The weights of a model from any file that holds them.
 */
import { Tensor } from "../autograd/mod.ts";
import { assertOptions } from "../autograd/internal.ts";
import { StateDict } from "../nn/module/state_dict.ts";
import { quote } from "./errors.ts";
import { type ByteSource, withFile } from "./file.ts";
import { readNpz } from "./npz.ts";
import { readSafetensors } from "./safetensors.ts";
import { readTorch } from "./torch/read.ts";
import { isZip, readZip } from "./zip_reader.ts";

/** Which part of a file is meant. */
export interface LoadStateOptions {
  /** The entry of a `.pt` checkpoint that holds the weights; found by its usual names if left out. */
  readonly key?: string;
}

/** What checkpoints call the weights. */
const USUAL_KEYS = ["model", "model_state_dict", "state_dict", "net", "weights"];

/**
 * Reads the weights of a model: safetensors, `.npz`, or PyTorch's `.pt`, told apart by their content.
 * In a checkpoint the weights are looked for under `model`, `model_state_dict` and `state_dict`.
 *
 * @param path The file.
 * @param options `key` names the entry of a checkpoint that holds the weights.
 * @returns The tensors by name, for `model.loadStateDict`.
 * @throws {RangeError} if the file is damaged or holds no tensors by name.
 *
 * @example
 * ```ts
 * import { loadState, saveTorch } from "@tapegrad/tapegrad/io";
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * const layer = new nn.Linear(2, 3);
 * await saveTorch(path, { epoch: 7, model: layer.stateDict() });
 * assertEquals((await loadState(path)).get("weight")!.shape, [3, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function loadState(
  path: string,
  options: LoadStateOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  assertOptions("load a state", options, ["key"]);
  return await withFile(path, async (source) => {
    const first = new Uint8Array(Math.min(4, source.size));
    await source.read(0, first);
    if (isZip(first)) {
      const names = [...(await readZip(source)).keys()];
      if (names.every((name) => name.endsWith(".npy"))) return await readNpz(source, {});
      return await readWeights(source, options);
    }
    // A safetensors file begins with a length, and its eighth byte is 0.
    return first[0] === 0x80 && first[1] <= 5 && first[2] !== 0
      ? await readWeights(source, options)
      : await readSafetensors(source);
  });
}

async function readWeights(source: ByteSource, { key }: LoadStateOptions): Promise<StateDict> {
  const loaded = await readTorch(source);
  const candidates = key === undefined
    ? [loaded, ...USUAL_KEYS.map((name) => loaded instanceof Map ? loaded.get(name) : undefined)]
    : [loaded instanceof Map ? loaded.get(key) : undefined];
  for (const candidate of candidates) {
    const state = asStateDict(candidate);
    if (state !== null) return state;
  }
  const where = key === undefined
    ? `at its top or under ${USUAL_KEYS.join(", ")}`
    : `under ${quote(key)}`;
  throw new RangeError(
    `Cannot read ${source.name}: got no tensors by name ${where}, expected a state dict`,
  );
}

/** A value as a state dict, `null` if it is none. */
export function asStateDict(value: unknown): StateDict | null {
  if (!(value instanceof Map) || value.size === 0) return null;
  for (const [key, tensor] of value as Map<unknown, unknown>) {
    if (typeof key !== "string" || !(tensor instanceof Tensor)) return null;
  }
  if (value instanceof StateDict) return value;
  const state = new StateDict();
  for (const [key, tensor] of value as Map<string, Tensor>) state.set(key, tensor);
  return state;
}
