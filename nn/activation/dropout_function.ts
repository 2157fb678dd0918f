/**
 * Dropout: parts of the input are left out by chance, so that none is relied upon.
 */
import { add, type Generator, mul, reshape, type Shape, Tensor } from "../../autograd/mod.ts";
import {
  allocateUninitialised,
  assertOptions,
  assertTensor,
  chooseGenerator,
  formatShape,
  refuse,
  show,
  sizeOf,
  valuesOf,
} from "../../autograd/internal.ts";
import { checkNumber } from "../loss/operands.ts";

/** Options of {@linkcode dropout} and its relatives. */
export interface DropoutOptions {
  /** The probability that an element is left out; 0.5 where left out. */
  readonly p?: number;
  /** Whether anything is left out at all; true where left out. */
  readonly training?: boolean;
  /** Where the choice is drawn from; the default generator where left out. */
  readonly generator?: Generator | null;
}

/**
 * Sets each element to 0 with probability p and scales the others by 1/(1 − p), so that the
 * expectation stays. Without training it returns x.
 *
 * The choice is the one of PyTorch's generator from the same seed, in builds without MKL.
 *
 * Shapes: any. Gradient: g where the element stayed, scaled alike.
 *
 * @param x A tensor.
 * @param options p = 0.5, training = true, generator.
 * @returns A tensor of the same shape.
 * @throws {RangeError} if p is not in 0 … 1.
 * @see Srivastava et al.: Dropout, 2014.
 *
 * @example
 * ```ts
 * import { Generator, nn, ones } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * const y = nn.functional.dropout(ones([100]), { p: 0.2, generator: new Generator(1) });
 * assert(y.data.every((value) => value === 0 || value === 1 / 0.8));
 * ```
 */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  return drop("run dropout", x, options);
}

/**
 * {@linkcode dropout} of whole channels of [N, C, L]; [C, L] counts as one sample.
 *
 * @throws {RangeError} if x has other dims or p is not in 0 … 1.
 */
export function dropout1d(x: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels("run dropout1d", x, [2, 3], 2, options);
}

/**
 * {@linkcode dropout} of whole channels of [N, C, H, W]; [N, C, L] is taken too, as in PyTorch.
 *
 * @throws {RangeError} if x has other dims or p is not in 0 … 1.
 */
export function dropout2d(x: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels("run dropout2d", x, [3, 4], null, options);
}

/**
 * {@linkcode dropout} of whole channels of [N, C, D, H, W]; [C, D, H, W] counts as one sample.
 *
 * @throws {RangeError} if x has other dims or p is not in 0 … 1.
 */
export function dropout3d(x: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels("run dropout3d", x, [4, 5], 4, options);
}

/**
 * Dropout for networks of SELUs: what is left out takes their limit −λα, and the result is mapped so
 * that mean 0 and variance 1 stay.
 *
 * @param options p = 0.5, training = false (in the other functions here it is true), generator.
 * @throws {RangeError} if p is not in 0 … 1.
 * @see Klambauer et al.: Self-Normalizing Neural Networks, 2017.
 */
export function alphaDropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  return drop("run alphaDropout", x, options, {
    training: false,
    apply: (kept, p) => {
      const limit = 1.7580993408473766;
      const scale = 1 / Math.sqrt((limit * limit * p + 1) * (1 - p));
      const shift = noiseLike(kept, (keep) => (keep - 1) * limit * scale + limit * scale * p);
      return add(mul(x, noiseLike(kept, (keep) => keep * scale)), shift);
    },
  });
}

function dropChannels(
  action: string,
  x: Tensor,
  ranks: readonly number[],
  withoutBatch: number | null,
  options: DropoutOptions,
): Tensor {
  assertTensor(action, x, "x");
  if (!ranks.includes(x.ndim)) {
    refuse(action, `x of shape ${formatShape(x.shape)}`, `${ranks.join(" or ")} dims`);
  }
  if (x.ndim === withoutBatch) {
    const sample = reshape(x, [1, ...x.shape]);
    return reshape(dropChannels(action, sample, [x.ndim + 1], null, options), x.shape);
  }
  return drop(action, x, options, { byChannel: true });
}

/** How the functions of this file differ. */
interface DropRule {
  /** Whether whole channels are left out. */
  readonly byChannel?: boolean;
  /** Whether anything is left out where the options do not say. */
  readonly training?: boolean;
  /** The result, from ones where elements stay and zeros where they are left out. */
  readonly apply?: (kept: Tensor, p: number) => Tensor;
}

function drop(
  action: string,
  x: Tensor,
  options: DropoutOptions,
  {
    byChannel = false,
    training: trainingByDefault = true,
    apply = (kept, p) => mul(x, noiseLike(kept, (keep) => keep / (1 - p))),
  }: DropRule = {},
): Tensor {
  assertTensor(action, x, "x");
  assertOptions(action, options, ["p", "training", "generator"]);
  const { p = 0.5 } = options;
  const training = options.training ?? trainingByDefault;
  checkNumber(action, "p", p);
  if (!(p >= 0 && p <= 1)) refuse(action, `p ${p}`, "a probability in 0 … 1");
  if (typeof training !== "boolean") {
    throw new TypeError(`Cannot ${action}: got training ${show(training)}, expected true or false`);
  }
  if (!training || p === 0 || x.size === 0) return x;
  if (p === 1) return mul(x, 0);
  const shape = byChannel ? x.shape.map((n, axis) => axis < 2 ? n : 1) : x.shape;
  return apply(noise(action, shape, 1 - p, options.generator), p);
}

/** Ones with the given probability, else zeros. */
function noise(action: string, shape: Shape, p: number, generator?: Generator | null): Tensor {
  const storage = allocateUninitialised(sizeOf(shape));
  chooseGenerator(action, generator).fillBernoulli(storage.values, p);
  return new Tensor(storage, shape);
}

function noiseLike(kept: Tensor, value: (keep: number) => number): Tensor {
  const storage = allocateUninitialised(kept.size);
  const [dropped, stayed] = [value(0), value(1)];
  const from = valuesOf(kept);
  for (let i = 0; i < from.length; i++) storage.values[i] = from[i] === 0 ? dropped : stayed;
  return new Tensor(storage, kept.shape);
}
