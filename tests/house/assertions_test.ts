// The tests run with @std/assert where JSR can be reached and with stand-ins where it cannot. What is
// asserted here of "@std/assert" holds of both, so that a test means the same in either case.
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertNotStrictEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";

const refused: Record<string, () => unknown> = {
  assert: () => assert(0),
  assertAlmostEquals: () => assertAlmostEquals(1, 1.001),
  "assertAlmostEquals with a tolerance": () => assertAlmostEquals(1, 1.2, 0.1),
  "assertAlmostEquals of NaN and a number": () => assertAlmostEquals(NaN, 1),
  assertArrayIncludes: () => assertArrayIncludes([1, 2], [3]),
  assertEquals: () => assertEquals({ a: [1, 2] }, { a: [1, 3] }),
  "assertEquals of typed arrays": () =>
    assertEquals(Float64Array.of(1, 2), Float64Array.of(1, 2.5)),
  "assertEquals of maps": () => assertEquals(new Map([["a", 1]]), new Map([["a", 2]])),
  assertExists: () => assertExists(null),
  assertFalse: () => assertFalse(1),
  assertGreater: () => assertGreater(1, 1),
  assertGreaterOrEqual: () => assertGreaterOrEqual(1, 2),
  assertInstanceOf: () => assertInstanceOf([], Map),
  assertIsError: () => assertIsError(new TypeError("a"), RangeError),
  assertLess: () => assertLess(1, 1),
  assertLessOrEqual: () => assertLessOrEqual(2, 1),
  assertMatch: () => assertMatch("abc", /x/),
  assertNotEquals: () => assertNotEquals([1], [1]),
  assertNotMatch: () => assertNotMatch("abc", /b/),
  assertNotStrictEquals: () => assertNotStrictEquals(1, 1),
  assertObjectMatch: () => assertObjectMatch({ a: 1, b: 2 }, { a: 2 }),
  assertStrictEquals: () => assertStrictEquals(0, -0),
  assertStringIncludes: () => assertStringIncludes("abc", "x"),
  "assertThrows where nothing is thrown": () => assertThrows(() => 1),
  "assertThrows of another class": () =>
    assertThrows(
      () => {
        throw new TypeError("a");
      },
      RangeError,
    ),
  "assertThrows of another message": () =>
    assertThrows(
      () => {
        throw new TypeError("a");
      },
      TypeError,
      "b",
    ),
  fail: () => fail("on purpose"),
};

const accepted: Record<string, () => unknown> = {
  "assertEquals of 0 and -0": () =>
    assertEquals([0, Float64Array.of(0)], [-0, Float64Array.of(-0)]),
  "assertEquals of NaN": () => assertEquals(NaN, NaN),
  "assertEquals of maps in another order": () =>
    assertEquals(new Map([["a", 1], ["b", 2]]), new Map([["b", 2], ["a", 1]])),
  "assertAlmostEquals of infinities": () => assertAlmostEquals(Infinity, Infinity),
  "assertObjectMatch of a part": () => assertObjectMatch({ a: { b: 1, c: 2 } }, { a: { b: 1 } }),
  "assertIsError of a subclass": () => assertIsError(new RangeError("ab"), Error, "b"),
};

for (const [name, assertion] of Object.entries(refused)) {
  Deno.test(`${name} fails when it must`, () => {
    try {
      assertion();
    } catch (error) {
      if (error instanceof AssertionError) return;
      throw error;
    }
    throw new Error("no AssertionError was thrown");
  });
}

for (const [name, assertion] of Object.entries(accepted)) {
  Deno.test(`${name} passes`, assertion as () => void);
}

Deno.test("assertThrows and assertRejects return what was thrown", async () => {
  const error = new TypeError("a tensor");
  assertStrictEquals(
    assertThrows(
      () => {
        throw error;
      },
      TypeError,
      "tensor",
    ),
    error,
  );
  assertStrictEquals(await assertRejects(() => Promise.reject(error), TypeError, "tensor"), error);
});

describe("describe and it", () => {
  const seen: string[] = [];
  beforeEach(() => void seen.push("before"));
  afterEach(() => void seen.push("after"));
  it("runs hooks before a test", () => assertEquals(seen, ["before"]));
  it("runs hooks after a test", () => assertEquals(seen, ["before", "after", "before"]));
});
