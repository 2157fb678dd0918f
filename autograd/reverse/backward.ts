/**
 * The reverse pass: from the cotangents of some outputs to those of leaves or chosen inputs.
 *
 * @module
 */
import { addKeeping, tellAccumulated } from "./gradients.ts";
import { atRest } from "../runtime/pool.ts";
import { add } from "../ops/elementwise/arithmetic.ts";
import { clone } from "../ops/shape/clone.ts";
import { assertTensor, describe, ones } from "../ops/create/creation.ts";
import { assertOptions, type Known } from "../check/options.ts";
import { Pass } from "./pass.ts";
import { assertSameShape, formatShape } from "../shape.ts";
import { enableGrad, noGrad } from "../tape/tape.ts";
import { heldGradOf, nodeOf, slotOf, storageOf, takeGrad, Tensor } from "../tensor.ts";

/** How `Tensor.backward` runs. */
export interface BackwardOptions {
  /** Whether the graph stays for another pass; as `createGraph` where left out. */
  readonly retainGraph?: boolean;
  /** Whether the pass itself is recorded. */
  readonly createGraph?: boolean;
  /** The leaves that get a gradient; all where left out. */
  readonly inputs?: readonly Tensor[] | Tensor;
}

const BACKWARD: Known<BackwardOptions> = ["retainGraph", "createGraph", "inputs"];

/** How {@linkcode grad} runs. */
export interface GradOptions {
  /** The cotangents of the outputs; ones for outputs of one element. */
  readonly gradOutputs?: Tensor | null | readonly (Tensor | null)[];
  /** Whether the graph stays for another pass; as `createGraph` where left out. */
  readonly retainGraph?: boolean;
  /** Whether the pass itself is recorded, so that its results can be differentiated. */
  readonly createGraph?: boolean;
  /** Whether an input that the outputs do not depend on gives `null` instead of an error. */
  readonly allowUnused?: boolean;
}

const GRAD: Known<GradOptions> = ["gradOutputs", "retainGraph", "createGraph", "allowUnused"];

function startingCotangent(
  action: string,
  root: Tensor,
  gradient: Tensor | null,
  name: string,
): Tensor {
  if (!root.requiresGrad) {
    throw new Error(
      `Cannot ${action}: got a tensor of shape ${formatShape(root.shape)} that does not require ` +
        `grad, expected one that was computed from a tensor that does`,
    );
  }
  if (gradient === null) {
    if (root.size !== 1) {
      throw new RangeError(
        `Cannot ${action}: got a tensor of shape ${formatShape(root.shape)} without ${name}, ` +
          `expected a tensor of one element or ${name} of that shape`,
      );
    }
    return ones(root.shape);
  }
  assertTensor(action, gradient, name);
  assertSameShape(action, gradient.shape, root.shape, name);
  return gradient;
}

/** One tensor or several, as a list that is not empty. */
function listOf<T>(action: string, given: T | readonly T[], name: string): readonly T[] {
  if (given instanceof Tensor) return [given as T];
  if (!Array.isArray(given)) {
    throw new TypeError(
      `Cannot ${action}: got ${name} ${describe(given)}, expected a Tensor or an array of them`,
    );
  }
  if (given.length === 0) {
    throw new RangeError(
      `Cannot ${action}: got ${name} that is an empty array, expected at least one tensor`,
    );
  }
  // Gaps become undefined, which the checks of single tensors refuse.
  return Array.from(given);
}

function assertRequiresGrad(action: string, x: unknown, name: string): void {
  assertTensor(action, x, name);
  if (!x.requiresGrad) {
    throw new Error(
      `Cannot ${action}: got ${name} that does not require grad, expected one that does`,
    );
  }
}

function inGradMode<T>(createGraph: boolean, fn: () => T): T {
  return createGraph ? enableGrad(fn) : noGrad(fn);
}

