/**
 * Margin losses between classes.
 */
import {
  add,
  gather,
  mean,
  mul,
  pow,
  relu,
  reshape,
  sub,
  sum,
  type Tensor,
} from "../../autograd/mod.ts";
import {
  assertTensor,
  formatShape,
  fromValues,
  refuse,
  show,
  valuesOf,
} from "../../autograd/internal.ts";
import { asTarget, checkClasses, checkClassWeight, type Target } from "./classes.ts";
import { checkNumber, checkShapeOf } from "./operands.ts";
import { type LossOptions, reduce, reductionOf } from "./reduction.ts";

/** Options of {@linkcode multiMarginLoss}. */
export interface MultiMarginLossOptions extends LossOptions {
  /** 1 or 2. */
  readonly p?: number;
  /** By how much the target's score should exceed the others. */
  readonly margin?: number;
  /** The weight of each class, [C]. */
  readonly weight?: Tensor | null;
}

/**
 * Σₖ weight[t] · max(0, margin − x[t] + x[k])ᵖ / C over the classes k other than the target t.
 *
 * Shapes: x [N, C] with target [N], or [C] with a scalar → a scalar, or the shape of the target with
 * reduction "none".
 *
 * @param x Scores.
 * @param target Class indices, a tensor or an array.
 * @param options p = 1, margin = 1, weight, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit, a class is out of range or p is neither 1 nor 2.
 */
export function multiMarginLoss(
  x: Tensor,
  target: Target,
  options: MultiMarginLossOptions = {},
): Tensor {
  const action = "run multiMarginLoss";
  const known = ["p", "margin", "weight", "reduction"] as const;
  const reduction = reductionOf(action, options, known);
  const { p = 1, margin = 1, weight = null } = options;
  checkNumber(action, "margin", margin);
  if (p !== 1 && p !== 2) {
    refuse(action, `p ${show(p)}`, "1 or 2");
  }
  const scores = asRows(action, x);
  const classes = scores.shape[scores.ndim - 1];
  const given = asTarget(action, target);
  // As in PyTorch, a single sample may have its target in a list.
  const t = scores.ndim === 1 && given.ndim === 1 && given.size === 1 ? reshape(given, []) : given;
  checkClassWeight(action, weight, classes);
  checkClasses(action, scores, t, null);
  const rows = reshape(scores, [t.size, classes]);
  const index = reshape(t, [t.size, 1]);
  const short = relu(add(sub(rows, gather(rows, 1, index)), margin));
  const others = new Float64Array(rows.size).fill(1);
  valuesOf(t).forEach((k, n) => {
    const by = weight === null ? 1 : valuesOf(weight)[k];
    others.fill(by, n * classes, (n + 1) * classes);
    others[n * classes + k] = 0;
  });
  const powered = p === 1 ? short : pow(short, 2);
  const losses = mean(mul(powered, fromValues(others, rows.shape)), { dim: 1 });
  return reduce(reshape(losses, given.shape), reduction);
}

/**
 * Σ max(0, 1 − (x[j] − x[i])) / C over the target classes j and the others i, for several targets of
 * each sample: those before the first −1.
 *
 * Shapes: x and target [N, C] or [C] → a scalar, or [N] or a scalar with reduction "none".
 *
 * @param x Scores.
 * @param target Class indices, then −1; a tensor or an array.
 * @param options reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes differ or a class is out of range.
 */
export function multilabelMarginLoss(
  x: Tensor,
  target: Target,
  options: LossOptions = {},
): Tensor {
  const action = "run multilabelMarginLoss";
  const reduction = reductionOf(action, options, ["reduction"]);
  const scores = asRows(action, x);
  const t = asTarget(action, target);
  checkShapeOf(action, x, t, "target");
  const c = scores.shape[scores.ndim - 1];
  const n = scores.ndim === 1 ? 1 : scores.shape[0];
  const index = new Float64Array(n * c);
  // 1 where j is a target of the sample and i is none
  const pairs = new Float64Array(n * c * c);
  for (let row = 0; row < n; row++) {
    const listed = Array.from(valuesOf(t).subarray(row * c, (row + 1) * c));
    const end = listed.indexOf(-1);
    const targets = end < 0 ? listed : listed.slice(0, end);
    for (const [j, k] of targets.entries()) {
      if (!Number.isInteger(k) || k < 0 || k >= c) {
        refuse(action, `target ${k}`, `an integer of 0 … ${c - 1} or -1`);
      }
      index[row * c + j] = k;
      for (let i = 0; i < c; i++) pairs[(row * c + j) * c + i] = targets.includes(i) ? 0 : 1;
    }
  }
  const rows = reshape(scores, [n, c]);
  const wanted = gather(rows, 1, fromValues(index, [n, c]));
  const short = relu(sub(add(reshape(rows, [n, 1, c]), 1), reshape(wanted, [n, c, 1])));
  const total = sum(mul(short, fromValues(pairs, [n, c, c])), { dim: [1, 2] });
  return reduce(reshape(mul(total, 1 / c), scores.shape.slice(0, -1)), reduction);
}

/** [C] or [N, C]; a scalar is the score of the only class. */
function asRows(action: string, x: Tensor): Tensor {
  assertTensor(action, x, "x");
  if (x.ndim === 0) return reshape(x, [1]);
  if (x.ndim > 2 || x.shape[x.ndim - 1] === 0) {
    refuse(action, `x of shape ${formatShape(x.shape)}`, "[C] or [N, C]");
  }
  return x;
}
