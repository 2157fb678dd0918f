import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  add,
  bind,
  definePrimitive,
  detectAnomaly,
  div,
  enableGrad,
  exp,
  grad,
  gradcheck,
  isGradEnabled,
  mul,
  noGrad,
  ones,
  sum,
  type Tensor,
  tensor,
  type Unary,
  zeros,
} from "../../autograd/mod.ts";

const leaf = (values: number[]) => tensor(values, { requiresGrad: true });

Deno.test("backward() accumulates into leaves, and only into leaves", () => {
  const x = leaf([1, 2]);
  const y = mul(x, x);
  sum(y).backward();
  sum(mul(x, 3)).backward();
  assertEquals(x.grad!.toArray(), [5, 7]);
  assertStrictEquals(y.grad, null);
});

Deno.test("backward() gives each leaf a gradient of its own, also where a rule hands one on twice", () => {
  const [x, y] = [leaf([1]), leaf([2])];
  const gradient = tensor([1]);
  add(x, y).backward(gradient);
  x.grad!.copy_(5);
  assertEquals(y.grad!.toArray(), [1]);
  assertEquals(gradient.toArray(), [1]);
});

Deno.test("backward() on more than one element needs a gradient of the same shape", () => {
  const y = mul(leaf([1, 2]), 2);
  assertThrows(() => y.backward(), RangeError, "without gradient");
  assertThrows(() => y.backward(ones([3])), RangeError, "[3], expected [2]");
  assertThrows(() => zeros([1]).backward(), Error, "does not require grad");
});

Deno.test("backward() a second time throws and names retainGraph", () => {
  const x = leaf([2]);
  const y = sum(mul(x, x));
  y.backward();
  assertThrows(() => y.backward(), Error, "retainGraph");
  const z = sum(mul(x, x));
  z.backward(null, { retainGraph: true });
  z.backward();
  assertEquals(x.grad!.toArray(), [12]);
});

Deno.test("backward({ inputs }) leaves other leaves alone", () => {
  const [x, y] = [leaf([2]), leaf([3])];
  sum(mul(x, y)).backward(null, { inputs: [x] });
  assertEquals(x.grad!.toArray(), [3]);
  assertStrictEquals(y.grad, null);
});

Deno.test("a saved tensor that was edited is told by primitive and versions", () => {
  const x = leaf([1]);
  const factor = tensor([3]);
  const y = mul(x, factor);
  factor.copy_(4);
  assertThrows(() => y.backward(), Error, "backward of mul");
  const z = mul(x, factor);
  factor.copy_(5);
  assertThrows(() => z.backward(), Error, "got version 2, expected version 1");
});

Deno.test("an edit through an alias counts as an edit", () => {
  const x = leaf([1]);
  const y = exp(x);
  y.detach().copy_(0);
  assertThrows(() => y.backward(), Error, "backward of exp");
});

Deno.test("copy_() refuses a leaf that requires grad while recording, not under noGrad", () => {
  const x = leaf([1, 2]);
  assertThrows(() => x.copy_(0), Error, "noGrad");
  noGrad(() => x.copy_(tensor([7])));
  assertEquals(x.toArray(), [7, 7]);
  assertThrows(() => noGrad(() => x.copy_(ones([3]))), RangeError, "[3]");
});

Deno.test("copy_() on the tape takes the source's place", () => {
  const [x, source] = [leaf([1, 2]), leaf([5, 6])];
  const y = mul(x, 2);
  y.copy_(mul(source, 3));
  sum(y).backward();
  assertEquals(source.grad!.toArray(), [3, 3]);
  // As in PyTorch: the old values count for nothing.
  assertEquals(x.grad!.toArray(), [0, 0]);
});

Deno.test("grad() reaches leaves and intermediate tensors, and leaves .grad alone", () => {
  const x = leaf([2]);
  const h = mul(x, x);
  const [dh, dx] = grad(mul(h, h), [h, x]);
  assertEquals([dh!.item(), dx!.item()], [8, 32]);
  assertStrictEquals(x.grad, null);
});

Deno.test("grad() names an unused input unless it is allowed", () => {
  const [x, y] = [leaf([2]), leaf([3])];
  assertThrows(() => grad(mul(x, 2), [x, y]), Error, "inputs[1]");
  assertEquals(grad(mul(x, 2), [y], { allowUnused: true }), [null]);
});

