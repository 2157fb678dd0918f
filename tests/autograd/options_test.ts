/**
 * The trailing options object: what may stand in its place, and PyTorch's two spellings of a
 * correction.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { nn, ones, std, stdMean, type Tensor, tensor, variance, varMean } from "../../mod.ts";
import * as entry from "../../mod.ts";

type AnyFunction = (...args: unknown[]) => unknown;

const x = tensor([[1, 2], [3, 4]]);
const images = ones([1, 1, 4, 4]);
const kernel = ones([1, 1, 2, 2]);

// Each as one would write it in Python, with the first option by its place.
const misplaced: [name: string, args: unknown[], key: string][] = [
  ...["sum", "mean", "prod", "logsumexp", "amax", "amin", "argmax", "argmin", "variance", "std"]
    .map(
      (name): [string, unknown[], string] => [name, [x, 1], "dim"],
    ),
  ["norm", [x, 1], "p"],
  ["cat", [[x, x], 1], "dim"],
  ["stack", [[x, x], 1], "dim"],
  ["chunk", [x, 2, 1], "dim"],
  ["split", [x, 1, 1], "dim"],
  ["flatten", [x, 0], "startDim"],
  ["diagonal", [x, 1], "offset"],
  ["hardtanh", [x, -2], "minVal"],
  ["leakyRelu", [x, 0.2], "negativeSlope"],
  ["elu", [x, 0.2], "alpha"],
  ["gelu", [x, "tanh"], "approximate"],
  ["softplus", [x, 2], "beta"],
  ["glu", [x, 0], "dim"],
  ["maxPool2d", [images, 2, 1], "stride"],
  ["avgPool2d", [images, 2, [1, 1]], "stride"],
  ["conv2d", [images, kernel, null, 2], "stride"],
  ["convTranspose2d", [images, kernel, null, null], "stride"],
  ["dropout", [x, 0.1], "p"],
];

Deno.test("an option by its place is refused, naming the key that is meant", () => {
  const rooms = { ...nn.functional, ...entry } as unknown as Record<string, AnyFunction>;
  for (const [name, args, key] of misplaced) {
    assertThrows(() => rooms[name](...args), TypeError, `an object such as { ${key}: … }`, name);
  }
});

Deno.test("unbiased is a correction of 1 or 0, in functions and methods", () => {
  for (const moment of [variance, std]) {
    assertEquals(moment(x, { unbiased: true }).item(), moment(x).item());
    assertEquals(
      moment(x, { dim: 0, unbiased: false }).toArray(),
      moment(x, { dim: 0, correction: 0 }).toArray(),
    );
  }
  assertEquals(x.var({ unbiased: false }).item(), 1.25);
  assertEquals(varMean(x, { unbiased: false }).map((m: Tensor) => m.item()), [1.25, 2.5]);
  assertEquals(stdMean(x, { unbiased: false })[0].item(), Math.sqrt(1.25));
  assertThrows(
    () => variance(x, { correction: 0, unbiased: false }),
    RangeError,
    "Cannot variance: got both correction and unbiased",
  );
  const one = 1 as unknown as boolean;
  assertThrows(() => std(x, { unbiased: one }), TypeError, "Cannot std: got unbiased number 1");
});

Deno.test("an option out is refused instead of left as it was", () => {
  const into = ones([4, 2]);
  const cat = entry.cat as AnyFunction;
  assertThrows(() => cat([x, x], { dim: 0, out: into }), TypeError, "got an option out");
});
