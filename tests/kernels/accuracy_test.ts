/** The vector polynomials against arithmetic with 200 binary digits, in units of the last place. */
import * as door from "../../autograd/kernels/mod.ts";
import { numbers, pooled, testBuilds } from "./pooled.ts";
import { assert } from "@std/assert";

const BITS = 200n;
const ONE = 1n << BITS;

/** A float64 as a whole multiple of 2^-200; exact unless it is tiny. */
function fixed(value: number): bigint {
  let exponent = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    exponent++;
  }
  return exponent > 200 ? 0n : BigInt(value) << (BITS - BigInt(exponent));
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

/** eʳ as a multiple of 2^-200, by the series of r/2¹⁶ squared sixteen times. */
function exponential(r: bigint): bigint {
  const small = r >> 16n;
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && k < 40n; k++) {
    term = times(term, small) / k;
    sum += term;
  }
  for (let i = 0; i < 16; i++) sum = times(sum, sum);
  return sum;
}

/** ln of a positive number: a guess, and the series of what it misses. */
function logarithm(value: number): bigint {
  const guess = fixed(Math.log(value));
  const rest = times(fixed(value), exponential(-guess)) - ONE;
  return guess + rest - times(rest, rest) / 2n + times(times(rest, rest), rest) / 3n;
}

function quotient(a: bigint, b: bigint): bigint {
  return (a << BITS) / b;
}

/** How far a float64 is from the exact value, in units of its last place. */
function units(actual: number, exact: bigint): number {
  const difference = Number(fixed(actual) - exact) / 2 ** 200;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(Number(exact) / 2 ** 200))) - 52);
  return Math.abs(difference) / unit;
}

type Kernel = (x: Float64Array, out: Float64Array) => void;

const functions: readonly [string, Kernel, (x: number) => bigint, number, number][] = [
  ["exp", door.exp, (x) => exponential(fixed(x)), 30, 1.1],
  ["log", door.log, logarithm, 100, 0.8],
  [
    "tanh",
    door.tanh,
    (x) => {
      const e = exponential(2n * fixed(x));
      return quotient(e - ONE, e + ONE);
    },
    12,
    1.5,
  ],
  ["sigmoid", door.sigmoid, (x) => quotient(ONE, ONE + exponential(-fixed(x))), 30, 2],
];

for (const [name, kernel, exact, range, bound] of functions) {
  testBuilds(`${name} is off by at most ${bound} units in the last place`, () => {
    const x = numbers(3000, 17).map((value, i) => {
      const scaled = value * (i % 3 === 0 ? range : i % 3 === 1 ? 1 : 0.4);
      return name === "log" ? Math.abs(scaled) + (i % 2) * (1 - Math.abs(scaled) * 0.9) : scaled;
    });
    const out = pooled(new Float64Array(x.length));
    kernel(pooled(x), out);
    let worst = 0;
    let at = 0;
    for (let i = 0; i < x.length; i++) {
      const error = units(out[i], exact(x[i]));
      if (!(error <= worst)) {
        worst = error;
        at = i;
      }
    }
    assert(worst <= bound, `${name}(${x[at]}) = ${out[at]} is off by ${worst} units`);
    // A bound that nothing comes near would say nothing.
    assert(worst > bound / 3, `${name} is off by at most ${worst} units`);
  });
}
