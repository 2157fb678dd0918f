/** Step 6: a backward pass that can be differentiated again. */
import {
  bind,
  definePrimitive,
  mean,
  rsqrt,
  square,
  type Tensor,
  type Unary,
} from "@tapegrad/tapegrad";

const EPS = 1e-5;

/**
 * (x − mean)/√(variance + eps) as one operation of the tape. Its rule may use what the tape can
 * differentiate, and nothing else: then a gradient has a gradient. So x is saved, and x̂ is made from it
 * again; a saved x̂ would be a constant, and the second derivative wrong without a word.
 */
const primitive = definePrimitive<Unary<readonly [x: Tensor]>>({
  name: "course.normalise_by_hand",
  shape: ([x]) => [x],
  forward([x], [y]) {
    const [n, c] = x.shape;
    for (let j = 0; j < c; j++) {
      let average = 0;
      for (let i = 0; i < n; i++) average += x.data[i * c + j] / n;
      let variance = 0;
      for (let i = 0; i < n; i++) variance += (x.data[i * c + j] - average) ** 2 / n;
      const inverse = 1 / Math.sqrt(variance + EPS);
      for (let i = 0; i < n; i++) y.data[i * c + j] = (x.data[i * c + j] - average) * inverse;
    }
  },
  save: ([x]) => [x],
  vjp: ([g], { saved: [x] }) => [slope(g, x)],
});

/** inverse·(g − mean(g) − x̂·mean(g·x̂)), from x. */
export function slope(g: Tensor, x: Tensor): Tensor {
  const centred = x.sub(mean(x, { dim: 0 }));
  const inverse = rsqrt(mean(square(centred), { dim: 0 }).add(EPS));
  const normalised = centred.mul(inverse);
  const along = mean(g.mul(normalised), { dim: 0 });
  return g.sub(mean(g, { dim: 0 })).sub(normalised.mul(along)).mul(inverse);
}

/** The operation as a function. */
export function normalise(x: Tensor): Tensor {
  return bind(primitive, [x], undefined)[0];
}
