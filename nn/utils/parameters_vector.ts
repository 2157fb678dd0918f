/**
 * All parameters as one vector, and back.
 */
import { cat, noGrad, reshape, type Tensor, tensor } from "../../autograd/mod.ts";
import { assertIterable, assertTensor, formatShape, refuse } from "../../autograd/internal.ts";

/**
 * The elements of all parameters in one vector, on the tape.
 *
 * Shapes: any → [total number of elements]. Gradient: to each parameter its part.
 *
 * @param params An iterable of tensors, at least one.
 * @returns A copy.
 * @throws {TypeError} if something is not a tensor. @throws {RangeError} if there is none.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const vector = nn.utils.parametersToVector([tensor([[1, 2]]), tensor(3)]);
 * assertEquals(vector.toArray(), [1, 2, 3]);
 * ```
 */
export function parametersToVector(params: Iterable<Tensor>): Tensor {
  const list = readParams("run parametersToVector", params);
  return cat(list.map((param) => reshape(param, [-1])));
}

/**
 * Writes the parts of a vector into the parameters, in place: the inverse of
 * {@linkcode parametersToVector}.
 *
 * @param vector As many elements as all parameters have, in one axis.
 * @param params An iterable of tensors.
 * @throws {TypeError} if something is not a tensor. @throws {RangeError} if the length does not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const w = zeros([2, 1]);
 * nn.utils.vectorToParameters(tensor([1, 2]), [w]);
 * assertEquals(w.toArray(), [[1], [2]]);
 * ```
 */
export function vectorToParameters(vector: Tensor, params: Iterable<Tensor>): void {
  const action = "run vectorToParameters";
  assertTensor(action, vector, "vector");
  const list = readParams(action, params);
  const total = list.reduce((sum, param) => sum + param.size, 0);
  if (vector.ndim !== 1 || vector.size !== total) {
    refuse(action, `vector of shape ${formatShape(vector.shape)}`, `[${total}]`);
  }
  const values = vector.data;
  let start = 0;
  for (const param of list) {
    const part = values.slice(start, start + param.size);
    noGrad(() => param.copy_(tensor(part, { shape: param.shape })));
    start += param.size;
  }
}

function readParams(action: string, params: Iterable<Tensor>): Tensor[] {
  const given: unknown = params;
  assertIterable(action, given, "params", "tensors");
  const list = [...params];
  list.forEach((param, i) => assertTensor(action, param, `params[${i}]`));
  if (list.length === 0) refuse(action, "no params", "at least one");
  return list;
}
