/**
 * SGD, step by step.
 */
import { within } from "../assert_close.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { isGradEnabled, noGrad, type Tensor, tensor } from "../../autograd/mod.ts";
import { SGD, type SGDOptions } from "../../optim/mod.ts";

function parameter(...values: number[]): Tensor {
  return tensor(values, { requiresGrad: true });
}

/** The values after each step with these gradients. */
function trajectory(start: number, grads: readonly (number | null)[], options: SGDOptions) {
  const p = parameter(start);
  const optimizer = new SGD([p], options);
  return grads.map((grad) => {
    p.grad = grad === null ? null : tensor([grad]);
    optimizer.step();
    return p.data[0];
  });
}

const assertClose = within(1e-14);

Deno.test("SGD steps against the gradient by lr", () => {
  assertClose(trajectory(1, [2, -1], { lr: 0.1 }), [0.8, 0.9]);
});

Deno.test("SGD has a learning rate of 1e-3 where none is given", () => {
  assertClose(trajectory(1, [1], {}), [0.999]);
});

Deno.test("SGD with momentum carries the last step on", () => {
  // buf: 1, 0.5·1 + 1 = 1.5, 0.5·1.5 + 0 = 0.75
  assertClose(trajectory(0, [1, 1, 0], { lr: 1, momentum: 0.5 }), [-1, -2.5, -3.25]);
});

Deno.test("SGD's first step ignores dampening", () => {
  // buf: 1, 0.5·1 + 0.25·1 = 0.75
  assertClose(
    trajectory(0, [1, 1], { lr: 1, momentum: 0.5, dampening: 0.75 }),
    [-1, -1.75],
  );
});

Deno.test("SGD's first step is first for each parameter", () => {
  const a = parameter(0);
  const b = parameter(0);
  const optimizer = new SGD([a, b], { lr: 1, momentum: 0.5, dampening: 1 });
  a.grad = tensor([1]);
  optimizer.step();
  a.grad = tensor([1]);
  b.grad = tensor([1]);
  optimizer.step();
  // a: 0.5·1 + 0·1; b: its first step takes the whole gradient.
  assertClose([a.data[0], b.data[0]], [-1.5, -1]);
});

Deno.test("SGD with nesterov looks ahead", () => {
  // g + μ·buf: 1 + 0.5, then buf = 1.5 and 1 + 0.75
  assertClose(
    trajectory(0, [1, 1], { lr: 1, momentum: 0.5, nesterov: true }),
    [-1.5, -3.25],
  );
});

Deno.test("SGD adds weight decay to the gradient and leaves grad alone", () => {
  const p = parameter(2);
  const optimizer = new SGD([p], { lr: 0.5, weightDecay: 0.1, momentum: 0.9 });
  p.grad = tensor([1]);
  optimizer.step();
  assertClose([p.data[0]], [2 - 0.5 * 1.2]);
  assertEquals(p.grad.toArray(), [1]);
});

Deno.test("SGD with maximize turns the gradient before it adds the decay", () => {
  assertClose(trajectory(2, [1], { lr: 1, weightDecay: 0.1, maximize: true }), [2 - (-1 + 0.2)]);
});

Deno.test("SGD skips a parameter whose gradient is null", () => {
  const options = { lr: 1, momentum: 0.5, weightDecay: 0.25 };
  assertClose(trajectory(1, [null, null], options), [1, 1]);
});

Deno.test("SGD with a zero gradient still decays and carries momentum", () => {
  assertClose(trajectory(4, [0], { lr: 1, weightDecay: 0.25 }), [3]);
  assertClose(trajectory(0, [1, 0, 0], { lr: 1, momentum: 0.5 }), [-1, -1.5, -1.75]);
});

Deno.test("zeroGrad() makes the next step skip, zeroGrad({ setToNone: false }) does not", () => {
  for (const setToNone of [true, false]) {
    const p = parameter(0);
    const optimizer = new SGD([p], { lr: 1, momentum: 0.5 });
    p.grad = tensor([1]);
    optimizer.step();
    optimizer.zeroGrad({ setToNone });
    assertEquals(p.grad?.toArray() ?? null, setToNone ? null : [0]);
    optimizer.step();
    assertEquals(p.data[0], setToNone ? -1 : -1.5);
  }
});

Deno.test("zeroGrad({ setToNone: false }) writes into the gradient that others hold", () => {
  const p = parameter(0);
  const grad = tensor([1]);
  p.grad = grad;
  new SGD([p]).zeroGrad({ setToNone: false });
  assertEquals(grad.toArray(), [0]);
});

