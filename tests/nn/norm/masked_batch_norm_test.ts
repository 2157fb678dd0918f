/**
 * Batch norm under a mask: the fused kernels against the definition in ordinary operations, in every
 * mode of the module.
 */
import { within } from "../../assert_close.ts";
import { assertEquals, assertThrows } from "@std/assert";
import {
  Generator,
  grad,
  nn,
  noGrad,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../../mod.ts";

silenceWarnings();

const batch = (shape: readonly number[], seed = 1) =>
  randn(shape, { generator: new Generator(seed) });

const assertClose = within(1e-12);

/** What the definition gives: the output, and the moments that it used. */
interface Composed {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** μ = Σ m·x/M, σ² = Σ m·(x − μ)²/M, y = m·((x − μ)/√(σ² + eps)·weight + bias) */
function composed(
  x: Tensor,
  mask: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  running: { readonly mean: Tensor; readonly variance: Tensor } | null,
  eps: number,
): Composed {
  const channel = x.shape.map((size, i) => i === 1 ? size : 1);
  const valid = mask.reshape(x.shape.map((size, i) => i === 1 ? 1 : size));
  const spread = (t: Tensor): Tensor => t.reshape(channel);
  const dim = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const count = valid.sum().item();
  const average = (t: Tensor): Tensor => t.mul(valid).sum({ dim, keepdim: true }).div(count);
  const mean = running === null ? average(x) : spread(running.mean);
  const centered = x.sub(mean);
  const variance = running === null ? average(centered.square()) : spread(running.variance);
  const scaled = centered.div(variance.add(eps).sqrt());
  const weighted = weight === null ? scaled : scaled.mul(spread(weight));
  const y = (bias === null ? weighted : weighted.add(spread(bias))).mul(valid);
  return { y, mean: mean.reshape([x.shape[1]]), variance: variance.reshape([x.shape[1]]) };
}

/** 1 but at every third position, and in the whole sample 1. */
function maskOf(shape: readonly number[]): Tensor {
  const wanted = shape.filter((_, i) => i !== 1);
  const size = wanted.reduce((product, n) => product * n, 1);
  const perSample = size / shape[0];
  const values = Array.from(
    { length: size },
    (_, i) => i % 3 === 1 || Math.floor(i / perSample) === 1 ? 0 : 1,
  );
  return tensor(values, { shape: wanted });
}

const layers: [name: string, layer: () => nn.BatchNorm, shape: number[]][] = [
  ["of rows", () => new nn.BatchNorm1d(3), [7, 3]],
  ["of sequences", () => new nn.BatchNorm1d(3, { momentum: null }), [4, 3, 5]],
  ["of images", () => new nn.BatchNorm2d(2, { eps: 0.1 }), [3, 2, 3, 4]],
  ["of volumes, without weights", () => new nn.BatchNorm3d(2, { affine: false }), [3, 2, 2, 3, 2]],
  ["of large rows", () => new nn.BatchNorm1d(37), [301, 37]],
  ["of large images", () => new nn.BatchNorm2d(5), [9, 5, 17, 19]],
  ["without buffers", () => new nn.BatchNorm1d(2, { trackRunningStats: false }), [4, 2, 3]],
];

for (const [name, make, shape] of layers) {
  for (const training of [true, false]) {
    const mode = training ? "training" : "evaluation";

    Deno.test(`a masked batch norm ${name} is its definition, to the second order (${mode})`, () => {
      const layer = make();
      noGrad(() => {
        for (const [i, p] of layer.parameters().entries()) p.copy_(batch(p.shape, 20 + i).add(2));
        layer.runningMean?.copy_(batch(layer.runningMean.shape, 30));
        layer.runningVar?.copy_(batch(layer.runningVar.shape, 31).square().add(0.5));
      });
      layer.train(training);
      const mask = maskOf(shape);
      const before = { mean: layer.runningMean?.clone(), variance: layer.runningVar?.clone() };
      const running = training || before.mean === undefined
        ? null
        : { mean: before.mean, variance: before.variance! };
      const x = batch(shape).mul(3).add(1).requiresGrad_();
      const leaves = [x, ...layer.parameters()];
      const follow = (y: Tensor): Tensor[] => {
        const g = batch(shape, 2).requiresGrad_();
        const first = grad([y], leaves, { gradOutputs: [g], createGraph: true }) as Tensor[];
        const second = grad(first, [g, ...leaves], {
          gradOutputs: first.map((t, i) => batch(t.shape, 3 + i)),
          allowUnused: true,
        });
        return [y, ...first, ...second.map((t, i) => t ?? zeros([g, ...leaves][i].shape))];
      };
      const [weight, bias] = [layer.weight, layer.bias];
      const got = follow(layer.forward(x, { mask }));
      const definition = composed(x, mask, weight, bias, running, layer.eps);
      const expected = follow(definition.y);
      expected.forEach((values, i) => assertClose(got[i], values, `result ${i}`, 1e-11));
      if (layer.runningMean === null || !training) return;
      const count = mask.sum().item();
      const factor = layer.momentum ?? 1;
      const blend = (old: Tensor, value: Tensor) => old.mul(1 - factor).add(value.mul(factor));
      assertClose(layer.runningMean, blend(before.mean!, definition.mean), "running mean");
      const unbiased = definition.variance.mul(count / (count - 1));
      assertClose(layer.runningVar!, blend(before.variance!, unbiased), "running variance");
    });
  }
}

for (const shape of [[40, 3], [6, 3, 70]]) {
  Deno.test(`what a mask hides of [${shape}] may be anything, NaN included`, () => {
    const mask = maskOf(shape);
    const valid = mask.reshape(shape.map((size, i) => i === 1 ? 1 : size));
    const clean = batch(shape);
    const run = (fill: number, training: boolean) => {
      const bn = new nn.BatchNorm1d(3).train(training);
      const x = where(valid, clean, fill).requiresGrad_();
      const y = bn.forward(x, { mask });
      // A cotangent that is not finite where y is 0.
      const g = where(valid, batch(shape, 2), fill).requiresGrad_();
      const leaves = [x, ...bn.parameters()];
      const first = grad([y], leaves, { gradOutputs: [g], createGraph: true }) as Tensor[];
      const second = grad([first[0].square().sum().add(first[1].sum())], [x, g]) as Tensor[];
      return [y, bn.runningMean!, bn.runningVar!, ...first, ...second];
    };
    for (const training of [true, false]) {
      const expected = run(0, training);
      for (const fill of [NaN, Infinity, 1e300]) {
        run(fill, training).forEach((got, i) =>
          assertEquals([...got.data], [...expected[i].data], `result ${i} with ${fill} hidden`)
        );
      }
    }
  });
}

Deno.test("at an offset of 1e8 a mask costs no digits", () => {
  const shape = [5, 2, 9];
  const x = noGrad(() => batch(shape).add(1e8));
  const near = x.sub(1e8);
  const mask = maskOf(shape);
  const [far, at0] = [x, near].map((t) => {
    const bn = new nn.BatchNorm1d(2, { momentum: 1 });
    const leaf = t.detach().requiresGrad_();
    const y = bn.forward(leaf, { mask });
    return [
      y,
      ...grad([y], [leaf], { gradOutputs: [batch(shape, 2)] }) as Tensor[],
      bn.runningVar!,
    ];
  });
  far.forEach((got, i) => assertClose(got, at0[i], `result ${i}`, 1e-13));
});

Deno.test("a mask without ones gives zeros and no statistics; with one it is refused", () => {
  const bn = new nn.BatchNorm1d(2);
  const x = tensor([[NaN, 1], [2, 3]], { requiresGrad: true });
  const y = bn.forward(x, { mask: zeros([2]) });
  assertEquals(y.toArray(), [[0, 0], [0, 0]]);
  y.sum().backward();
  assertEquals(x.grad!.toArray(), [[0, 0], [0, 0]]);
  assertEquals(bn.runningMean!.toArray(), [0, 0]);
  assertThrows(
    () => bn.forward(x, { mask: tensor([0, 1]) }),
    RangeError,
    "got 1 valid position in the mask",
  );
  const evaluated = bn.eval().forward(x, { mask: tensor([0, 1]) });
  assertEquals(evaluated.data.slice(0, 2), Float64Array.of(0, 0));
});

Deno.test("a masked batch norm refuses channels that do not fit, and masks that are none", () => {
  const bn = new nn.BatchNorm1d(2);
  const x = batch([4, 3, 2]);
  assertThrows(
    () => bn.forward(x, { mask: maskOf([4, 3, 2]) }),
    RangeError,
    "should contain 3 elements not 2",
  );
  const mask = tensor([[0, 2], [1, 1], [1, 1], [1, 1]]);
  assertThrows(() => bn.forward(batch([4, 2, 2]), { mask }), RangeError, "expected 0 and 1");
});

Deno.test("a mask that is edited between forward and backward is noticed", () => {
  const x = batch([4, 2]).requiresGrad_();
  const mask = tensor([1, 1, 0, 1]);
  const y = new nn.BatchNorm1d(2).forward(x, { mask });
  mask.copy_(tensor([1, 1, 1, 0]));
  assertThrows(() => y.sum().backward(), Error, "batchNorm");
});

Deno.test("virtual batches and pooled statistics count what the mask counts", () => {
  const x = batch([8, 2, 3]);
  const mask = maskOf([8, 2, 3]);
  const whole = new nn.BatchNorm1d(2);
  whole.forward(x, { mask });
  const parts = new nn.BatchNorm1d(2, { virtualBatchSize: 4 }).accumulateStats(2);
  parts.forward(x, { mask });
  assertClose(parts.runningMean!, whole.runningMean!, "running mean", 1e-14);
  assertClose(parts.runningVar!, whole.runningVar!, "running variance", 1e-14);
  assertEquals(parts.numBatchesTracked!.item(), 1);
});

Deno.test("the gradient of bias alone can be differentiated again, masked or not", () => {
  for (const mask of [null, maskOf([3, 2, 4])]) {
    const bn = new nn.BatchNorm1d(2);
    const g = batch([3, 2, 4], 2).requiresGrad_();
    const y = bn.forward(batch([3, 2, 4]), { mask });
    const [db] = grad([y], [bn.bias!], { gradOutputs: [g], createGraph: true });
    const [dg] = grad([db!], [g], { gradOutputs: [tensor([2, 3])] });
    const ones = mask === null ? [1, 1, 1] : [...mask.sum({ dim: 1 }).data];
    assertEquals(
      [...dg!.sum({ dim: 2 }).data],
      ones.flatMap((n) => {
        const count = mask === null ? 4 : n;
        return [2 * count, 3 * count];
      }),
    );
  }
});
