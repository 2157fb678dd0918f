/**
 * Everything of `io` that works on bytes: for pages, workers and servers that get their files elsewhere.
 * No file system is needed, and bundlers for browsers take it as it is.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from "@tapegrad/tapegrad/io/bytes";
 * import { nn } from "@tapegrad/tapegrad";
 *
 * const layer = new nn.Linear(2, 3);
 * const bytes = encodeSafetensors(layer);
 * new nn.Linear(2, 3).loadStateDict(decodeSafetensors(bytes));
 * ```
 *
 * @module
 */
export {
  type CheckpointContent,
  encodeCheckpoint,
  type LoadedCheckpoint,
  type Optimizing,
  type Run,
  type Scheduling,
} from "./checkpoint.ts";
export type { DtypeName } from "./dtype.ts";
export type { DtypeOptions, FloatDtype } from "./encode_values.ts";
export { OpaqueValue, type PickleKey, type PickleMap, type PickleValue } from "./pickle/values.ts";
export { decodeNpy, encodeNpy, type NpyOptions } from "./numpy/npy.ts";
export { decodeNpz, encodeNpz, type NpzOptions } from "./numpy/npz.ts";
export { encodeOnnx, type OnnxOptions } from "./onnx/export.ts";
export type { NamedTensors } from "./named_tensors.ts";
export { decodePng } from "./data/png.ts";
export {
  decodeState,
  inspect,
  type Inspected,
  type InspectedTensor,
  type LoadStateOptions,
} from "./state.ts";
export { decodeTorch } from "./torch/read.ts";
export { encodeTorch, type TorchOptions, type TorchValue } from "./torch/write.ts";
export { type CsvOptions, parseCsv, type Table } from "./data/csv.ts";
export { gunzip, isGzip } from "./archive/gzip.ts";
export { type ByteArray, parseIdx } from "./data/idx.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  LoadedTensors,
  type NameOptions,
  type SafetensorsOptions,
} from "./safetensors.ts";
