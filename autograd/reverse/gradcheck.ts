/**
 * Gradients held against finite differences.
 */
import { describe, show } from "../check/describe.ts";
import { assertFunction } from "../check/arguments.ts";
import { grad } from "./backward.ts";
import { assertEach, assertTensor, fromValues } from "../ops/create/creation.ts";
import { assertOptions, numberOption } from "../check/options.ts";
import { formatShape } from "../shape.ts";
import { noStatsUpdate } from "../statistics.ts";
import { enableGrad } from "../tape/tape.ts";
import { valuesToEdit } from "../runtime/memory.ts";
import { storageOf, type Tensor, valuesOf } from "../tensor.ts";

/** How {@linkcode gradcheck} compares. */
export interface GradcheckOptions {
  /** 1 checks gradients, 2 also the gradients of gradients, and so on. */
  readonly order?: number;
  /** The half step of the central difference. */
  readonly eps?: number;
  /** The absolute tolerance. */
  readonly atol?: number;
  /** The relative tolerance. */
  readonly rtol?: number;
}

/** @internal */
type Checked = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/**
 * Checks the gradients of a function against central differences.
 *
 * With v fixed pseudo-random weights, vᵀJ from the tape is compared with
 * (vᵀf(x + ε) − vᵀf(x − ε)) / 2ε for every element of every input that requires grad. Order 2 checks
 * the gradient function in the same way. Running statistics are left untouched.
 *
 * Cost: two evaluations for each element of the inputs, for each order.
 *
 * @param fn From tensors to a tensor or several; deterministic.
 * @param inputs The point; at least one requires grad.
 * @param options Order 1, eps 1e-6, atol 1e-5, rtol 1e-3 where left out.
 * @returns `true`.
 * @throws {Error} at the first difference, naming input, index, analytic and numeric value.
 *
 * @example
 * ```ts
 * import { exp, gradcheck, mul, tensor } from "@tapegrad/tapegrad";
 *
 * const x = tensor([0.5, -1], { requiresGrad: true });
 * gradcheck((x) => mul(x, exp(x)), [x], { order: 2 });
 * ```
 */
export function gradcheck(
  fn: Checked,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): true {
  assertOptions("gradcheck", options, ["order", "eps", "atol", "rtol"]);
  const { order = 1 } = options;
  const eps = numberOption("gradcheck", options.eps, "eps", 1e-6);
  const atol = numberOption("gradcheck", options.atol, "atol", 1e-5);
  const rtol = numberOption("gradcheck", options.rtol, "rtol", 1e-3);
  if (!Number.isInteger(order) || order < 1) {
    throw new RangeError(
      `Cannot gradcheck: got order ${show(order)}, expected an integer from 1 up`,
    );
  }
  assertFunction("gradcheck", fn, "fn");
  if (!Array.isArray(inputs)) {
    throw new TypeError(
      `Cannot gradcheck: got inputs ${describe(inputs)}, expected an array of tensors`,
    );
  }
  assertEach("gradcheck", inputs, "inputs");
  if (!inputs.some((input) => input.requiresGrad)) {
    throw new RangeError(
      "Cannot gradcheck: got no input that requires grad, expected at least one",
    );
  }
  noStatsUpdate(() =>
    enableGrad(() => checkOrder(fn, inputs.map(copyOf), order, 1, { eps, atol, rtol }))
  );
  return true;
}

function copyOf(input: Tensor): Tensor {
  return fromValues(valuesOf(input), input.shape).requiresGrad_(input.requiresGrad);
}

type Tolerance = Required<Omit<GradcheckOptions, "order">>;

function checkOrder(
  fn: Checked,
  inputs: Tensor[],
  order: number,
  level: number,
  tolerance: Tolerance,
): void {
  const outputs = outputsOf(fn, inputs);
  const targets = inputs.filter((input) => input.requiresGrad);
  const weights = outputs.map((output, i) => pseudoRandom(output, i + 17 * level));
  // An output off the tape claims that it depends on nothing: its derivative counts as 0.
  const onTape = outputs.filter((y) => y.requiresGrad);
  const analytic = onTape.length === 0 ? targets.map(() => null) : grad(onTape, targets, {
    gradOutputs: weights.filter((_, i) => outputs[i].requiresGrad),
    allowUnused: true,
    retainGraph: true,
  });
  const weighted = (): number => {
    let total = 0;
    outputsOf(fn, inputs).forEach((output, i) => {
      const v = valuesOf(weights[i]);
      const y = valuesOf(output);
      for (let k = 0; k < y.length; k++) total += v[k] * y[k];
    });
    return total;
  };
  targets.forEach((target, t) => compare(target, t, analytic[t], weighted, level, tolerance));
  if (order > level) {
    const count = inputs.length;
    const gradient: Checked = (...all) => {
      const ys = outputsOf(fn, all.slice(0, count)).filter((y) => y.requiresGrad);
      const wrt = all.slice(0, count).filter((input) => input.requiresGrad);
      return grad(ys, wrt, {
        gradOutputs: all.slice(count, count + ys.length),
        createGraph: true,
        allowUnused: true,
      }).filter((g) => g !== null);
    };
    const differentiable = weights.filter((_, i) => outputs[i].requiresGrad);
    if (differentiable.length === 0) return;
    const extended = [...inputs, ...differentiable.map((v) => copyOf(v).requiresGrad_())];
    checkOrder(gradient, extended, order, level + 1, tolerance);
  }
}

function outputsOf(fn: Checked, inputs: readonly Tensor[]): readonly Tensor[] {
  const result: unknown = fn(...inputs);
  const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
  outputs.forEach((output, i) => assertTensor("gradcheck", output, `output ${i} of fn`));
  return outputs as readonly Tensor[];
}

/** Weights in [0.5, 1.5) that differ from element to element, the same in every run. */
function pseudoRandom(like: Tensor, salt: number): Tensor {
  let state = (salt * 2654435761) >>> 0;
  const values = Float64Array.from({ length: like.size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 0.5 + state / 2 ** 32;
  });
  return fromValues(values, like.shape);
}

function compare(
  target: Tensor,
  t: number,
  analytic: Tensor | null,
  weighted: () => number,
  level: number,
  { eps, atol, rtol }: Tolerance,
): void {
  // Taken afresh each time: the function may move the values, by reading `data` for instance.
  const storage = storageOf(target);
  for (let i = 0; i < target.size; i++) {
    const center = storage.values[i];
    valuesToEdit(storage)[i] = center + eps;
    const above = weighted();
    valuesToEdit(storage)[i] = center - eps;
    const below = weighted();
    valuesToEdit(storage)[i] = center;
    const numeric = (above - below) / (2 * eps);
    const exact = analytic === null ? 0 : valuesOf(analytic)[i];
    if (!(Math.abs(exact - numeric) <= atol + rtol * Math.abs(numeric))) {
      throw new Error(
        `Cannot confirm the gradient: order ${level}, input ${t} of shape ` +
          `${formatShape(target.shape)}, flat index ${i}: analytic ${exact}, numeric ${numeric}`,
      );
    }
  }
}