Deno.test("grad() of several outputs sums over them, weighted by gradOutputs", () => {
  const x = leaf([3]);
  const outputs = [mul(x, x), mul(x, 5)];
  const [dx] = grad(outputs, [x], { gradOutputs: [tensor([2]), tensor([10])] });
  assertEquals(dx!.toArray(), [62]);
});

for (const size of [1, 5000]) {
  Deno.test(`a sum of ${size} cotangents that a rule hands on twice is not added to in place`, () => {
    const [x, q] = [ones([size], { requiresGrad: true }), ones([size], { requiresGrad: true })];
    const [h, p] = [mul(x, 1), mul(q, 1)];
    const earlier = mul(h, 5);
    const a = add(h, p);
    sum(add(add(mul(a, 2), mul(a, 3)), earlier)).backward();
    assertEquals([x.grad!.data[0], q.grad!.data[0]], [10, 5]);
    assertEquals([x.grad!.data[size - 1], q.grad!.data[size - 1]], [10, 5]);
  });
}

Deno.test("a large gradient that a hook or a user's rule has seen keeps its values for ever", () => {
  const size = 5000;
  const x = ones([size], { requiresGrad: true });
  const h = mul(x, 2);
  const seen: Tensor[] = [];
  h.registerHook((g) => void seen.push(g));
  const keeping = definePrimitive<Unary>({
    name: "tests.keepsItsCotangent",
    summary: "x",
    shape: ([x]) => [x],
    forward: ([x], [y]) => y.data.set(x.data),
    vjp: ([g]) => {
      seen.push(g);
      return [g];
    },
    samples: () => [],
  });
  sum(mul(bind(keeping, [h], undefined)[0], 3)).backward();
  const [dh] = grad(sum(mul(mul(mul(x, 4), 5), 6)), [x]);
  for (let i = 0; i < 50; i++) sum(mul(mul(x, i), i)).backward();
  assertEquals(seen.map((g) => [g.data[0], g.data[size - 1]]), [[3, 3], [3, 3]]);
  assertEquals([dh!.data[0], dh!.data[size - 1]], [120, 120]);
});

Deno.test("createGraph goes to any order", () => {
  const x = leaf([2]);
  let y: Tensor = mul(mul(x, x), mul(x, x));
  const derivatives = [1, 2, 3, 4].map(() => {
    [y] = grad(y, [x], { createGraph: true }) as [Tensor];
    return y.item();
  });
  assertEquals(derivatives, [32, 48, 48, 24]);
});

Deno.test("hooks see the whole gradient once, may replace it, and come off", () => {
  const x = leaf([1]);
  const h = mul(x, 2);
  const seen: number[] = [];
  const handle = h.registerHook((g) => {
    seen.push(g.item());
    return mul(g, 10);
  });
  x.registerHook((g) => void seen.push(g.item()));
  add(h, mul(h, 3)).backward();
  handle.remove();
  handle.remove();
  assertEquals(seen, [4, 80]);
  assertEquals(x.grad!.toArray(), [80]);
  assertThrows(() => zeros([1]).registerHook(() => {}), Error, "does not require grad");
});

Deno.test("a hook may run another pass over the same calls, also one that throws half-way", () => {
  const x = leaf([1, 2]);
  const h = x.square();
  const e = h.exp();
  const y = e.sum();
  const seen: number[][] = [];
  let isOutermost = true;
  e.registerHook(() => {
    if (!isOutermost) return;
    isOutermost = false;
    const handle = h.registerHook(() => {
      throw new Error("no further");
    });
    assertThrows(() => grad(y, [x], { retainGraph: true }), Error, "no further");
    handle.remove();
    for (const z of [x, h]) seen.push([...grad(y, [z], { retainGraph: true })[0]!.data]);
  });
  y.backward(null, { inputs: [x], retainGraph: true });
  const expected = [1, 2].map((value) => 2 * value * Math.exp(value ** 2));
  assertEquals(x.grad!.toArray(), expected);
  assertEquals(seen, [expected, [1, 4].map(Math.exp)]);
});

