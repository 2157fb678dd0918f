import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  conv2d,
  fold,
  Generator,
  matmul,
  ones,
  randn,
  reshape,
  zeros,
} from "../../autograd/mod.ts";
import { unfold } from "../../nn/functional.ts";

Deno.test("a convolution is a product with the unfolded image", () => {
  const generator = new Generator(4);
  const x = randn([2, 3, 5, 6], { generator });
  const weight = randn([4, 3, 2, 3], { generator });
  const options = { padding: [1, 0], dilation: [2, 1], stride: [1, 2] };
  const y = conv2d(x, weight, null, options);
  const z = matmul(reshape(weight, [4, 18]), unfold(x, [2, 3], options));
  assertEquals([z.shape[0], z.shape[1], z.shape[2]], [2, 4, y.shape[2] * y.shape[3]]);
  z.data.forEach((value, i) => assertAlmostEquals(value, y.data[i], 1e-12));
});

Deno.test("folding what was unfolded counts the windows that see a place", () => {
  const x = ones([1, 3, 3]);
  assertEquals(fold(unfold(x, 2), 3, 2).toArray(), [[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]);
});

Deno.test("an empty batch unfolds and folds", () => {
  assertEquals(unfold(zeros([0, 2, 3, 3]), 2).shape, [0, 8, 4]);
  assertEquals(fold(zeros([0, 8, 4]), 3, 2).shape, [0, 2, 3, 3]);
});

for (
  const [title, run, words] of [
    ["unfold an empty axis", () => unfold(zeros([1, 2, 0, 3]), 2), "only the batch"],
    ["unfold a list of one", () => unfold(zeros([1, 4, 4]), [2]), "kernelSize [2]"],
    ["unfold windows beyond the image", () => unfold(zeros([1, 4, 4]), 5), "room for one window"],
    ["fold rows that do not divide", () => fold(zeros([1, 5, 9]), 4, 2), "multiple of 4"],
    ["fold columns of another count", () => fold(zeros([1, 4, 8]), 4, 2), "9 columns"],
    ["fold to nothing", () => fold(zeros([1, 4, 9]), 0, 2, { padding: 2 }), "outputSize"],
  ] as const
) {
  Deno.test(`it is refused to ${title}`, () => {
    assertThrows(run, RangeError, words);
  });
}
