/**
 * What a step reads and checks: states of other shapes, hyperparameters written by hand, exact scalars, and
 * optimizers written outside of the library.
 */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { nn, ones, optim, silenceWarnings, type Tensor, tensor, zeros } from "../../mod.ts";

silenceWarnings();

const kinds = {
  Adadelta: optim.Adadelta,
  Adagrad: optim.Adagrad,
  Adam: optim.Adam,
  AdamW: optim.AdamW,
  Adamax: optim.Adamax,
  ASGD: optim.ASGD,
  NAdam: optim.NAdam,
  RAdam: optim.RAdam,
  RMSprop: optim.RMSprop,
  Rprop: optim.Rprop,
  SGD: optim.SGD,
} as unknown as Record<string, new (params: Iterable<Tensor>, options?: object) => optim.Optimizer>;

const make = (name: string, params: Iterable<Tensor>): optim.Optimizer =>
  new kinds[name](params, name === "SGD" ? { momentum: 0.9 } : {});

/** A parameter with a gradient of ones. */
function parameter(values: number[]): Tensor {
  const w = tensor(values, { requiresGrad: true });
  w.grad = ones([values.length]);
  return w;
}

for (const name of Object.keys(kinds)) {
  Deno.test(`${name} made before a lazy layer's first forward steps like one made after it`, () => {
    const x = tensor([[1, 2], [3, 5], [4, 4]]);
    const run = (early: boolean) => {
      const bn = new nn.LazyBatchNorm1d();
      if (!early) bn.forward(x);
      const optimizer = make(name, bn.parameters());
      if (early) bn.forward(x);
      for (let i = 0; i < 3; i++) {
        optimizer.zeroGrad();
        bn.forward(x).square().mul(tensor([1, 2])).sum().backward();
        optimizer.step();
      }
      return bn.parameters().map((parameter) => parameter.toArray());
    };
    const values = run(true);
    assertEquals(values, run(false));
    assert(values.flat(2).every((value) => Number.isFinite(value)), String(values));
  });

  Deno.test(`${name} refuses a state of another shape than its parameter and moves nothing`, () => {
    const [first, w] = [parameter([7]), parameter([1, 2, 3])];
    const optimizer = make(name, [first, w]);
    optimizer.step();
    const state = optimizer.state.get(w)! as Record<string, Tensor | number>;
    const key = Object.keys(state).find((key) => typeof state[key] !== "number")!;
    state[key] = zeros([2]);
    const before = [first.toArray(), w.toArray()];
    assertThrows(
      () => optimizer.step(),
      RangeError,
      `Cannot step ${name}: got a state of shape [2] for params[1] in group 0, expected [3]`,
    );
    assertEquals([first.toArray(), w.toArray()], before);
  });

  for (const [value, error] of [["0.1", TypeError], [NaN, RangeError], [-1, RangeError]] as const) {
    Deno.test(`${name} refuses a rate of ${typeof value} ${value} written into a group`, () => {
      const w = parameter([1, 2]);
      const optimizer = make(name, [w]);
      optimizer.paramGroups[0].lr = value as number;
      const before = w.toArray();
      assertThrows(() => optimizer.step(), error, `Cannot step ${name}: got lr `);
      assertEquals(w.toArray(), before);
    });
  }

  Deno.test(`${name} refuses what is not an object of options`, () => {
    for (
      const options of [[], new Map([["lr", 1]]), new Set(), new Date(0), zeros([1]), 0.1, "lr"]
    ) {
      assertThrows(
        () => new kinds[name]([parameter([1])], options as object),
        TypeError,
        `Cannot make ${name}: got options`,
      );
    }
    assertThrows(
      () => new kinds[name]([parameter([1])], { constructor: 1 }),
      TypeError,
      "got an option constructor",
    );
  });

  Deno.test(`${name} takes the state that a file holds, as Maps`, () => {
    const [w, v] = [parameter([1, 2]), parameter([1, 2])];
    const [optimizer, other] = [make(name, [w]), make(name, [v])];
    optimizer.step();
    const asMaps = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(asMaps);
      if (typeof value !== "object" || value === null || "shape" in value) return value;
      return new Map(
        Object.entries(value).map(([key, entry]) => [
          // Indices are integers in a file.
          /^\d+$/.test(key) ? Number(key) : key,
          asMaps(entry),
        ]),
      );
    };
    other.loadStateDict(asMaps(optimizer.stateDict()) as optim.OptimizerStateDict);
    assertEquals(other.stateDict(), optimizer.stateDict());
    assertThrows(
      () => other.loadStateDict(new Map() as unknown as optim.OptimizerStateDict),
      TypeError,
      "expected { state, param_groups }",
    );
  });

  Deno.test(`the step of ${name} between forward and backward is named`, () => {
    const w = parameter([1, 2]);
    const optimizer = make(name, [w]);
    const loss = w.square().sum();
    optimizer.step();
    assertThrows(() => loss.backward(), Error, `the step of ${name} edited it`);
  });
}

