/**
 * Reads PyTorch's recorded results: gzipped JSON lines with tensors, lists and special numbers in them.
 *
 * @module
 */
import { type Tensor, tensor } from "../../autograd/mod.ts";

/** A number as recorded; JSON lacks three of them. */
export type RecordedNumber = number | boolean | "nan" | "inf" | "-inf";

/** A tensor as recorded. */
export interface RecordedTensor {
  tensor: number[];
  dtype: string;
  data: RecordedNumber[];
  grad: boolean;
}

/** Anything that stands as an argument or a result. */
export type Recorded =
  | null
  | boolean
  | number
  | string
  | RecordedTensor
  | { list: Recorded[] }
  | { float: RecordedNumber }
  | { dtype: string };

/** A state dict as recorded. */
export type RecordedState = Record<string, RecordedTensor>;

/** What a recorded argument becomes here. */
export type Value = null | boolean | number | string | Tensor | Value[] | Dtype;

/** A dtype argument. Everything is float64 here, so calls leave it out. */
export class Dtype {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const dtypes = new WeakMap<Tensor, string>();

/** The dtype that a decoded tensor had in PyTorch. */
export function dtypeOf(x: Tensor): string {
  return dtypes.get(x) ?? "float64";
}

/** The recorded values as numbers. */
export function numbers(values: readonly RecordedNumber[]): Float64Array {
  return Float64Array.from(values, (v) => {
    if (v === "nan") return NaN;
    if (v === "inf") return Infinity;
    if (v === "-inf") return -Infinity;
    return Number(v);
  });
}

/** Makes a tensor of a recorded one; `requiresGrad` as recorded unless given. */
export function toTensor(recorded: RecordedTensor, requiresGrad = recorded.grad): Tensor {
  const made = tensor(numbers(recorded.data), { shape: recorded.tensor, requiresGrad });
  dtypes.set(made, recorded.dtype);
  return made;
}

/** Makes the value that a call here takes of a recorded argument. */
export function decode(recorded: Recorded): Value {
  if (typeof recorded !== "object" || recorded === null) return recorded;
  if ("tensor" in recorded) return toTensor(recorded);
  if ("list" in recorded) return recorded.list.map(decode);
  if ("float" in recorded) return numbers([recorded.float])[0];
  return new Dtype(recorded.dtype);
}

/** Makes a state dict, in recorded order. */
export function toState(recorded: RecordedState): Map<string, Tensor> {
  return new Map(Object.entries(recorded).map(([key, value]) => [key, toTensor(value, false)]));
}

/** Where the recorded results lie that belong to the package. */
export const ownData: URL = new URL("data/", import.meta.url);

/** Reads one file of cases. */
export async function readCases<Case>(name: string, folder: URL = ownData): Promise<Case[]> {
  const { body } = await fetch(new URL(`${name}-dev.jsonl.gz`, folder));
  const text = await new Response(body!.pipeThrough(new DecompressionStream("gzip"))).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line) as Case);
}
