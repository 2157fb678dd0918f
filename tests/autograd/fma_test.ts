import { assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { fma } from "../../autograd/random/fma.ts";

/** x = mantissa · 2^exponent, exactly. */
function exactly(x: number): [mantissa: bigint, exponent: number] {
  let exponent = 0;
  while (!Number.isInteger(x)) {
    x *= 2;
    exponent--;
  }
  return [BigInt(x), exponent];
}

/** The double nearest to mantissa · 2^exponent, ties to even. */
function round(mantissa: bigint, exponent: number): number {
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  const excess = magnitude.toString(2).length - 53;
  let kept = magnitude;
  if (excess > 0) {
    const shift = BigInt(excess);
    kept = magnitude >> shift;
    const twice = (magnitude - (kept << shift)) * 2n;
    const unit = 1n << shift;
    if (twice > unit || (twice === unit && (kept & 1n) === 1n)) kept++;
    exponent += excess;
  }
  return Number(mantissa < 0n ? -kept : kept) * 2 ** exponent;
}

function exactFma(a: number, b: number, c: number): number {
  const [ma, ea] = exactly(a), [mb, eb] = exactly(b), [mc, ec] = exactly(c);
  const exponent = Math.min(ea + eb, ec);
  return round(
    (ma * mb << BigInt(ea + eb - exponent)) + (mc << BigInt(ec - exponent)),
    exponent,
  );
}

const moderate = fc.tuple(
  fc.double({ min: -2, max: 2, noNaN: true }),
  fc.integer({ min: -40, max: 40 }),
).map(([x, e]) => Math.abs(x) < 1e-60 ? 0 : x * 2 ** e);

Deno.test("fma rounds once", () => {
  fc.assert(
    fc.property(moderate, moderate, moderate, (a, b, c) => {
      // + 0: the sign of zero is not at stake.
      assertEquals(fma(a, b, c) + 0, exactFma(a, b, c) + 0);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("fma rounds once where the sum cancels", () => {
  fc.assert(
    fc.property(moderate, moderate, fc.integer({ min: -3, max: 3 }), (a, b, ulps) => {
      const c = -(a * b) * (1 + ulps * 2 ** -52);
      assertEquals(fma(a, b, c) + 0, exactFma(a, b, c) + 0);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("fma breaks ties by what two roundings would lose", () => {
  const tiny = 2 ** -53;
  // 1 + 2^-53 + 2^-106 lies above the middle between 1 and the next double.
  assertEquals(fma(1 + 2 ** -52, tiny, 1), 1 + 2 ** -52);
  assertEquals((1 + 2 ** -52) * tiny + 1, 1 + 2 ** -52);
  // 1 + 2^-53 − 2^-105 lies below it; rounding the product first would not tell.
  assertEquals(fma(1 - 2 ** -52, tiny, 1), 1);
  assertEquals(fma(0.1, 10, -1), 2 ** -54);
  assertEquals(0.1 * 10 - 1, 0);
});

Deno.test("fma of huge numbers falls back to two roundings", () => {
  assertEquals(fma(1e300, 2, 1), 2e300);
  assertEquals(fma(1e300, 1e300, 1), Infinity);
});