Deno.test("a loaded state replaces the groups' hyperparameters, and none of the old stays", () => {
  const optimizer = new optim.SGD([parameter([1])], { lr: 0.5 });
  const before = optimizer.stateDict();
  const group = optimizer.paramGroups[0];
  Object.assign(group, { initialLr: 3, note: "kept nowhere" });
  optimizer.loadStateDict(before);
  assertStrictEquals(optimizer.paramGroups[0], group);
  assertEquals(optimizer.stateDict(), before);
});

Deno.test("ASGD steps in float64: 4 with a gradient of 2 and lr 1e-3", () => {
  const w = tensor([4], { requiresGrad: true });
  w.grad = tensor([2]);
  const optimizer = new optim.ASGD([w], { lr: 1e-3 });
  optimizer.step();
  assertEquals(w.item(), 3.9979996000000004);
  const { eta } = optimizer.state.get(w)!;
  assertEquals(eta, 1e-3 / (1 + 1e-4 * 1e-3 * 1) ** 0.75);
});

Deno.test("NAdam keeps the product of its momenta in float64", () => {
  const w = parameter([4]);
  const optimizer = new optim.NAdam([w]);
  optimizer.step();
  optimizer.step();
  const mu = (step: number) => 0.9 * (1 - 0.5 * 0.96 ** (step * 4e-3));
  assertEquals(optimizer.state.get(w)!.muProduct, mu(1) * mu(2));
});

Deno.test("an optimizer of one's own needs defaults and one update, which runs off the tape", () => {
  class Lion extends optim.Optimizer<optim.LearningRate, { momentum?: Tensor }> {
    constructor(params: Iterable<Tensor>, options: optim.LearningRate = {}) {
      super(params, options, { defaults: { lr: 1e-4 } });
    }
    protected override update(
      param: Tensor,
      grad: Tensor,
      group: optim.ParamGroup<optim.LearningRate>,
    ): void {
      const state = this.stateOf(param, group);
      const momentum = state.momentum ?? grad.mul(0);
      param.copy_(param.sub(momentum.mul(0.9).add(grad.mul(0.1)).sign().mul(group.lr)));
      state.momentum = momentum.mul(0.99).add(grad.mul(0.01));
    }
  }
  const w = tensor([4, -4], { requiresGrad: true });
  const lion = new Lion([w], { lr: 0.5 });
  w.square().sum().backward();
  const loss = w.square().sum();
  lion.step();
  assertEquals(w.toArray(), [3.5, -3.5]);
  assert(w.isLeaf && w.requiresGrad && !lion.state.get(w)!.momentum!.requiresGrad);
  assertThrows(() => loss.backward(), Error, "the step of Lion edited it");
  assertThrows(() => new Lion([w], { lr: -1 }), RangeError, "Cannot make Lion: got lr -1");
});
