import * as door from "../../autograd/kernels/mod.ts";
import * as activation from "../../autograd/kernels/elementwise/activation_plain.ts";
import * as arithmetic from "../../autograd/kernels/elementwise/arithmetic_plain.ts";
import * as pointwise from "../../autograd/kernels/elementwise/pointwise_plain.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";

const EDGES = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  5e-324,
  -5e-324,
  2.2250738585072014e-308,
  -1e-310,
  1e308,
  -1e308,
  709.78,
  709.79,
  -745.13,
  -745.14,
  -708.5,
  0.625,
  -0.625,
  22.5,
  1e-20,
  -1e-20,
];

type Unary = (x: Float64Array, out: Float64Array) => void;
type Binary = (x: Float64Array, y: Float64Array, out: Float64Array) => void;

/** Each with the relative difference from the plain kernel that it may show. */
const unary: readonly [string, Unary, Unary, number][] = [
  ["neg", door.neg, arithmetic.neg, 0],
  ["square", (x, out) => door.powNumber(x, out, 2), (x, out) => arithmetic.powNumber(x, out, 2), 0],
  ["root", (x, out) => door.powNumber(x, out, 0.5), pointwise.sqrt, 0],
  ["sqrt", door.sqrt, pointwise.sqrt, 0],
  ["rsqrt", door.rsqrt, pointwise.rsqrt, 0],
  ["abs", door.abs, pointwise.abs, 0],
  ["relu", door.relu, activation.relu, 0],
  ["exp", door.exp, pointwise.exp, 4.5e-16],
  ["log", door.log, pointwise.log, 4.5e-16],
  ["tanh", door.tanh, activation.tanh, 8e-16],
  ["sigmoid", door.sigmoid, activation.sigmoid, 8e-16],
  ["silu", door.silu, activation.silu, 8e-16],
  ["erf", door.erf, pointwise.erf, 8e-16],
  ["gelu", door.gelu, activation.gelu, 3e-15],
];

const binary: readonly [string, Binary, Binary][] = [
  ["add", door.add, arithmetic.add],
  ["sub", door.sub, arithmetic.sub],
  ["mul", door.mul, arithmetic.mul],
  ["div", door.div, arithmetic.div],
  ["reluBackward", door.reluBackward, activation.reluBackward],
  ["sigmoidBackward", door.sigmoidBackward, activation.sigmoidBackward],
  ["tanhBackward", door.tanhBackward, activation.tanhBackward],
];

testBuilds("functions of one array equal their plain counterparts at every length", () => {
  for (const [name, kernel, plain, relative] of unary) {
    for (let n = 1; n <= 48; n++) {
      const x = numbers(n, n).map((value) => value * 20);
      if (name === "log") x.forEach((value, i) => x[i] = Math.abs(value));
      const out = pooled(new Float64Array(n));
      const expected = new Float64Array(n);
      kernel(pooled(x), out);
      plain(x, expected);
      assertClose(out, expected, relative, 5e-324, `${name}, ${n} values`);
    }
  }
});

testBuilds("functions of one array equal their plain counterparts at the edges", () => {
  for (const [name, kernel, plain, relative] of unary) {
    // Each edge at each place of a round of vectors, among ordinary numbers.
    for (let place = 0; place < 9; place++) {
      for (const edge of EDGES) {
        const x = new Float64Array(9).fill(0.5);
        x[place] = edge;
        const out = pooled(new Float64Array(9));
        const expected = new Float64Array(9);
        kernel(pooled(x), out);
        plain(x, expected);
        assertClose(out, expected, relative, relative > 0 ? 5e-324 : 0, `${name}(${edge})`);
      }
    }
  }
});

testBuilds("functions of two arrays equal their plain counterparts at every length", () => {
  for (const [name, kernel, plain] of binary) {
    for (let n = 1; n <= 48; n++) {
      const x = numbers(n, n);
      const y = numbers(n, n + 100);
      const out = pooled(new Float64Array(n));
      const expected = new Float64Array(n);
      kernel(pooled(x), pooled(y), out);
      plain(x, y, expected);
      assertClose(out, expected, 0, 0, `${name}, ${n} values`);
    }
  }
});

testBuilds("arithmetic takes one number on either side", () => {
  for (const [name, kernel, plain] of binary.slice(0, 4)) {
    for (let n = 1; n <= 33; n++) {
      const x = numbers(n, n);
      const one = Float64Array.of(1.7);
      for (const [a, b] of [[x, one], [one, x]]) {
        const out = pooled(new Float64Array(n));
        const expected = new Float64Array(n);
        kernel(pooled(a), b.length === 1 ? b : pooled(b), out);
        plain(a, b, expected);
        assertClose(out, expected, 0, 0, `${name}, ${a.length} and ${b.length} values`);
      }
    }
  }
});

testBuilds("functions of two arrays equal their plain counterparts at the edges", () => {
  for (const [name, kernel, plain] of binary) {
    const pairs = EDGES.flatMap((x) => EDGES.map((y) => [x, y]));
    const x = Float64Array.from(pairs, ([value]) => value);
    const y = Float64Array.from(pairs, ([, value]) => value);
    const out = pooled(new Float64Array(x.length));
    const expected = new Float64Array(x.length);
    kernel(pooled(x), pooled(y), out);
    plain(x, y, expected);
    assertClose(out, expected, 0, 0, name);
  }
});

testBuilds("the slope of gelu equals the plain one at every length, in place too", () => {
  for (const n of [...Array.from({ length: 20 }, (_, i) => i + 1), 255, 256, 257, 600]) {
    const g = numbers(n, n);
    const x = numbers(n, n + 1).map((value) => value * 6);
    const expected = new Float64Array(n);
    activation.geluBackward(g, x, expected);
    const out = pooled(g);
    door.geluBackward(out, pooled(x), out);
    assertClose(out, expected, 1e-14, 1e-16, `geluBackward, ${n} values`);
  }
});

testBuilds("functions that work in blocks equal their plain counterparts past a block", () => {
  for (const [name, kernel, plain, relative] of unary.slice(-3)) {
    for (const n of [255, 256, 257, 511, 513, 1000]) {
      const x = numbers(n, n).map((value) => value * 8);
      const out = pooled(new Float64Array(n));
      const expected = new Float64Array(n);
      kernel(pooled(x), out);
      plain(x, expected);
      assertClose(out, expected, relative, 5e-324, `${name}, ${n} values`);
    }
  }
});
