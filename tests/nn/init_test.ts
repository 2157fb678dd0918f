import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  Generator,
  manualSeed,
  matmul,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../autograd/mod.ts";
import * as init from "../../nn/init.ts";
import { initAffine_, initEmbedding_ } from "../../nn/init/defaults.ts";
import { compareTensor } from "../oracle/compare.ts";
import { readCases, type RecordedState, type RecordedTensor } from "../oracle/recorded.ts";

interface RngCase {
  seed: number;
  modules: Record<string, RecordedState>;
  inits: Record<string, RecordedTensor>;
}

const cases = await readCases<RngCase>("rng");

const exact = { absolute: 0, relative: 0 };
// log, sin and cos may differ in the last place from one engine to the next.
const lastPlace = { absolute: 0, relative: 1e-15 };

const initialisers: Record<string, [fill: (x: Tensor) => Tensor, tolerance: typeof exact]> = {
  kaiming_uniform_: [(x) => init.kaimingUniform_(x), exact],
  kaiming_uniform_a5: [(x) => init.kaimingUniform_(x, { a: Math.sqrt(5) }), exact],
  kaiming_normal_: [
    (x) => init.kaimingNormal_(x, { mode: "fan_out", nonlinearity: "relu" }),
    lastPlace,
  ],
  xavier_uniform_: [(x) => init.xavierUniform_(x, { gain: 1.5 }), exact],
  xavier_normal_: [(x) => init.xavierNormal_(x), lastPlace],
};

// Layers whose default weights follow the rule of linear and convolutional ones.
const affineLayers = ["Linear", "LinearNoBias", "Conv2d", "Conv1dGroups", "ConvT2d"];

for (const { seed, inits, modules } of cases) {
  Deno.test(`seed ${seed} gives PyTorch's initialisers`, () => {
    assertEquals(Object.keys(inits).sort(), Object.keys(initialisers).sort());
    for (const [name, [fill, tolerance]] of Object.entries(initialisers)) {
      manualSeed(seed);
      compareTensor(name, fill(zeros(inits[name].tensor)), inits[name], tolerance);
    }
  });

  Deno.test(`seed ${seed} gives PyTorch's default weights, drawn in its order`, () => {
    for (const layer of affineLayers) {
      const recorded = modules[layer];
      const weight = zeros(recorded.weight.tensor);
      const bias = recorded.bias ? zeros(recorded.bias.tensor) : null;
      manualSeed(seed);
      initAffine_(weight, bias);
      compareTensor(`${layer}.weight`, weight, recorded.weight, exact);
      if (bias !== null) compareTensor(`${layer}.bias`, bias, recorded.bias, exact);
    }
    const recorded = modules.Seq;
    manualSeed(seed);
    for (const key of ["0", "3"]) {
      const weight = zeros(recorded[`${key}.weight`].tensor);
      const bias = zeros(recorded[`${key}.bias`].tensor);
      initAffine_(weight, bias);
      compareTensor(`Seq.${key}.weight`, weight, recorded[`${key}.weight`], exact);
      compareTensor(`Seq.${key}.bias`, bias, recorded[`${key}.bias`], exact);
    }
    manualSeed(seed);
    const table = zeros(modules.Embedding.weight.tensor);
    initEmbedding_(table);
    compareTensor("Embedding.weight", table, modules.Embedding.weight, lastPlace);
  });
}

Deno.test("the padding row of an embedding begins with zeros, negative indices included", () => {
  for (const [paddingIdx, row] of [[1, 1], [-1, 3]]) {
    const plain = zeros([4, 3]), padded = zeros([4, 3]);
    initEmbedding_(plain, null, new Generator(1));
    initEmbedding_(padded, paddingIdx, new Generator(1));
    const expected = plain.toArray() as number[][];
    expected[row] = [0, 0, 0];
    assertEquals(padded.toArray(), expected);
  }
});

Deno.test("a bias without inputs begins with zeros", () => {
  const bias = init.ones_(zeros([3]));
  initAffine_(zeros([3, 0]), bias);
  assertEquals(bias.toArray(), [0, 0, 0]);
});

Deno.test("gains are PyTorch's", () => {
  assertEquals(init.calculateGain("linear"), 1);
  assertEquals(init.calculateGain("conv_transpose2d"), 1);
  assertEquals(init.calculateGain("sigmoid"), 1);
  assertEquals(init.calculateGain("tanh"), 1.6666666666666667);
  assertEquals(init.calculateGain("relu"), 1.4142135623730951);
  assertEquals(init.calculateGain("leaky_relu"), 1.4141428569978354);
  assertEquals(init.calculateGain("leaky_relu", 0.2), 1.3867504905630728);
  assertEquals(init.calculateGain("selu"), 0.75);
});