Deno.test("noGrad() and enableGrad() nest, restore after a throw and refuse promises", () => {
  assert(isGradEnabled());
  noGrad(() => {
    assert(!mul(leaf([1]), 2).requiresGrad);
    assert(enableGrad(() => mul(leaf([1]), 2).requiresGrad));
  });
  assertThrows(
    () =>
      noGrad(() => {
        throw new Error("inside");
      }),
    Error,
    "inside",
  );
  assert(isGradEnabled());
  assertThrows(() => noGrad(() => Promise.resolve()), TypeError, "promise");
  assert(isGradEnabled());
});

Deno.test("requiresGrad_(false) is for leaves", () => {
  assertThrows(() => mul(leaf([1]), 2).requiresGrad_(false), Error, "detach()");
  assert(!leaf([1]).requiresGrad_(false).requiresGrad);
});

Deno.test("a chain of 100,000 operations differentiates", () => {
  const x = leaf([1]);
  let y = x;
  for (let i = 0; i < 100_000; i++) y = mul(y, 1.00001);
  y.backward();
  assertAlmostEquals(x.grad!.item(), 1.00001 ** 100_000, 1e-9);
});

Deno.test("a tensor that is used many times gets every part of its gradient", () => {
  const x = leaf([3]);
  let y: Tensor = zeros([1]);
  for (let i = 0; i < 1000; i++) y = add(y, x);
  y.backward();
  assertEquals(x.grad!.toArray(), [1000]);
});

Deno.test("detectAnomaly() names the primitive, forward and backward", () => {
  assertThrows(() => detectAnomaly(() => div(tensor([1]), 0)), Error, "forward of div");
  const broken = definePrimitive<Unary>({
    name: "tests.brokenBackward",
    summary: "x, with NaN as its gradient",
    shape: ([x]) => [x],
    forward: ([x], [y]) => y.data.set(x.data),
    vjp: ([g]) => [mul(g, NaN)],
    samples: () => [],
  });
  assertThrows(
    () => detectAnomaly(() => bind(broken, [leaf([1])], undefined)[0].backward()),
    Error,
    "backward of tests.brokenBackward",
  );
  assertEquals(div(tensor([1]), 0).item(), Infinity);
});

Deno.test("gradcheck() varies its inputs also when the function has looked into them", () => {
  let calls = 0;
  const fn = (x: Tensor) => {
    if (calls++ === 1) x.data.forEach((value) => assert(Number.isFinite(value)));
    return x.mul(x);
  };
  assertEquals(gradcheck(fn, [leaf([1, 2])]), true);
});

Deno.test("gradcheck() names input, index, analytic and numeric", () => {
  const wrong = definePrimitive<Unary>({
    name: "tests.wrongRule",
    summary: "2x with 3 as its derivative",
    shape: ([x]) => [x],
    forward: ([x], [y]) => x.data.forEach((value, i) => y.data[i] = 2 * value),
    vjp: ([g]) => [mul(g, 3)],
    samples: () => [],
  });
  assertThrows(
    () => gradcheck((x) => bind(wrong, [x], undefined), [leaf([1, 2])]),
    Error,
    "order 1, input 0 of shape [2], flat index 0: analytic",
  );
  assertThrows(() => gradcheck((x) => x, [zeros([1])]), RangeError, "requires grad");
});

Deno.test("a rule that returns a wrong number or shape of cotangents is told", () => {
  const rule = (name: string, vjp: () => [Tensor]) =>
    definePrimitive<Unary>({
      name,
      summary: "x",
      shape: ([x]) => [x],
      forward: ([x], [y]) => y.data.set(x.data),
      vjp,
      samples: () => [],
    });
  const two = rule("tests.twoCotangents", () => [ones([1]), ones([1])] as unknown as [Tensor]);
  const shape = rule("tests.wrongShape", () => [ones([5])]);
  assertThrows(
    () => bind(two, [leaf([1])], undefined)[0].backward(),
    RangeError,
    "got 2 cotangents from its vjp, expected 1",
  );
  assertThrows(
    () => sum(bind(shape, [leaf([1, 2])], undefined)[0]).backward(),
    RangeError,
    "got a cotangent of shape [5] for input 0 from its vjp, expected [2]",
  );
});
