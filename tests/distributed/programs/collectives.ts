/** Every collective, its values and its derivatives, on any number of ranks. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { grad, mul, ones, sum, tensor, zeros } from "../../../mod.ts";
import {
  allGather,
  allReduce,
  allReduce_,
  barrier,
  broadcast_,
  init,
  reduceScatter,
} from "../../../distributed/mod.ts";
import { assertClose } from "../../assert_close.ts";

using group = init(JSON.parse(Deno.args[0] ?? "{}"));
const { rank, size } = group;
assertStrictEquals(init(), group);
const ranks = Array.from({ length: size }, (_, r) => r);
const total = ranks.reduce((a, b) => a + b, 0);

// Values.
const x = tensor([rank, -rank, 1], { requiresGrad: true });
assertEquals(allReduce(x).toArray(), [total, -total, size].map((v) => v + 0));
assertEquals(allReduce(x, { op: "mean" }).toArray(), [total / size, -total / size, 1]);
assertEquals(allReduce(x, { op: "max" }).toArray(), [size - 1, 0, 1]);
assertEquals(allReduce(x, { op: "min" }).toArray(), [0, 1 - size, 1]);
assertEquals(allReduce(zeros([0, 3])).shape, [0, 3]);

// In place: small values on the heap, large ones in the memory of the kernels.
const place = ones([3]).mul(rank + 1);
assertStrictEquals(allReduce_(place), place);
assertEquals(place.toArray(), [1, 1, 1].map((v) => v * (total + size)));
const large = ones([400, 300]).mul(rank);
allReduce_(large, { op: "mean" });
assertClose(large, ones([400, 300]).mul(total / size), 1e-15, 0, "large");
assertThrows(
  () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const y = mul(w, w);
    allReduce_(w.detach());
    y.sum().backward();
  },
  Error,
  "allReduce_()",
);

// A cotangent that differs between ranks: dxᵣ = Σₛ gₛ.
const weight = tensor([rank + 1, 1, 2]);
const [first] = grad(sum(mul(allReduce(x), weight)), [x]);
assertEquals(first!.toArray(), [total + size, size, 2 * size]);
const [average] = grad(sum(mul(allReduce(x, { op: "mean" }), weight)), [x]);
assertClose(average!, tensor([(total + size) / size, 1, 2]), 1e-15, 0, "of the mean");

// Second derivative of Σₛ (Σᵣ xᵣ²)² with respect to xᵣ: 4·size·(Σ x² + 2 xᵣ²) for the own place.
const z = tensor([rank + 1], { requiresGrad: true });
const squares = allReduce(z.mul(z));
const [g] = grad(sum(squares.mul(squares)), [z], { createGraph: true });
const all = ranks.map((r) => (r + 1) ** 2).reduce((a, b) => a + b, 0);
assertClose(g!, [4 * size * all * (rank + 1)], 1e-14, 0, "first");
const [h] = grad(sum(g!), [z]);
// d/dxᵣ Σₛ 4n·S·xₛ = 4n·(S + 2xᵣ·Σₛ xₛ)
assertClose(h!, [4 * size * (all + 2 * (rank + 1) * (total + size))], 1e-14, 0, "second");

// The maximum: all cotangents go to its holder; ties share them.
const [top] = grad(sum(mul(allReduce(x, { op: "max" }), weight)), [x]);
assertEquals(top!.toArray(), [rank === size - 1 ? total + size : 0, rank === 0 ? size : 0, 2]);

// Gathering, of shapes that differ.
const own = ones([rank + 1, 2]).mul(rank).requiresGrad_();
const gathered = allGather(own);
assertEquals(gathered.map(({ shape }) => shape), ranks.map((r) => [r + 1, 2]));
gathered.forEach((part, r) => assertClose(part, ones([r + 1, 2]).mul(r), 0, 0, `part ${r}`));
const mixed = gathered.map((part, r) => part.mul((r + 1) * (rank + 1)).sum())
  .reduce((a, b) => a.add(b));
const [back] = grad(mixed, [own]);
assertClose(back!, ones([rank + 1, 2]).mul((rank + 1) * (total + size)), 0, 0, "of allGather");

// Scattering.
const wide = tensor(ranks.flatMap((r) => [r, 10 * r]), { requiresGrad: true });
const part = reduceScatter(wide.mul(rank + 1));
assertEquals(part.toArray(), [rank, 10 * rank].map((v) => v * (total + size)));
const [toWide] = grad(part.mul(rank + 5).sum(), [wide]);
assertClose(
  toWide!,
  ranks.flatMap((r) => [(r + 5) * (rank + 1), (r + 5) * (rank + 1)]),
  0,
  0,
  "of reduceScatter",
);
assertEquals(reduceScatter(ranks.map((r) => tensor(r)), { op: "max" }).item(), rank);
if (size > 1) assertThrows(() => reduceScatter(zeros([size + 1])), RangeError, "share evenly");

// Broadcasting.
assertEquals(broadcast_(tensor([rank, 7]), { source: size - 1 }).toArray(), [size - 1, 7]);
assertThrows(() => broadcast_(tensor([1]), { source: size }), RangeError, `0 … ${size - 1}`);
barrier();
console.log(`rank ${rank} of ${size} is done`);