Deno.test("bounds and moments stand in the options or, as in PyTorch, behind the tensor", () => {
  const same = (f: (generator: Generator) => Tensor, g: (generator: Generator) => Tensor) =>
    assertEquals(f(new Generator(1)).toArray(), g(new Generator(1)).toArray());
  same(
    (generator) => init.uniform_(zeros([5]), -2, 3, { generator }),
    (generator) => init.uniform_(zeros([5]), { a: -2, b: 3, generator }),
  );
  same(
    (generator) => init.normal_(zeros([5]), 1, 0.5, { generator }),
    (generator) => init.normal_(zeros([5]), { mean: 1, std: 0.5, generator }),
  );
});

Deno.test("constants fill the tensor", () => {
  assertEquals(init.constant_(zeros([2]), 0.25).toArray(), [0.25, 0.25]);
  assertEquals(init.ones_(zeros([2])).toArray(), [1, 1]);
  assertEquals(init.zeros_(tensor([3, 4])).toArray(), [0, 0]);
  assertEquals(init.eye_(tensor([[5, 5, 5], [5, 5, 5]])).toArray(), [[1, 0, 0], [0, 1, 0]]);
});

// PyTorch's orthogonal_ from seed 3, to 1e-12: wide, tall with a gain, square, three axes.
const orthogonals: [shape: number[], gain: number, values: number[]][] = [
  [[2, 4], 1, [
    0.7800686549690214,
    0.16978228738257237,
    0.08640743176745982,
    -0.5959871006668815,
    0.4158349212479463,
    -0.7958642918611173,
    0.25980988740660677,
    0.35521848152493873,
  ]],
  [[5, 2], 1.5, [
    0.7163806390080993,
    0.35798395714804304,
    0.07935277336208292,
    -0.44272268615766686,
    0.041186604644438046,
    -1.029617609953633,
    0.3009861253684124,
    0.8648530011413835,
    -1.2799269250030119,
    0.3431631875304791,
  ]],
  [[3, 3], 1, [
    0.7537249798614598,
    -0.15592986645716322,
    -0.6384234734715611,
    -0.5758600381984001,
    0.3114012045978142,
    -0.7559196426745157,
    0.3166762876171485,
    0.9373980832718198,
    0.14491708781002816,
  ]],
  [[2, 2, 3], 1, [
    0.4689067933056239,
    0.10205777072252381,
    0.051940340750472956,
    -0.358253595302226,
    0.026958683218617264,
    -0.798711726771216,
    0.4034563006224148,
    0.5221070761583094,
    -0.6373546587014524,
    0.26389677113551313,
    0.25600582636096325,
    0.15240001508708215,
  ]],
];
for (const [shape, gain, values] of orthogonals) {
  Deno.test(`orthogonal_ of shape [${shape}] is PyTorch's`, () => {
    const x = init.orthogonal_(zeros(shape), { gain, generator: new Generator(3) });
    compareTensor(
      "orthogonal_",
      x,
      { tensor: shape, dtype: "float64", data: values, grad: false },
      { absolute: 1e-12, relative: 0 },
    );
  });
}

