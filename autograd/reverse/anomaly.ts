/**
 * Finding the operation that made the first NaN or infinity.
 */
import { callSynchronously } from "../check/arguments.ts";
import { valuesOf } from "../tensor.ts";
import type { Input } from "../tape/primitive.ts";
import { formatShape } from "../shape.ts";
import { type Inspector, setInspector } from "../tape/tape.ts";

/** The first value of a tensor that is not finite, or `null`. */
function firstNonFinite(x: Input): string | null {
  if (x === null) return null;
  const index = valuesOf(x).findIndex((value) => !Number.isFinite(value));
  return index < 0
    ? null
    : `${valuesOf(x)[index]} at flat index ${index} of shape ${formatShape(x.shape)}`;
}

/** The frames of the caller's own code, below those of this package's engine. */
function callSite(): string {
  return (new Error().stack ?? "").split("\n").slice(3).join("\n");
}

const detector: Inspector = {
  forward(primitive, inputs, outputs, node) {
    for (const output of outputs) {
      const found = firstNonFinite(output);
      if (found === null) continue;
      const given = inputs.map(firstNonFinite).find((value) => value !== null);
      throw new Error(
        `Cannot go on: the forward of ${primitive.name} made ${found}, expected finite values` +
          (given === undefined ? "" : ` (an input held ${given})`),
      );
    }
    if (node !== null) node.callSite = callSite();
  },
  backward(node, cotangents) {
    cotangents.forEach((cotangent, i) => {
      const found = firstNonFinite(cotangent);
      if (found === null) return;
      throw new Error(
        `Cannot go on: the backward of ${node.primitive.name} made ${found} for input ${i}, ` +
          `expected finite values; the forward was called from\n${
            node.callSite ?? "(not recorded)"
          }`,
      );
    });
  },
};

/**
 * Runs `fn` and throws at the first operation, forward or backward, that makes a NaN or an infinity,
 * naming its primitive and, for a backward, where its forward was called.
 *
 * Cost: every output is scanned; for finding faults, not for training.
 *
 * @param fn A synchronous function.
 * @returns What it returns.
 * @throws {Error} at the first value that is not finite.
 *
 * @example
 * ```ts
 * import { detectAnomaly, div, tensor } from "@tapegrad/tapegrad";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => detectAnomaly(() => div(tensor(1), 0)), Error, "div");
 * ```
 */
export function detectAnomaly<T>(fn: () => T): T {
  const before = setInspector(detector);
  try {
    return callSynchronously("run detectAnomaly", fn);
  } finally {
    setInspector(before);
  }
}
