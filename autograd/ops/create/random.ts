/**
 * Tensors of random numbers, equal to PyTorch's from the same seed.
 */
import { allocateUninitialised } from "../../runtime/memory.ts";
import { chooseGenerator, type Generator } from "../../random.ts";
import type { Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { assertTensor, type CreationOptions, leaf } from "./creation.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import type { Known } from "../../check/options.ts";

/** What every function that draws a tensor accepts. */
export interface RandomOptions extends CreationOptions {
  /** Where the numbers come from; the default generator if left out. */
  readonly generator?: Generator | null;
}

const KNOWN: Known<RandomOptions> = ["generator", "requiresGrad"];

/**
 * A tensor drawn evenly from [0, 1).
 *
 * Equal bit for bit to `torch.rand` in float64.
 *
 * @throws {TypeError} if `shape` is not a list or `generator` no Generator.
 * @throws {RangeError} if a size is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { Generator, rand } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = rand([2], { generator: new Generator(0) });
 * assertEquals(x.toArray(), [0.9700530018065531, 0.707819864399788]);
 * ```
 */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return draw("make rand", shape, options, (random, out) => random.fillUniform(out));
}

/**
 * A tensor drawn from the normal distribution with mean 0 and standard deviation 1.
 *
 * Equal to `torch.randn` in float64, to 1e-15 relative. As there, a tensor of 16 elements or more is
 * drawn in blocks, so a longer one does not begin with the values of a short one.
 *
 * @throws {TypeError} if `shape` is not a list or `generator` no Generator.
 * @throws {RangeError} if a size is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { Generator, randn } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = randn([], { generator: new Generator(0) });
 * assertAlmostEquals(x.item(), 1.5409961082440433, 1e-15);
 * ```
 */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return draw("make randn", shape, options, (random, out) => random.fillNormal(out));
}

/**
 * A tensor of integers drawn evenly from low … high − 1; `randint(high, shape)` counts from 0.
 *
 * Equal to `torch.randint`.
 *
 * @throws {TypeError} if `shape` is not a list or `generator` no Generator.
 * @throws {RangeError} if the bounds are no integers, `high` is not above `low`, they are more than
 * 2⁵³ apart, or a size is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { Generator, randint } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = randint(0, 10, [4], { generator: new Generator(0) });
 * assertEquals(x.toArray(), [4, 9, 3, 0]);
 * ```
 */
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor;
/** As above from 0 on. */
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(
  first: number,
  second: number | Shape,
  third?: Shape | RandomOptions,
  fourth?: RandomOptions,
): Tensor {
  const [low, high, shape, options] = typeof second === "number"
    ? [first, second, third as Shape, fourth]
    : [0, first, second, third as RandomOptions | undefined];
  return draw(
    "make randint",
    shape,
    options ?? {},
    (random, out) => random.fillIntegers(out, low, high),
  );
}

/**
 * The integers 0 … n − 1 in random order.
 *
 * Equal to `torch.randperm`.
 *
 * @throws {TypeError} if `n` is not a number or `generator` no Generator.
 * @throws {RangeError} if `n` is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { Generator, randperm } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const order = randperm(5, { generator: new Generator(3) });
 * assertEquals([...order.data].sort(), [0, 1, 2, 3, 4]);
 * ```
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  if (typeof n !== "number") refuseKind("make randperm", "n", n, "a number");
  if (!Number.isSafeInteger(n) || n < 0) {
    refuse("make randperm", `n ${n}`, "an integer of at least 0");
  }
  return draw("make randperm", [n], options, (random, out) => random.fillPermutation(out));
}

/** As {@linkcode rand}, of the shape of `x`. */
export function randLike(x: Tensor, options: RandomOptions = {}): Tensor {
  assertTensor("make randLike", x, "x");
  return rand(x.shape, options);
}

/** As {@linkcode randn}, of the shape of `x`. */
export function randnLike(x: Tensor, options: RandomOptions = {}): Tensor {
  assertTensor("make randnLike", x, "x");
  return randn(x.shape, options);
}

function draw(
  action: string,
  shape: Shape,
  options: RandomOptions,
  fill: (random: Generator, out: Float64Array) => void,
): Tensor {
  return leaf(action, shape, options, KNOWN, (size) => {
    const random = chooseGenerator(action, options.generator);
    const storage = allocateUninitialised(size);
    fill(random, storage.values);
    return storage;
  });
}
