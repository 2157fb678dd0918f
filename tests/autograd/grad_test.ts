/** What backward and grad() refuse, and where gradients go that nobody asked for. */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  definePrimitive,
  detectAnomaly,
  enableGrad,
  grad,
  gradcheck,
  mul,
  noGrad,
  noStatsUpdate,
  optim,
  type Tensor,
  tensor,
} from "../../mod.ts";
import * as tg from "../../mod.ts";
import type { Unary } from "../../mod.ts";

const leaf = (values: Parameters<typeof tensor>[0]): Tensor =>
  tensor(values, { requiresGrad: true });

// x³ with the gradient taken from a constant, so that its own derivative would be wrong.
const cube = definePrimitive<Unary<readonly [x: Tensor]>>({
  name: "tests.cubeOnce",
  onlyFirstOrder: "the slope is looked up in a table",
  shape: ([x]) => [x],
  forward: ([x], [y]) => x.data.forEach((value, i) => y.data[i] = value ** 3),
  save: ([x]) => [x],
  vjp: ([g], { saved: [x] }) => [mul(g, x.detach().square().mul(3))],
});

Deno.test("a second derivative through a rule of first order throws its reason", () => {
  const x = leaf([2]);
  const y = tg.bind(cube, [x], undefined)[0];
  const [first] = grad(y.sum(), [x], { createGraph: true });
  assertEquals(first!.toArray(), [12]);
  assertThrows(() => grad(first!.sum(), [x]), Error, "the slope is looked up in a table");
  assertThrows(() => first!.mul(x).sum().backward(), Error, "tests.cubeOnce");
});

Deno.test("gradcheck refuses a function that leaves the tape", () => {
  const x = leaf([1]);
  assertThrows(() => gradcheck((x) => x.detach().exp(), [x]), Error, "analytic 0, numeric ");
  assertThrows(() => gradcheck((x) => noGrad(() => x.mul(2)), [x]), Error, "numeric 2");
  assertThrows(() => gradcheck((x) => [x.mul(2), x.detach()], [x]), Error, "Cannot confirm");
  // What does not depend on x at all has no derivative to miss.
  assert(gradcheck((x) => [x.mul(2), tg.gt(x, 0)], [x]));
});

Deno.test("a leaf that was frozen after the forward collects nothing", () => {
  const [x, w] = [leaf([1, 2]), leaf([3, 4])];
  const loss = x.mul(w).sum();
  x.requiresGrad_(false);
  loss.backward();
  assertStrictEquals(x.grad, null);
  assertEquals(w.grad!.toArray(), [1, 2]);
});

Deno.test("grad is refused unless it is another tensor of the shape", () => {
  const x = leaf([1, 2]);
  const set = (value: unknown) => () => x.grad = value as Tensor;
  assertThrows(set(tensor([1])), RangeError, "got shape [1], expected another tensor of shape [2]");
  assertThrows(set(x), RangeError, "the tensor itself");
  assertThrows(set(3), TypeError, "got number 3, expected a Tensor or null");
  assertThrows(set([1, 2]), TypeError, "an array of 2");
  assertStrictEquals(x.grad, null);
  x.grad = tensor([5, 6]);
  x.grad = null;
});

Deno.test("asking for the gradient of nothing is refused", () => {
  const y = leaf([1]).mul(2);
  assertThrows(() => grad(y, []), RangeError, "inputs that is an empty array");
  assertThrows(() => grad([], [y]), RangeError, "outputs that is an empty array");
  assertThrows(() => y.backward(undefined, { inputs: [] }), RangeError, "at least one tensor");
  assertThrows(() => grad(y, 3 as unknown as Tensor), TypeError, "got inputs number 3");
});

Deno.test("backward adds to a grad that has a graph by a new tensor, and the old one stays", () => {
  const x = leaf([2]);
  x.mul(x).sum().backward(undefined, { createGraph: true });
  const first = x.grad!;
  x.mul(3).sum().backward();
  assertEquals([first.toArray(), x.grad!.toArray()], [[4], [7]]);
  assert(first.requiresGrad);
});

Deno.test("retainGrad() fills the grad of what an operation made", () => {
  const x = leaf([1, 2]);
  const y = x.mul(3);
  y.retainGrad();
  y.square().sum().backward();
  assertEquals(y.grad!.toArray(), [6, 12]);
  assertThrows(() => tensor(1).retainGrad(), Error, "does not require grad");
});

Deno.test("an edit by an optimizer between forward and backward is named", () => {
  const w = leaf([1, 2]);
  const sgd = new optim.SGD([w], { lr: 0.1 });
  const loss = w.square().sum();
  w.grad = tensor([1, 1]);
  sgd.step();
  assertThrows(() => loss.backward(), Error, "the step of SGD edited it");
});

const conditions: readonly [string, (fn: never) => unknown][] = [
  ["noGrad", noGrad],
  ["enableGrad", enableGrad],
  ["noStatsUpdate", noStatsUpdate],
  ["detectAnomaly", detectAnomaly],
];

for (const [name, run] of conditions) {
  Deno.test(`${name} refuses what is not a synchronous function`, () => {
    const call = (fn: unknown) => () => run(fn as never);
    assertThrows(call(3), TypeError, `Cannot run ${name}: got fn number 3, expected a function`);
    assertThrows(call(undefined), TypeError, "got fn undefined");
    assertThrows(call(() => Promise.resolve()), TypeError, "returns a promise");
    assertThrows(call(() => ({ then: () => {} })), TypeError, "returns a promise");
    assertThrows(call(function* () {}), TypeError, "returns a generator");
    assertThrows(call(async function* () {}), TypeError, "returns a generator");
  });
}

Deno.test("hooks that are no functions are refused where they are registered", () => {
  const hook = 3 as unknown as () => void;
  assertThrows(() => leaf([1]).registerHook(hook), TypeError, "got hook number 3");
});

Deno.test("a tensor of one element is its value in arithmetic and comparisons", () => {
  const x = tensor([2.5]) as unknown as number;
  assertEquals([x + 1, 1 + x, x * 2, -x], [3.5, 3.5, 5, -2.5]);
  assert(x > 2);
  assertEquals(`${tensor(2)}`, "tensor(2)");
  assertThrows(() => (tensor([1, 2]) as unknown as number) + 1, RangeError, "expected one element");
});

Deno.test("a tensor survives JSON with every bit", () => {
  const x = tensor([[0.1, -0, NaN], [Infinity, -Infinity, 1e-320]], { requiresGrad: true });
  const back = tensor(JSON.parse(JSON.stringify(x)));
  assertEquals(back.shape, [2, 3]);
  assert(back.requiresGrad);
  assert([...back.data].every((value, i) => Object.is(value, x.data[i])));
  assertThrows(() => JSON.stringify(tg.zeros([100_001])), RangeError, "saveSafetensors");
});
