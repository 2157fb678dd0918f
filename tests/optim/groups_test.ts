/**
 * What optimizers are given: parameters, groups, hyperparameters, and what they refuse.
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Tensor, tensor, zeros } from "../../autograd/mod.ts";
import * as optim from "../../optim/mod.ts";
import { Adam, AdamW, Rprop, SGD } from "../../optim/mod.ts";

function parameter(): Tensor {
  return zeros([2], { requiresGrad: true });
}

type Make = (options: object, params?: unknown) => optim.Optimizer;

/** Makes an optimizer of that name from arguments of any kind. */
function make(name: string): Make {
  const kinds = optim as unknown as Record<
    string,
    new (params: unknown, options: object) => optim.Optimizer
  >;
  return (options, params = [parameter()]) => new kinds[name](params, options);
}

const common = { lr: [-1, NaN], weightDecay: [-0.1, NaN] };
const moments = { eps: [-1e-8, NaN], betas: [[-0.1, 0.9], [0.9, 1], [NaN, 0.9], [0.9], []] };

// Values that each optimizer refuses as out of range.
const refused: Record<string, Record<string, unknown[]>> = {
  SGD: { ...common, momentum: [-0.9, NaN], dampening: [NaN] },
  Adam: { ...common, ...moments },
  AdamW: { ...common, ...moments },
  NAdam: { ...common, ...moments, momentumDecay: [-1, NaN] },
  RAdam: { ...common, ...moments },
  Adamax: { ...common, ...moments },
  RMSprop: { ...common, eps: [-1, NaN], momentum: [-1, NaN], alpha: [-1, NaN] },
  Adagrad: { ...common, eps: [-1, NaN], lrDecay: [-1, NaN], initialAccumulatorValue: [-1, NaN] },
  Adadelta: { ...common, eps: [-1, NaN], rho: [-0.1, 1.1, NaN] },
  ASGD: { ...common, lambd: [NaN], alpha: [NaN], t0: [NaN] },
  Rprop: {
    lr: [-1, NaN],
    etas: [[0, 1.2], [0.5, 1], [1.2, 1.2], [NaN, 1.2], [0.5]],
    stepSizes: [[NaN, 1], [1, NaN], [1]],
  },
};

for (const [name, keys] of Object.entries(refused)) {
  for (const [key, values] of Object.entries(keys)) {
    Deno.test(`${name} refuses a ${key} that is out of range or NaN`, () => {
      for (const value of values) {
        const error = assertThrows(() => make(name)({ [key]: value }), RangeError);
        assertStringIncludes(error.message, `Cannot make ${name}: got ${key}`);
        assertStringIncludes(error.message, ", expected ");
        // The same in a group of its own and in a state dict.
        const group = { params: [parameter()], [key]: value };
        const inGroup = assertThrows(() => make(name)({}, [group]), RangeError);
        assertStringIncludes(inGroup.message, "in group 0");
        const optimizer = make(name)({});
        const before = optimizer.toString();
        assertThrows(() => optimizer.addParamGroup(group as never), RangeError, "in group 1");
        const state = optimizer.stateDict();
        const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
        const wrong = [{ ...state.param_groups[0], [snake]: value as number }];
        assertThrows(
          () => optimizer.loadStateDict({ state: state.state, param_groups: wrong }),
          RangeError,
          `Cannot load the state of ${name}`,
        );
        assertEquals(optimizer.toString(), before);
      }
    });
  }

  Deno.test(`${name} refuses hyperparameters of another kind`, () => {
    assertThrows(() => make(name)({ lr: "0.1" }), TypeError, `Cannot make ${name}: got lr "0.1"`);
    assertThrows(() => make(name)({ lr: null }), TypeError, "got lr null");
    assertThrows(() => make(name)({ lr: tensor([1, 2]) }), RangeError, "of shape [2]");
    assertThrows(() => make(name)({ maximize: 1 }), TypeError, "got maximize 1");
    assertThrows(
      () => make(name)({ learningRate: 1 }),
      TypeError,
      `Cannot make ${name}: got an option learningRate, expected one of lr, `,
    );
    assertThrows(() => make(name)(3 as unknown as object), TypeError, "got options number 3");
  });

  Deno.test(`${name} accepts a lr of 0 and a tensor of one element`, () => {
    make(name)({ lr: 0 });
    make(name)({ lr: tensor(0.1) });
    make(name)({ lr: undefined, foreach: false, fused: null, capturable: true });
  });
}

Deno.test("every optimizer of the room is held to its refusals", () => {
  const kinds = Object.entries(optim).filter(([name, value]) =>
    typeof value === "function" && value.prototype instanceof optim.Optimizer &&
    name !== "Optimizer"
  );
  assertEquals(kinds.map(([name]) => name).sort(), Object.keys(refused).sort());
});

Deno.test("SGD refuses nesterov without momentum or with dampening", () => {
  const expected = "Cannot make SGD: got nesterov true, expected it with a momentum above 0";
  for (const options of [{}, { momentum: 0 }, { momentum: 0.9, dampening: 0.1 }]) {
    assertThrows(
      () => new SGD([parameter()], { nesterov: true, ...options }),
      RangeError,
      expected,
    );
  }
  new SGD([parameter()], { nesterov: true, momentum: 0.9 });
});

Deno.test("Rprop shows both etas that it refuses", () => {
  assertThrows(
    () => new Rprop([parameter()], { etas: [1.5, 1.2] }),
    RangeError,
    "Cannot make Rprop: got etas [1.5, 1.2], expected 0 < etas[0] < 1 < etas[1]",
  );
});

