/**
 * Files that other tools read and write: weights as safetensors, PyTorch's `.pt` and NumPy's `.npz`;
 * models as ONNX; checkpoints from which training goes on bit for bit; data as IDX, CSV and PNG.
 *
 * Everything that takes bytes runs in a browser too. What takes a path needs Deno, Node or Bun. A file is
 * written whole or not at all, and nothing that a file says is believed unchecked.
 *
 * @example
 * ```ts
 * import { loadSafetensors, saveSafetensors } from "@tapegrad/tapegrad/io";
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * const layer = new nn.BatchNorm1d(3);
 * await saveSafetensors(path, layer.stateDict());
 * new nn.BatchNorm1d(3).loadStateDict(await loadSafetensors(path));
 * assertEquals((await loadSafetensors(path)).dtypes.get("num_batches_tracked"), "I64");
 * await Deno.remove(path);
 * ```
 *
 * @module
 */
export {
  type CheckpointContent,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  type LoadedCheckpoint,
  type Optimizing,
  type Run,
  saveCheckpoint,
  type Scheduling,
} from "./checkpoint.ts";
export type { DtypeName } from "./dtype.ts";
export type { DtypeOptions, FloatDtype } from "./encode_values.ts";
export { OpaqueValue, type PickleKey, type PickleMap, type PickleValue } from "./pickle/values.ts";
export { decodeNpy, encodeNpy, loadNpy, type NpyOptions, saveNpy } from "./numpy/npy.ts";
export { decodeNpz, encodeNpz, loadNpz, type NpzOptions, saveNpz } from "./numpy/npz.ts";
export { encodeOnnx, type OnnxOptions, saveOnnx } from "./onnx/export.ts";
export type { NamedTensors } from "./named_tensors.ts";
export { decodePng, loadPng } from "./data/png.ts";
export {
  decodeState,
  inspect,
  type Inspected,
  type InspectedTensor,
  loadState,
  type LoadStateOptions,
} from "./state.ts";
export { decodeTorch, loadTorch } from "./torch/read.ts";
export { encodeTorch, saveTorch, type TorchOptions, type TorchValue } from "./torch/write.ts";
export { type CsvOptions, loadCsv, parseCsv, type Table } from "./data/csv.ts";
export { gunzip, isGzip } from "./archive/gzip.ts";
export { type ByteArray, loadIdx, parseIdx } from "./data/idx.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  LoadedTensors,
  loadSafetensors,
  type NameOptions,
  type SafetensorsOptions,
  saveSafetensors,
} from "./safetensors.ts";
