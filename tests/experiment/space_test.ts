import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  choice,
  grid,
  halton,
  integers,
  list,
  logUniform,
  random,
  uniform,
  union,
  zip,
} from "../../experiment/mod.ts";

Deno.test("a grid lists every combination, the last axis fastest", () => {
  const space = grid({ depth: [3, 8], trains: ["all", "bn"] });
  assertEquals([...space], [
    { depth: 3, trains: "all" },
    { depth: 3, trains: "bn" },
    { depth: 8, trains: "all" },
    { depth: 8, trains: "bn" },
  ]);
  assertEquals([...space.where(({ trains }) => trains === "bn")].map(({ depth }) => depth), [3, 8]);
});

Deno.test("zip refuses lists of different lengths", () => {
  assertEquals([...zip({ a: [1, 2], b: ["x", "y"] })], [{ a: 1, b: "x" }, { a: 2, b: "y" }]);
  assertThrows(() => zip({ a: [1, 2], b: [1] }), RangeError, "2 of a, 1 of b");
});

Deno.test("equal configs are one, in whatever order their names stand", () => {
  assertEquals(list([{ a: 1, b: 2 }, { b: 2, a: 1 }]).size, 1);
  assertEquals(union(grid({ a: [1, 2] }), grid({ a: [2, 3] })).size, 3);
});

Deno.test("values that a record cannot keep are refused", () => {
  assertThrows(() => grid({ a: [NaN] }), TypeError, "NaN for a");
  assertThrows(() => grid({ a: [] }), TypeError, "for a");
  assertThrows(() => grid({ a: [{} as never] }), TypeError, "for a");
});

Deno.test("a random space is fixed by its seed, and grows at its end", () => {
  const axes = { lr: logUniform(1e-4, 1), width: integers(1, 3), norm: choice(["a", "b"]) };
  const few = [...random(axes, { samples: 5, seed: 3 })];
  const many = [...random(axes, { samples: 50, seed: 3 })];
  assertEquals(many.slice(0, 5), few);
  assert(many.every(({ lr }) => lr >= 1e-4 && lr < 1));
  assertEquals([...new Set(many.map(({ width }) => width))].sort(), [1, 2, 3]);
  assert([...random(axes, { samples: 5, seed: 4 })].some(({ lr }, i) => lr !== few[i].lr));
});

Deno.test("a Halton sequence puts as many points into each part as it can", () => {
  const points = [...halton({ x: uniform(0, 1), y: uniform(0, 1) }, { samples: 36, skip: 35 })];
  const cells = new Map<string, number>();
  for (const { x, y } of points) {
    const cell = `${Math.floor(x * 4)},${Math.floor(y * 9)}`;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  assertEquals([...cells.values()], Array(36).fill(1));
});