Deno.test("an optimizer refuses an empty list of parameters", () => {
  const expected = "Cannot make SGD: got an empty list of params, expected at least one parameter";
  assertThrows(() => new SGD([]), RangeError, expected);
  assertThrows(() => new SGD(new Set<Tensor>()), RangeError, expected);
});

Deno.test("an optimizer refuses params that are no iterable of tensors", () => {
  for (const params of [undefined, null, 3, {}, "w", parameter()]) {
    assertThrows(() => make("SGD")({}, params ?? null), TypeError, "Cannot make SGD: got params");
  }
  assertThrows(() => make("SGD")({}, [parameter(), 3]), TypeError, "got params[1] number 3");
  assertThrows(() => make("SGD")({}, [null]), TypeError, "got params[0] null");
  assertThrows(
    () => make("SGD")({}, [{ params: [parameter()] }, parameter()]),
    TypeError,
    "mix tensors and groups",
  );
  assertThrows(() => make("SGD")({}, [{ params: 3 }]), TypeError, "got params number 3 in group 0");
});

Deno.test("an optimizer refuses a tensor that is not a leaf", () => {
  const y = parameter().mul(2);
  assertThrows(
    () => new SGD([parameter(), y]),
    RangeError,
    "Cannot make SGD: got params[1] of shape [2] in group 0, which an operation made, expected a leaf",
  );
});

Deno.test("an optimizer refuses a parameter in two groups or twice in one", () => {
  const p = parameter();
  assertThrows(
    () => new SGD([{ params: [p] }, { params: [parameter(), p] }]),
    RangeError,
    "got params[1] of shape [2] in group 1, which group 0 holds too",
  );
  assertThrows(() => new SGD([p, p]), RangeError, "params[0] too, expected every parameter once");
  const optimizer = new SGD([p]);
  assertThrows(() => optimizer.addParamGroup({ params: p }), RangeError, "which group 0 holds too");
  assertEquals(optimizer.paramGroups.length, 1);
});

Deno.test("addParamGroup refuses what is no group", () => {
  const optimizer = new SGD([parameter()]);
  for (const group of [null, 3, [parameter()], {}]) {
    assertThrows(
      () => optimizer.addParamGroup(group as never),
      TypeError,
      "Cannot add a parameter group to SGD",
    );
  }
});

Deno.test("parameters come from any iterable", () => {
  function* generate(): Iterable<Tensor> {
    yield parameter();
    yield parameter();
  }
  assertEquals(new SGD(generate()).paramGroups[0].params.length, 2);
  assertEquals(new SGD(new Set([parameter()])).paramGroups[0].params.length, 1);
  assertEquals(new SGD([{ params: parameter() }]).paramGroups[0].params.length, 1);
  assertEquals(new SGD([{ params: generate() }]).paramGroups[0].params.length, 2);
  assertEquals(new SGD([zeros([2])]).paramGroups[0].params.length, 1);
});

Deno.test("groups take what they lack from the options", () => {
  const optimizer = new SGD(
    [{ params: [parameter()], lr: 0.5 }, { params: [parameter()], momentum: 0, weightDecay: 1 }],
    { lr: 0.1, momentum: 0.9 },
  );
  optimizer.addParamGroup({ params: [parameter()], maximize: true });
  const shown = optimizer.paramGroups.map(({ lr, momentum, weightDecay, maximize }) => [
    lr,
    momentum,
    weightDecay,
    maximize,
  ]);
  assertEquals(shown, [[0.5, 0.9, 0, false], [0.1, 0, 1, false], [0.1, 0.9, 0, true]]);
  assertEquals(optimizer.defaults.lr, 0.1);
});

Deno.test("groups step with their own hyperparameters", () => {
  const [a, b] = [parameter(), parameter()];
  const optimizer = new SGD([{ params: [a], lr: 1 }, { params: [b] }], { lr: 0.5 });
  for (const p of [a, b]) p.grad = tensor([1, 1]);
  optimizer.step();
  assertEquals([a.toArray(), b.toArray()], [[-1, -1], [-0.5, -0.5]]);
});

Deno.test("a list of betas that is changed later does not change the optimizer", () => {
  const betas: [number, number] = [0.5, 0.6];
  const optimizer = new Adam([parameter()], { betas });
  betas[0] = 0.9;
  assertEquals(optimizer.paramGroups[0].betas, [0.5, 0.6]);
});

Deno.test("named parameters keep their names, all or none", () => {
  const [a, b] = [parameter(), parameter()];
  const optimizer = new AdamW([["fc.weight", a], ["fc.bias", b]]);
  assertEquals(optimizer.paramGroups[0].paramNames, ["fc.weight", "fc.bias"]);
  assertEquals(optimizer.stateDict().param_groups[0].param_names, ["fc.weight", "fc.bias"]);
  assertThrows(() => optimizer.addParamGroup({ params: parameter() }), TypeError, "names");
  assertThrows(() => make("SGD")({}, [["w", a], b]), TypeError, "expected all or none");
  assertThrows(() => make("SGD")({}, [["w", 3]]), TypeError, 'got params "w" number 3');
});

Deno.test("toString() shows the groups", () => {
  const text = new SGD([parameter()], { lr: 0.1 }).toString();
  assert(text.startsWith("SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.1\n"), text);
  assert(text.endsWith("    weightDecay: 0\n)"), text);
});
