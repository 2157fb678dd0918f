/**
 * Models as ONNX: the forward is run once, and every call of a primitive on the way becomes nodes.
 */
import { cat, type Input, noGrad, type Shape, Tensor } from "../../autograd/mod.ts";
import {
  assertIterable,
  assertList,
  assertOptions,
  assertTensor,
  describe,
  formatShape,
  setInspector,
  type Storage,
  storageOf,
  valuesOf,
} from "../../autograd/internal.ts";
import { assertModule } from "../../nn/module/arguments.ts";
import { keepingModes } from "../../nn/module/keeping_modes.ts";
import type { Module } from "../../nn/module/module.ts";
import { assertFloatDtype, type FloatDtype } from "../encode_values.ts";
import { writeWhole } from "../file.ts";
import { type Call, type Converter, NoCounterpart } from "./converter.ts";
import { elementwise } from "./elementwise.ts";
import { Graph, type Port } from "./graph.ts";
import { layers } from "./layers.ts";
import { pooling } from "./pooling.ts";
import { shapes } from "./shapes.ts";

/** How a model is written. */
export interface OnnxOptions {
  /** The type of all values: `"F32"`, for which runtimes are made, or `"F64"`, where left out. */
  readonly dtype?: FloatDtype;
  /** The names of the inputs; `input` or `input_0`, `input_1`, … where left out. */
  readonly inputNames?: readonly string[];
  /** The names of the outputs; `output` or `output_0`, … where left out. */
  readonly outputNames?: readonly string[];
}

const CONVERTERS: Readonly<Record<string, Converter>> = {
  ...elementwise,
  ...shapes,
  ...layers,
  ...pooling,
};

/**
 * Writes a model as ONNX, whole or not at all; see {@linkcode encodeOnnx}.
 *
 * @param path The file; what was there is replaced.
 * @param model The model.
 * @param inputs An example of its input, or of its inputs.
 * @param options As of {@linkcode encodeOnnx}.
 * @throws {TypeError} if the model calls an operation that ONNX has no counterpart for.
 */
export async function saveOnnx(
  path: string,
  model: Module,
  inputs: Tensor | readonly Tensor[],
  options: OnnxOptions = {},
): Promise<void> {
  await writeWhole(path, [encodeOnnx(model, inputs, options)]);
}

/**
 * A model in evaluation mode as an ONNX file (operator set 17).
 *
 * The forward is run on an example and every operation is written down as it comes, so any model can be
 * exported whose forward does the same for every input. Parameters and buffers keep their names. The size
 * of the first axis stays open (`batch`) where the example shows that nothing depends on it.
 *
 * In float64 a convolution and an average pooling are written in the operations that ONNX Runtime has for
 * float64; `Erf` (GELU) and `ConvTranspose` it has for float32 alone.
 *
 * @param model The model; its modes and statistics are left as they are.
 * @param inputs An example of its input, or of its inputs, whose values do not matter.
 * @param options `dtype`, `inputNames`, `outputNames`.
 * @returns The file.
 * @throws {TypeError} if the model calls an operation that ONNX has no counterpart for, or does not
 * return tensors.
 *
 * @example
 * ```ts
 * import { encodeOnnx } from "@tapegrad/tapegrad/io";
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const model = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU());
 * assert(encodeOnnx(model, zeros([1, 4]), { dtype: "F32" }).length > 100);
 * ```
 */
export function encodeOnnx(
  model: Module,
  inputs: Tensor | readonly Tensor[],
  options: OnnxOptions = {},
): Uint8Array<ArrayBuffer> {
  assertOptions("export to ONNX", options, ["dtype", "inputNames", "outputNames"]);
  assertModule("export to ONNX", "model", model);
  assertFloatDtype("export to ONNX", options.dtype ?? "F64");
  for (const key of ["inputNames", "outputNames"] as const) {
    const names = options[key];
    if (names === undefined) continue;
    assertList("export to ONNX", names, key, "names");
    const wrong = names.find((name) => typeof name !== "string");
    if (wrong !== undefined) {
      throw new TypeError(
        `Cannot export to ONNX: got ${describe(wrong)} in ${key}, expected names as texts`,
      );
    }
  }
  if (!(inputs instanceof Tensor)) assertIterable("export to ONNX", inputs, "inputs", "Tensors");
  const examples = inputs instanceof Tensor ? [inputs] : [...inputs];
  examples.forEach((x, i) => assertTensor("export to ONNX", x, `inputs[${i}]`));
  return keepingModes(model, () => {
    model.eval();
    const written = new Recording(model, examples, options).run();
    const isOpen = dependsOnNoBatch(model, examples, options, written);
    const ports = (list: readonly NamedShape[]): Port[] =>
      list.map(({ name, shape }) => ({
        name,
        shape: isOpen && shape.length > 0 ? ["batch", ...shape.slice(1)] : shape,
      }));
    return written.graph.model(ports(written.inputs), ports(written.outputs));
  });
}

interface NamedShape {
  readonly name: string;
  readonly shape: Shape;
}

interface Written {
  readonly graph: Graph;
  readonly inputs: readonly NamedShape[];
  readonly outputs: readonly NamedShape[];
}

/** Whether twice the batch gives the same graph, and twice the outputs. */
function dependsOnNoBatch(
  model: Module,
  examples: readonly Tensor[],
  options: OnnxOptions,
  written: Written,
): boolean {
  if (examples.some((x) => x.ndim === 0 || x.shape[0] !== examples[0].shape[0])) return false;
  try {
    const twice = examples.map((x) => noGrad(() => cat([x, x], { dim: 0 })));
    const other = new Recording(model, twice, options).run();
    const isDouble = other.outputs.every(({ shape }, i) =>
      shape.length > 0 && shape[0] === 2 * written.outputs[i].shape[0]
    );
    const [a, b] = [written.graph.body().finish(), other.graph.body().finish()];
    return isDouble && a.length === b.length && a.every((byte, i) => byte === b[i]);
  } catch {
    return false;
  }
}

