/** SyncBatchNorm over shares of a batch, against BatchNorm on the whole of it: values, both derivatives. */
import { assertEquals } from "@std/assert";
import { Generator, grad, nn, randn, split, sum, type Tensor, tensor } from "../../../mod.ts";
import { init } from "../../../distributed/mod.ts";
import { assertClose } from "../../assert_close.ts";

using group = init({ timeout: 20000 });
const { rank, size } = group;

/** Shares of so many samples in all: even, uneven, with an empty one. */
function sharesOf(samples: number): number[][] {
  const even = Array.from({ length: size }, (_, r) => Math.floor((samples + r) / size));
  const uneven = even.map((_, r) => r === 0 ? samples - size + 1 : 1);
  const empty = even.map((_, r) => r === 0 ? samples : 0);
  return size === 1 ? [even] : [even, uneven, empty];
}

for (const offset of [0, 1e8, -30]) {
  for (const [shape, masked] of [[[8, 3], 0], [[6, 2, 4], 1], [[5, 70, 3, 2], 0]] as const) {
    const generator = new Generator(5);
    const [n, c] = shape;
    const whole = randn([...shape], { generator }).mul(1.5).add(offset);
    const weights = randn([...shape], { generator });
    const spots = shape.map((s, i) => i === 1 ? 1 : s);
    const mask = masked === 1 ? randn(spots, { generator }).gt(-0.8) : null;
    for (const shares of sharesOf(n)) {
      const make = (): [nn.BatchNorm, nn.BatchNorm] => [
        shape.length === 2 || shape.length === 3 ? new nn.BatchNorm1d(c) : new nn.BatchNorm2d(c),
        new nn.SyncBatchNorm(c),
      ];
      const [one, sync] = make();
      const gamma = randn([c], { generator: new Generator(9) });
      for (const layer of [one, sync]) layer.weight!.detach().copy_(gamma);
      const x = whole.clone().requiresGrad_();
      const wanted = one.forward(x, { mask });
      const inputs = [x, one.weight!, one.bias!];
      const first = grad(sum(wanted.mul(wanted).mul(weights)), inputs, { createGraph: true });
      const expected = [wanted, ...first as Tensor[]];
      const [hx, hw] = grad(sum(expected[1].square()), [x, one.weight!]) as Tensor[];
      const own = (t: Tensor): Tensor => split(t, shares)[rank];
      const share = own(whole).clone().requiresGrad_();
      const what = `offset ${offset}, ${shape}, shares ${shares}`;
      const y = sync.forward(share, { mask: mask === null ? null : own(mask) });
      const scale = Math.max(...expected[0].data.map(Math.abs));
      assertClose(y, own(expected[0]), 1e-13, 1e-13 * scale, `y, ${what}`);
      const loss = sum(y.mul(y).mul(own(weights)));
      const [dx, dw, db] = grad(loss, [share, sync.weight!, sync.bias!], {
        createGraph: true,
      }) as Tensor[];
      const near = (a: Tensor, e: Tensor, name: string): void =>
        assertClose(
          a,
          e,
          1e-12,
          1e-12 * Math.max(...e.data.map(Math.abs), 1e-3),
          `${name}, ${what}`,
        );
      near(dx, own(expected[1]), "dx");
      const together = [dw, db].map((g) => {
        const values = g.data.slice();
        group.reduce("test", values, "sum");
        return tensor(values);
      });
      near(together[0], expected[2], "dw");
      near(together[1], expected[3], "db");
      // Second order: of Σ dx², whose shares sum up to the whole's.
      const [sx, sw] = grad(sum(dx.square()), [share, sync.weight!]) as Tensor[];
      near(sx, own(hx), "second dx");
      const values = sw.data.slice();
      group.reduce("test", values, "sum");
      near(tensor(values), hw, "second dw");
      // The running statistics, with the number of all values.
      near(sync.runningMean!, one.runningMean!, "running mean");
      near(sync.runningVar!, one.runningVar!, "running variance");
      assertEquals(sync.numBatchesTracked!.item(), 1);
    }
  }
}
console.log(`rank ${rank} is done`);