Deno.test("orthogonal_ makes rows or columns orthonormal", () => {
  const sizes = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(sizes, sizes, fc.integer(), (rows, cols, seed) => {
      const q = init.orthogonal_(zeros([rows, cols]), { generator: new Generator(seed) });
      const gram = rows < cols ? matmul(q, transpose(q, 0, 1)) : matmul(transpose(q, 0, 1), q);
      const n = Math.min(rows, cols);
      gram.data.forEach((v, i) => {
        const expected = i % (n + 1) === 0 ? 1 : 0;
        assert(Math.abs(v - expected) < 1e-14, `${v} at ${i}, expected ${expected}`);
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("dirac_ repeats input channels, group by group", () => {
  assertEquals(init.dirac_(zeros([3, 2, 2])).toArray(), [
    [[0, 1], [0, 0]],
    [[0, 0], [0, 1]],
    [[0, 0], [0, 0]],
  ]);
  const x = init.dirac_(init.ones_(zeros([4, 2, 3, 3])), { groups: 2 });
  const middle = [[0, 0, 0], [0, 1, 0], [0, 0, 0]], none = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  assertEquals(x.toArray(), [[middle, none], [none, middle], [middle, none], [none, middle]]);
  assertEquals(init.dirac_(zeros([2, 1, 1, 3, 2])).data.indexOf(1), 3);
});

Deno.test("sparse_ zeroes its share of each column, rounded up", () => {
  const x = init.sparse_(zeros([10, 4]), { sparsity: 0.25, generator: new Generator(0) });
  for (let column = 0; column < 4; column++) {
    const values = Array.from({ length: 10 }, (_, row) => x.data[row * 4 + column]);
    assertEquals(values.filter((v) => v === 0).length, 3);
    assert(values.every((v) => Math.abs(v) < 0.1));
  }
});

// PyTorch 2.13's values from seed 3: most normals fit; few do; the tail far from the mean.
const truncated: [options: init.TruncNormalOptions, values: number[]][] = [
  [{}, [
    -0.21774879177876416,
    0.1466771298110492,
    0.6690811213485476,
    -0.5141241139283437,
    -1.3464356890265727,
    -0.2841692588173489,
    0.16794475101412973,
    0.7580573286215819,
    1.0784352439814244,
    0.34363379791442283,
    0.7198251676658504,
    0.8306180904619974,
    -0.5840098795893389,
    -1.224985367308154,
    -0.269718737037564,
    0.20366863384122577,
    0.028752867895017985,
    0.24243710319485537,
    0.7841722963522199,
    -0.9984183369540185,
  ]],
  [{ mean: 1.0, std: 0.5, a: 0.5, b: 1.2 }, [
    0.8911256041106179,
    1.0733385649055247,
    0.6498462031130634,
    0.7429379430358282,
    0.9911849821005967,
    0.8579153705913256,
    1.083972375507065,
    0.8614290455296559,
    1.1461864294503579,
    1.1718168989572115,
    1.0432546600541277,
    1.0919313529162438,
    0.7079950602053305,
    0.6223103460666491,
    0.865140631481218,
    1.1018343169206128,
    1.014376433947509,
    1.1212185515974278,
    1.0564489060569828,
    0.5007908315229908,
  ]],
  [{ a: 1.5, b: 4.0 }, [
    1.5852704891263012,
    1.7819849446017628,
    2.4861714954658316,
    1.9373175732032366,
    2.4142589484734023,
    1.5207273502953262,
    3.114857758369506,
    1.588481986963462,
    2.1612805880025383,
    1.6650608482362195,
    2.4530304232258904,
    2.523331406701244,
    2.6175444311821607,
    2.354894344693509,
    1.93755249813836,
    1.9667784663078254,
    1.7872428486661607,
    1.8200873225110847,
    2.39576221509246,
    2.603732962947528,
  ]],
  [{ a: -3.0, b: -1.0, std: 0.5 }, [
    -1.0872412788649772,
    -1.4255026760847809,
    -1.4541701113428314,
    -1.0275295693107083,
    -1.4150076128231361,
    -1.1907248478666845,
    -1.708113793304395,
    -1.107818081731077,
    -1.1315948297684395,
    -1.3006045182392194,
    -1.7782523153456562,
    -1.3390500236397376,
    -1.0093133626355832,
    -1.0424389910722394,
    -1.0599150727883138,
    -1.0741666140058028,
    -1.0078985273721013,
    -1.0319737973155083,
    -1.1019845940011574,
    -1.494646925297542,
  ]],
  [{ std: 0.02, a: -0.04, b: 0.04 }, [
    -0.004354975835575283,
    0.002933542596220984,
    0.013381622426970953,
    -0.010282482278566873,
    -0.026928713780531455,
    -0.005683385176346978,
    0.003358895020282595,
    0.015161146572431639,
    0.02156870487962849,
    0.006872675958288457,
    0.014396503353317007,
    0.01661236180923995,
    -0.011680197591786779,
    -0.024499707346163083,
    -0.00539437474075128,
    0.004073372676824515,
    0.0005750573579003598,
    0.004848742063897108,
    0.015683445927044397,
    -0.01996836673908037,
  ]],
];
for (const [options, values] of truncated) {
  Deno.test(`truncNormal_ ${JSON.stringify(options)} is PyTorch's`, () => {
    const x = init.truncNormal_(zeros([20]), { ...options, generator: new Generator(3) });
    compareTensor(
      "truncNormal_",
      x,
      { tensor: [20], dtype: "float64", data: values, grad: false },
      // With a mean, values near 0 lose digits by cancellation.
      { absolute: 1e-15, relative: 1e-15 },
    );
  });
}

Deno.test("initialisers return their tensor, leave the tape alone and count as an edit", () => {
  const weight = zeros([2, 2], { requiresGrad: true });
  const fills = [
    init.uniform_,
    init.normal_,
    init.truncNormal_,
    init.ones_,
    init.zeros_,
    init.eye_,
    init.kaimingUniform_,
    init.kaimingNormal_,
    init.xavierUniform_,
    init.xavierNormal_,
    init.orthogonal_,
    (x: Tensor) => init.sparse_(x, { sparsity: 0.5 }),
    (x: Tensor) => init.constant_(x, 1),
  ];
  for (const fill of fills) {
    const y = weight.mul(weight).sum();
    assertStrictEquals(fill(weight), weight);
    assert(weight.isLeaf && weight.requiresGrad);
    assertThrows(() => y.backward(), Error, "mul");
  }
});

Deno.test("empty tensors keep their shape and draw nothing", () => {
  const generator = new Generator(1);
  const before = generator.getState();
  for (const shape of [[0, 3], [3, 0], [0, 0]]) {
    init.kaimingUniform_(zeros(shape), { generator });
    init.kaimingNormal_(zeros(shape), { generator });
    init.xavierUniform_(zeros(shape), { generator });
    init.orthogonal_(zeros(shape), { generator });
    init.truncNormal_(zeros(shape), { generator });
    init.eye_(zeros(shape));
    init.dirac_(zeros([...shape, 2]));
  }
  assertEquals(generator.getState(), before);
});

// deno-lint-ignore no-explicit-any -- what callers without types may pass.
type Anything = any;

const matrix = zeros([2, 2]);
const refused: [name: string, call: () => unknown, kind: ErrorConstructor, message: string][] = [
  ["a number for a tensor", () => init.ones_(3 as Anything), TypeError, "expected a Tensor"],
  [
    "a vector's fans",
    () => init.kaimingUniform_(zeros([3])),
    RangeError,
    "got a tensor of shape [3]",
  ],
  ["a scalar's fans", () => init.xavierNormal_(zeros([])), RangeError, "shape []"],
  [
    "an unknown mode",
    () => init.kaimingNormal_(matrix, { mode: "fan" as Anything }),
    RangeError,
    "got mode fan",
  ],
  [
    "an unknown nonlinearity",
    () => init.kaimingNormal_(matrix, { nonlinearity: "gelu" as Anything }),
    RangeError,
    "got nonlinearity gelu",
  ],
  ["a NaN slope", () => init.kaimingUniform_(matrix, { a: NaN }), RangeError, "param NaN"],
  ["a NaN gain", () => init.xavierUniform_(matrix, { gain: NaN }), RangeError, "gain NaN"],
  [
    "a gain of text",
    () => init.orthogonal_(matrix, { gain: "1" as Anything }),
    TypeError,
    "(string)",
  ],
  ["a negative normal gain", () => init.xavierNormal_(matrix, { gain: -1 }), RangeError, "std"],
  [
    "uniform bounds in the wrong order",
    () => init.uniform_(matrix, 1, 0),
    RangeError,
    "low ≤ high",
  ],
  ["a negative std", () => init.normal_(matrix, { std: -1 }), RangeError, "std -1"],
  [
    "a constant of text",
    () => init.constant_(matrix, "1" as Anything),
    TypeError,
    "value 1 (string)",
  ],
  ["an orthogonal vector", () => init.orthogonal_(zeros([4])), RangeError, "at least 2 dims"],
  ["eye_ of three axes", () => init.eye_(zeros([2, 2, 2])), RangeError, "expected 2 dims"],
  ["dirac_ of a matrix", () => init.dirac_(matrix), RangeError, "3, 4 or 5 dims"],
  [
    "groups that do not divide",
    () => init.dirac_(zeros([3, 1, 1]), { groups: 2 }),
    RangeError,
    "2",
  ],
  ["sparsity above 1", () => init.sparse_(matrix, { sparsity: 2 }), RangeError, "got sparsity 2"],
  [
    "a truncated normal without spread",
    () => init.truncNormal_(matrix, { std: 0 }),
    RangeError,
    "0",
  ],
  [
    "truncation bounds in the wrong order",
    () => init.truncNormal_(matrix, { a: 3 }),
    RangeError,
    "a 3",
  ],
  ["a NaN bound", () => init.truncNormal_(matrix, { b: NaN }), RangeError, "b NaN"],
];
for (const [name, call, kind, message] of refused) {
  Deno.test(`initialisers refuse ${name}`, () => void assertThrows(call, kind, message));
}
