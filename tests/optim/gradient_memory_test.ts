import { memoryInfo } from "../../autograd/runtime/pool.ts";
import { optim, randn, type Tensor } from "../../mod.ts";
import type { OptimizerKind, ParamGroup, SGDOptions } from "../../optim/mod.ts";
import { assert, assertEquals } from "@std/assert";

function parameter(): Tensor {
  return randn([4096], { requiresGrad: true });
}

function step(p: Tensor, optimizer: { zeroGrad(): void; step(): void }): void {
  optimizer.zeroGrad();
  p.mul(p).sum().backward();
  optimizer.step();
}

Deno.test("the memory of a gradient that nobody read goes back when it is cleared", () => {
  const p = parameter();
  const optimizer = new optim.Adam([p]);
  step(p, optimizer);
  const before = memoryInfo().pooledBytes;
  optimizer.zeroGrad();
  assert(memoryInfo().pooledBytes <= before - p.size * 8);
});

Deno.test("a gradient that somebody holds keeps its values for ever", () => {
  const p = parameter();
  const optimizer = new optim.SGD([p], { lr: 0.25 });
  step(p, optimizer);
  const held = p.grad!;
  const values = held.toArray();
  for (let i = 0; i < 3; i++) step(p, optimizer);
  assertEquals(held.toArray(), values);
});

Deno.test("an optimizer of one's own may keep the gradients that it is given", () => {
  class Keeping extends optim.Optimizer {
    readonly kept: Tensor[] = [];

    constructor(params: Tensor[]) {
      const kind: OptimizerKind<{ lr?: number }> = {
        name: "Keeping",
        defaults: { lr: 0.25 },
        state: { tensors: [], optional: [], numbers: [] },
        check() {},
      };
      super(params, {}, kind);
    }

    protected override initialState(): Record<string, never> {
      return {};
    }

    protected override update(_: Tensor, grad: Tensor): void {
      this.kept.push(grad);
    }
  }
  const p = parameter();
  const optimizer = new Keeping([p]);
  step(p, optimizer);
  const values = optimizer.kept[0].toArray();
  for (let i = 0; i < 3; i++) step(p, optimizer);
  assertEquals(optimizer.kept[0].toArray(), values);
});

Deno.test("an optimizer of one's own that goes on from one of ours may keep them too", () => {
  class Keeping extends optim.SGD {
    readonly kept: Tensor[] = [];

    protected override update(param: Tensor, grad: Tensor, group: ParamGroup<SGDOptions>): void {
      this.kept.push(grad);
      super.update(param, grad, group);
    }
  }
  const p = parameter();
  const optimizer = new Keeping([p], { lr: 0.25 });
  step(p, optimizer);
  const values = optimizer.kept[0].toArray();
  for (let i = 0; i < 3; i++) step(p, optimizer);
  assertEquals(optimizer.kept[0].toArray(), values);
});