/** What `Tensor.backward` does. */
export function backward(
  root: Tensor,
  gradient: Tensor | null,
  options: BackwardOptions,
): void {
  assertOptions("run backward", options, BACKWARD);
  const { createGraph = false, retainGraph = createGraph } = options;
  const start = startingCotangent("run backward", root, gradient, "gradient");
  const inputs = options.inputs === undefined || options.inputs === null
    ? null
    : listOf("run backward", options.inputs, "inputs");
  inputs?.forEach((input, i) => assertRequiresGrad("run backward", input, `inputs[${i}]`));
  const wanted = inputs === null ? null : new Set(inputs.map((x) => nodeOf(x) ?? x));
  inGradMode(createGraph, () => {
    const pass = new Pass(createGraph, retainGraph, wanted);
    pass.run([root], [start]);
    const told: Tensor[] = [];
    const deliver = (leaf: Tensor, cotangent: Tensor): void => {
      accumulate(leaf, cotangent, createGraph, pass.ownsAlone(cotangent));
      told.push(leaf);
    };
    if (inputs === null) {
      for (const [leaf, cotangent] of pass.leaves) {
        // It may have been frozen since the forward.
        if (leaf.requiresGrad) deliver(leaf, cotangent);
      }
    } else {
      for (const input of new Set(inputs)) {
        const cotangent = arrivedAt(pass, input);
        if (cotangent !== null) deliver(input, cotangent);
      }
    }
    tellAccumulated(told);
  });
  atRest();
}

function arrivedAt(pass: Pass, input: Tensor): Tensor | null {
  const node = nodeOf(input);
  return node === null
    ? pass.leaves.get(input) ?? null
    : pass.captured.get(node)?.[slotOf(input)] ?? null;
}

/** `.grad += cotangent`: in place unless a graph is being made. */
function accumulate(leaf: Tensor, cotangent: Tensor, createGraph: boolean, alone: boolean): void {
  const before = heldGradOf(leaf);
  if (before === null) {
    // A copy, because a rule may pass one tensor on to several inputs.
    if (createGraph) leaf.grad = clone(cotangent);
    else takeGrad(leaf, alone ? cotangent : clone(cotangent));
  } else {
    const after = addKeeping(before, (grad) => {
      const sum = add(grad, cotangent);
      return createGraph || grad.requiresGrad ? sum : grad.copy_(sum);
    });
    if (after !== before) leaf.grad = after;
  }
}

/**
 * The gradients of outputs with respect to inputs, without touching `.grad`.
 *
 * @param outputs A tensor or several, whose sum (weighted by `gradOutputs`) is differentiated.
 * @param inputs A tensor or several; leaves or not.
 * @param options See {@linkcode GradOptions}.
 * @returns One gradient for each input; `null` for an unused one with `allowUnused`.
 * @throws {Error} if an input is unused, if nothing requires grad, if the graph was freed, or if a
 * saved tensor was edited.
 * @throws {RangeError} if a cotangent is missing or of another shape.
 *
 * @example
 * ```ts
 * import { grad, mul, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor(3, { requiresGrad: true });
 * const [first] = grad(mul(x, mul(x, x)), [x], { createGraph: true });
 * const [second] = grad(first!, [x]);
 * assertEquals([first!.item(), second!.item()], [27, 18]);
 * ```
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  assertOptions("take grad", options, GRAD);
  const { createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  const roots = listOf("take grad", outputs, "outputs");
  const targets = listOf("take grad", inputs, "inputs");
  const given = options.gradOutputs ?? null;
  const weights = given === null || given instanceof Tensor
    ? [given]
    : listOf("take grad", given, "gradOutputs");
  if (given !== null && weights.length !== roots.length) {
    throw new RangeError(
      `Cannot take grad: got ${weights.length} gradOutputs, expected ${roots.length}`,
    );
  }
  const starts = roots.map((root, i) => {
    assertTensor("take grad", root, `outputs[${i}]`);
    return startingCotangent("take grad", root, weights[i] ?? null, `gradOutputs[${i}]`);
  });
  targets.forEach((target, i) => assertRequiresGrad("take grad", target, `inputs[${i}]`));
  const gradients = inGradMode(createGraph, () => {
    const pass = new Pass(createGraph, retainGraph, new Set(targets.map((x) => nodeOf(x) ?? x)));
    pass.run(roots, starts);
    // A rule may pass one tensor on to several inputs, or the caller's own; results share with nobody.
    const shared = new Set([...starts, ...targets].map(storageOf));
    return targets.map((target, i) => {
      const cotangent = arrivedAt(pass, target);
      if (cotangent !== null && shared.has(storageOf(cotangent))) return clone(cotangent);
      if (cotangent !== null) shared.add(storageOf(cotangent));
      if (cotangent === null && !allowUnused) {
        throw new Error(
          `Cannot take grad: the outputs do not depend on inputs[${i}], expected allowUnused: ` +
            `true or an input that they use`,
        );
      }
      return cotangent;
    });
  });
  if (!retainGraph) atRest();
  return gradients;
}
