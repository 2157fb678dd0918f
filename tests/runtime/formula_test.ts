/**
 * Elementwise results on large tensors are computed when somebody reads them. Nobody can tell: each value has
 * the bits of the operation run at once, whatever has become of its operands.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { memoryInfo } from "../../autograd/runtime/pool.ts";
import type { Source } from "../../autograd/runtime/formula.ts";
import { storageOf } from "../../autograd/tensor.ts";
import { setDeferring } from "../../autograd/runtime/memory.ts";
import {
  bind,
  clone,
  detectAnomaly,
  Generator,
  grad,
  nn,
  noGrad,
  optim,
  primitives,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

const { functional: f } = nn;

/** More than two blocks, and no whole number of anything. */
const SIZE = 3 * 4096 + 7;

/** What `run` returns with every operation run at once. */
function atOnce<T>(run: () => T): T {
  setDeferring(false);
  try {
    return run();
  } finally {
    setDeferring(true);
  }
}

/** The bits of the values, which are read but not handed to anybody. */
function bits(x: Tensor): string {
  const values = clone(x).data;
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length).join();
}

function large(seed: number, size = SIZE): Tensor {
  return randn([size], { generator: new Generator(seed) });
}

Deno.test("each elementwise primitive has the bits of the operation run at once", () => {
  const records = [...primitives.values()].filter((record) => record.elementwise !== undefined);
  assert(records.length >= 25, records.map(({ name }) => name).join());
  for (const record of records) {
    for (const { inputs, attrs } of record.samples!(new Generator(1))) {
      for (const size of [2048, 4097, SIZE]) {
        // The values of the samples, over and over: those that the operation is made for.
        const operands = (inputs as Tensor[]).map((x) =>
          x.size === 1
            ? x
            : tensor(Float64Array.from({ length: size }, (_, i) => x.data[i % x.size]))
        );
        const run = () => bits(bind(record, operands, attrs)[0] as Tensor);
        assertEquals(run(), atOnce(run), `${record.name} of ${size}`);
      }
    }
  }
});

/** A program that computes, edits and reads at random; what it read. */
function program(seed: number): string[] {
  const random = new Generator(seed);
  const pick = (n: number): number => random.random32() % n;
  const held = [large(seed), large(seed + 1), large(seed + 2)];
  const some = (): Tensor => held[pick(held.length)];
  const seen: string[] = [];
  for (let i = 0; i < 40; i++) {
    switch (pick(14)) {
      case 0:
        seen.push(bits(some()));
        break;
      case 1:
        some().copy_(some());
        break;
      case 2:
        some().copy_(pick(5));
        break;
      case 3:
        // The array is the user's from here on.
        some().data[pick(SIZE)] = pick(7);
        break;
      case 4: {
        const x = some();
        x.copy_(x.mul(0.5).add(some()));
        break;
      }
      case 5:
        held.push(some().detach().reshape([-1, 1]).reshape([-1]));
        break;
      case 6:
        held.splice(pick(held.length), held.length > 3 ? 1 : 0);
        break;
      default: {
        const [x, y] = [some(), some()];
        const make = [
          () => x.add(y),
          () => x.sub(y),
          () => x.mul(0.75),
          () => x.mul(y).div(4),
          () => x.tanh(),
          () => f.relu(x),
          () => x.sigmoid().sub(y.exp().sigmoid()),
          () => x.neg(),
        ];
        held.push(make[pick(make.length)]());
        if (held.length > 9) held.shift();
      }
    }
  }
  return [...seen, ...held.map(bits)];
}

Deno.test("programs that compute, edit and read in any order see the same bits", () => {
  for (let seed = 1; seed <= 150; seed++) {
    assertEquals(program(seed), atOnce(() => program(seed)), `program ${seed}`);
  }
});

Deno.test("gradients of chains have the same bits, to the second order", () => {
  const run = (): string[] => {
    const [x, w] = [large(1).requiresGrad_(), large(2).requiresGrad_()];
    const y = f.relu(x.mul(w).add(1)).mul(w.sigmoid()).tanh().sub(x.exp().div(w.square().add(1)));
    const [dx, dw] = grad(y.sum(), [x, w], { createGraph: true }) as Tensor[];
    const [ddx] = grad(dx.mul(dw).sum(), [x]) as Tensor[];
    return [y, dx, dw, ddx].map(bits);
  };
  assertEquals(run(), atOnce(run));
});

Deno.test("a step of an optimizer does not reach results from before it", () => {
  const run = (): string[] => {
    const w = large(3).requiresGrad_();
    const sgd = new optim.SGD([w], { lr: 0.5 });
    const before = noGrad(() => w.mul(2).add(1));
    w.square().sum().backward();
    sgd.step();
    return [bits(before), bits(w)];
  };
  assertEquals(run(), atOnce(run));
});

Deno.test("an edit of a saved tensor is told, read or not", () => {
  const x = large(4).requiresGrad_();
  const y = x.exp();
  const z = y.mul(2);
  noGrad(() => y.copy_(0));
  assertThrows(() => z.sum().backward(), Error, "Cannot run backward of exp");
});

Deno.test("shapes that do not fit are told by the operation that the user called", () => {
  assertThrows(() => large(1).add(zeros([3])), RangeError, "Cannot add");
});

Deno.test("anomalies name the operation, not its reader", () => {
  const x = large(5).sub(1e6).requiresGrad_();
  const error = assertThrows(() => detectAnomaly(() => void f.relu(x.add(1)).log().add(1)), Error);
  assert(error.message.includes("log"), error.message);
});

Deno.test("sums that nobody reads do not pile up", () => {
  const x = large(6);
  let total: Tensor = zeros([SIZE]);
  for (let i = 0; i < 20_000; i++) total = total.add(x);
  const first = x.data[0];
  let expected = 0;
  for (let i = 0; i < 20_000; i++) expected += first;
  assertEquals(total.data[0], expected);
});

Deno.test("a sum over a loop does not hold all that was added", () => {
  let total: Tensor = zeros([SIZE]);
  for (let i = 0; i < 12; i++) {
    total = total.mul(0.9).add(large(i));
    const { source } = storageOf(total) as unknown as { source: Source };
    const { arrays } = source.formula!;
    assert(arrays.length <= 4, `${arrays.length} after ${i + 1}`);
  }
});

Deno.test("a synchronous loop keeps the pool flat, whatever it leaves unread", () => {
  const w = large(7);
  const used: number[] = [];
  for (let i = 0; i < 6000; i++) {
    const x = w.mul(i);
    const y = f.relu(x.add(1)).sub(w);
    if (i % 3 === 0) y.sum().item();
    if (i % 50 === 0) w.copy_(w.mul(0.999));
    if (i % 2000 === 1999) used.push(memoryInfo().pooledBytes);
  }
  const [warm, ...later] = used;
  for (const bytes of later) {
    // Between two looks at what has died 128 MiB may come and go.
    assert(bytes <= warm + 2 ** 27, used.join());
  }
});