Deno.test("a change of lr acts at the next step, momentum included", () => {
  const p = parameter(0);
  const optimizer = new SGD([p], { lr: 1, momentum: 0.5 });
  p.grad = tensor([1]);
  optimizer.step();
  optimizer.paramGroups[0].lr = 0.1;
  optimizer.step();
  assertClose([p.data[0]], [-1.15]);
});

Deno.test("momentum that is turned on later begins with its first step", () => {
  const p = parameter(0);
  const optimizer = new SGD([p], { lr: 1, dampening: 1 });
  p.grad = tensor([1]);
  optimizer.step();
  optimizer.paramGroups[0].momentum = 0.5;
  optimizer.step();
  optimizer.step();
  assertClose([p.data[0]], [-2.5]);
});

Deno.test("lr, momentum and weightDecay may be tensors of one element", () => {
  const lr = tensor(0.5);
  const p = parameter(2);
  const optimizer = new SGD([p], { lr, momentum: tensor([0.5]), weightDecay: tensor(0.5) });
  p.grad = tensor([1]);
  optimizer.step();
  assertClose([p.data[0]], [1]);
  lr.copy_(0.25);
  optimizer.step();
  assertClose([p.data[0]], [1 - 0.25 * (0.5 * 2 + 1.5)]);
});

Deno.test("NaN in one element of a gradient stays in that element", () => {
  const p = parameter(1, 2, 3);
  p.grad = tensor([1, NaN, 1]);
  new SGD([p], { lr: 1, momentum: 0.9 }).step();
  assertEquals(p.toArray(), [0, NaN, 2]);
});

Deno.test("step(closure) runs it with grad mode on and returns its value", () => {
  const p = parameter(3);
  const optimizer = new SGD([p], { lr: 0.5 });
  const loss = noGrad(() =>
    optimizer.step(() => {
      assertEquals(isGradEnabled(), true);
      optimizer.zeroGrad();
      const loss = p.mul(p).sum();
      loss.backward();
      return loss;
    })
  );
  assertEquals(loss.item(), 9);
  assertEquals(p.toArray(), [0]);
  assertEquals(optimizer.step(), undefined);
});

Deno.test("a step is an edit in place that the tape notices", () => {
  const p = parameter(3);
  const optimizer = new SGD([p], { lr: 0.5 });
  const y = p.mul(p).sum();
  p.grad = tensor([1]);
  optimizer.step();
  assertThrows(() => y.backward(), Error, "edited in place");
});

Deno.test("a step moves what shares the parameter's values", () => {
  const p = parameter(3);
  const alias = p.detach();
  p.grad = tensor([1]);
  new SGD([p], { lr: 1 }).step();
  assertEquals(alias.toArray(), [2]);
  assertEquals([p.isLeaf, p.requiresGrad], [true, true]);
});

Deno.test("a gradient that is itself on the tape is used for its values", () => {
  const p = parameter(3);
  p.mul(p).mul(p).sum().backward(null, { createGraph: true });
  new SGD([p], { lr: 1 }).step();
  assertEquals(p.toArray(), [3 - 27]);
});

Deno.test("parameters without elements and scalars step", () => {
  const empty = tensor([], { requiresGrad: true });
  const scalar = tensor(1, { requiresGrad: true });
  empty.grad = tensor([]);
  scalar.grad = tensor(1);
  new SGD([empty, scalar], { lr: 1, momentum: 0.5 }).step();
  assertEquals([empty.toArray(), scalar.item()], [[], 0]);
});

Deno.test("a gradient of another shape is refused where it is set", () => {
  const b = parameter(1, 2);
  assertThrows(
    () => b.grad = tensor([[1, 2]]),
    RangeError,
    "Cannot set grad: got shape [1, 2], expected another tensor of shape [2]",
  );
  assertEquals(b.grad, null);
});

Deno.test("step() refuses what is no function, and a promise", () => {
  const optimizer = new SGD([parameter(1)]);
  assertThrows(
    () => optimizer.step(3 as unknown as () => number),
    TypeError,
    "Cannot step SGD: got closure number 3, expected a function",
  );
  assertThrows(() => optimizer.step(() => Promise.resolve(1)), TypeError, "promise");
});

Deno.test("hooks see each step before and after, until they are removed", () => {
  const p = parameter(1);
  const optimizer = new SGD([p], { lr: 1 });
  const seen: string[] = [];
  const before = optimizer.registerStepPreHook(() => void seen.push(`before ${p.item()}`));
  const after = optimizer.registerStepPostHook((o) => void seen.push(`${o.stepCount} ${p.item()}`));
  p.grad = tensor([1]);
  optimizer.step();
  before.remove();
  optimizer.step();
  after.remove();
  optimizer.step();
  assertEquals(seen, ["before 1", "1 0", "2 -1"]);
  assertEquals(optimizer.stepCount, 3);
});
