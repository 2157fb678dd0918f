/**
 * An ONNX graph while it is built, and its bytes.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import type { Shape } from "../../autograd/mod.ts";
import { sizeOf } from "../../autograd/internal.ts";
import type { FloatDtype } from "../encode_values.ts";
import { Message } from "./protobuf.ts";

/** The operator set: the first that has everything needed here, so that old runtimes read it. */
const OPSET = 17;
const IR_VERSION = 8;

/** ONNX's numbers of the types. */
const TYPE = { F32: 1, I64: 7, BOOL: 9, F64: 11 } as const;
/** ONNX's numbers of the kinds of attributes. */
const ATTRIBUTE = { float: 1, int: 2, text: 3, ints: 7 } as const;

/** A constant of a node: integers and lists of them, text, or `{ float }`. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

/** A tensor that goes in or comes out. */
export interface Port {
  /** Its name. */
  readonly name: string;
  /** Its sizes; text for one that is left open. */
  readonly shape: readonly (number | string)[];
}

/** Collects nodes and constants. */
export class Graph {
  readonly #nodes: Message[] = [];
  readonly #initializers = new Map<string, Message>();
  readonly #used = new Set<string>();
  readonly #names = new Set<string>();
  readonly #constants = new Map<string, string>();
  #count = 0;

  readonly dtype: FloatDtype;

  /** @param dtype The type of all values that are no indices. */
  constructor(dtype: FloatDtype) {
    this.dtype = dtype;
  }

  /** Whether a number is exact in the float32 that attributes are. */
  isExact(value: number): boolean {
    return this.dtype === "F32" || Math.fround(value) === value;
  }

  /** Adds a node of one output and returns the output's name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    return this.nodes(op, inputs, 1, attributes)[0];
  }

  /** Adds a node of several outputs and returns their names. */
  nodes(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => `${op}_${this.#count++}`);
    this.#add(op, inputs, names, attributes);
    return names;
  }

  /** Gives a value a name of its own. */
  alias(input: string, name: string): void {
    this.#add("Identity", [input], [name], {});
  }

  #add(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    const node = new Message();
    for (const input of inputs) {
      node.text(1, input);
      this.#used.add(input);
    }
    for (const output of outputs) node.text(2, output);
    node.text(3, `node_${outputs[0]}`).text(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#nodes.push(node);
  }

  /** A name that is not taken. */
  unique(name: string): string {
    let free = name;
    for (let i = 1; this.#names.has(free); i++) free = `${name}_${i}`;
    this.#names.add(free);
    return free;
  }

  /** A constant tensor of values under a name. */
  initializer(name: string, values: ArrayLike<number>, shape: Shape): string {
    const floats = this.dtype === "F64" ? Float64Array.from(values) : Float32Array.from(values);
    return this.#store(name, this.dtype, floats.buffer, shape);
  }

  #store(name: string, type: keyof typeof TYPE, values: ArrayBuffer, shape: Shape): string {
    const free = this.unique(name);
    const bytes = new Uint8Array(values);
    this.#initializers.set(
      free,
      new Message().ints(1, shape).int(2, TYPE[type]).text(8, free).bytes(9, bytes),
    );
    return free;
  }

  /** A constant; the same one again where it is the same. */
  constant(values: readonly number[], shape: Shape): string {
    return this.#once(
      `${values.join()} ${shape.join()}`,
      (name) => this.initializer(name, values, shape),
    );
  }

  /** A constant of one value. */
  scalar(value: number): string {
    return this.constant([value], []);
  }

  /** Whole numbers: a shape, axes, or indices. */
  ints(values: ArrayLike<number>, shape: Shape = [values.length]): string {
    const list = Array.from(values);
    return this.#once(
      `int ${list.join()} ${shape.join()}`,
      (name) => this.#store(name, "I64", BigInt64Array.from(list, BigInt).buffer, shape),
    );
  }

  #once(key: string, make: (name: string) => string): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = make(`constant_${this.#constants.size}`);
      this.#constants.set(key, name);
    }
    return name;
  }

  /** Values as integers. */
  toInts(input: string): string {
    return this.node("Cast", [input], { to: TYPE.I64 });
  }

  /** Whole numbers or truth values as values. */
  toFloats(input: string): string {
    return this.node("Cast", [input], { to: TYPE[this.dtype] });
  }

  /** Values as truth: whether they are not 0. */
  toTruth(input: string): string {
    return this.node("Cast", [input], { to: TYPE.BOOL });
  }

  /** The same values under another shape; the first size is found at run time. */
  reshape(input: string, shape: Shape): string {
    const sizes = shape.length === 0 || sizeOf(shape) === 0 ? shape : [-1, ...shape.slice(1)];
    return this.node("Reshape", [input, this.ints(sizes)]);
  }

  /** The nodes and constants, without what goes in and comes out. */
  body(): Message {
    const used = [...this.#initializers].filter(([name]) => this.#used.has(name));
    return new Message().messages(1, this.#nodes).text(2, "tapegrad")
      .messages(5, used.map(([, initializer]) => initializer));
  }

  /** The whole model. */
  model(inputs: readonly Port[], outputs: readonly Port[]): Uint8Array<ArrayBuffer> {
    const port = ({ name, shape }: Port): Message => {
      const sizes = shape.map((size) =>
        typeof size === "number" ? new Message().int(1, size) : new Message().text(2, size)
      );
      const tensor = new Message().int(1, TYPE[this.dtype])
        .message(2, new Message().messages(1, sizes));
      return new Message().text(1, name).message(2, new Message().message(1, tensor));
    };
    const graph = this.body().messages(11, inputs.map(port)).messages(12, outputs.map(port));
    return new Message().int(1, IR_VERSION).text(2, "tapegrad").message(7, graph)
      .message(8, new Message().text(1, "").int(2, OPSET)).finish();
  }
}

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, ATTRIBUTE.int);
  if (typeof value === "string") {
    return message.text(4, value).int(20, ATTRIBUTE.text);
  }
  if ("float" in value) return message.float(2, value.float).int(20, ATTRIBUTE.float);
  return message.ints(8, value).int(20, ATTRIBUTE.ints);
}