/** One run of the forward. */
class Recording {
  readonly #graph: Graph;
  readonly #names = new Map<Tensor, string | null>();
  /** What shares its values with a tensor (a detached one, say) stands for it. */
  readonly #byStorage = new Map<Storage, Tensor>();
  readonly #constants = new Map<Storage, NamedShape>();
  readonly #parameters = new Map<Storage, string>();
  #failure: unknown = null;

  readonly model: Module;
  readonly examples: readonly Tensor[];
  readonly options: OnnxOptions;

  constructor(model: Module, examples: readonly Tensor[], options: OnnxOptions) {
    this.model = model;
    this.examples = examples;
    this.options = options;
    this.#graph = new Graph(options.dtype ?? "F64");
    const named = [...model.namedParameters(), ...model.namedBuffers()];
    for (const [name, value] of named) this.#parameters.set(storageOf(value), name);
  }

  run(): Written {
    const { examples, options } = this;
    const inputs = examples.map((x, i) => {
      const name = options.inputNames?.[i] ?? (examples.length === 1 ? "input" : `input_${i}`);
      const own = new Tensor({ values: valuesOf(x).slice(), version: 0 }, x.shape);
      this.#name(own, this.#graph.unique(name));
      return own;
    });
    const before = setInspector({
      forward: (primitive, given, outputs, _node, attrs) =>
        this.#record(primitive.name, given, outputs, attrs),
      backward: () => {},
    });
    let result: unknown;
    try {
      result = noGrad(() => this.model.forward(...inputs));
    } finally {
      setInspector(before);
    }
    if (this.#failure !== null) throw this.#failure;
    const results: unknown[] = Array.isArray(result) ? result : [result];
    const outputs = results.map((y, i): NamedShape => {
      if (!(y instanceof Tensor)) {
        throw new TypeError(
          `Cannot export to ONNX: got ${describe(y)} from the model, expected tensors`,
        );
      }
      const wanted = options.outputNames?.[i] ?? (results.length === 1 ? "output" : `output_${i}`);
      const name = this.#graph.unique(wanted);
      this.#graph.alias(this.#nameOfResult(y), name);
      return { name, shape: y.shape };
    });
    const named = inputs.map((x) => ({ name: this.#names.get(x)!, shape: x.shape }));
    return { graph: this.#graph, inputs: named, outputs };
  }

  #name(tensor: Tensor, name: string | null): void {
    this.#names.set(tensor, name);
    if (!this.#byStorage.has(storageOf(tensor))) this.#byStorage.set(storageOf(tensor), tensor);
  }

  #isComputed(tensor: Input): boolean {
    return tensor !== null && this.#byStorage.has(storageOf(tensor));
  }

  #record(
    primitive: string,
    inputs: readonly Input[],
    outputs: readonly Tensor[],
    attrs: unknown,
  ): void {
    // What depends on no input is a constant, and its value is all that matters.
    if (this.#failure !== null || !inputs.some((input) => this.#isComputed(input))) return;
    try {
      const converter = Object.hasOwn(CONVERTERS, primitive) ? CONVERTERS[primitive] : undefined;
      if (converter === undefined) throw new NoCounterpart("");
      const call: Call = {
        graph: this.#graph,
        names: inputs.map((input) => input === null ? "" : this.#nameOf(input)),
        inputs,
        outputs,
        attrs,
        constant: (index) => {
          if (this.#isComputed(inputs[index])) throw new NoCounterpart("of computed statistics");
          return valuesOf(inputs[index]!);
        },
      };
      const made = converter(call);
      const names = typeof made === "string" ? [made] : made;
      outputs.forEach((output, i) => this.#name(output, names[i] ?? null));
    } catch (error) {
      // Thrown once the forward is over: a model may catch what its operations throw.
      this.#failure = error instanceof NoCounterpart
        ? new TypeError(
          `Cannot export to ONNX: got a call of ${primitive}${
            error.message === "" ? "" : ` ${error.message}`
          } on ${inputs.map((input) => input === null ? "null" : formatShape(input.shape))}, ` +
            `expected operations that ONNX has`,
        )
        : error;
    }
  }

  #nameOfResult(tensor: Tensor): string {
    try {
      return this.#nameOf(tensor);
    } catch (error) {
      if (!(error instanceof NoCounterpart)) throw error;
      throw new TypeError(
        `Cannot export to ONNX: got a model ${error.message}, expected operations that ONNX has`,
      );
    }
  }

  #nameOf(tensor: Tensor): string {
    const known = this.#names.get(tensor);
    if (known === null) throw new NoCounterpart("that uses an output that ONNX lacks");
    if (known !== undefined) return known;
    const [storage, shape] = [storageOf(tensor), tensor.shape];
    const original = this.#byStorage.get(storage);
    if (original !== undefined) {
      const name = this.#nameOf(original);
      const isSame = formatShape(original.shape) === formatShape(shape);
      return isSame ? name : this.#graph.reshape(name, shape);
    }
    if (tensor.size === 1 && tensor.ndim === 0 && !this.#parameters.has(storage)) {
      return this.#graph.scalar(tensor.item());
    }
    let constant = this.#constants.get(storage);
    if (constant === undefined) {
      const wanted = this.#parameters.get(storage) ?? "constant";
      constant = { name: this.#graph.initializer(wanted, storage.values, shape), shape };
      this.#constants.set(storage, constant);
    }
    return formatShape(constant.shape) === formatShape(shape)
      ? constant.name
      : this.#graph.reshape(constant.name, shape);
  }
}
