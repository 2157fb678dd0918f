/**
 * Attention.
 */
import {
  add,
  type Generator,
  maskedFill,
  matmul,
  mul,
  reshape,
  type Shape,
  softmax,
  type Tensor,
  transpose,
  where,
} from "../../autograd/mod.ts";
import {
  assertOptions,
  assertTensor,
  broadcastShapes,
  broadcastsTo,
  formatShape,
  fromValues,
  type Known,
  refuse,
  sizeOf,
  valuesOf,
} from "../../autograd/internal.ts";
import { dropout } from "../activation/dropout_function.ts";
import { assertTensors, checkNumber } from "../loss/operands.ts";

/** Options of {@linkcode scaledDotProductAttention}. */
export interface AttentionOptions {
  /**
   * What the queries may look at, broadcast to [*, L, S]: zeros and ones (1 means yes), or numbers
   * that are added to the scores. A mask of zeros alone, or one that requires grad, is added.
   */
  readonly attnMask?: Tensor | null;
  /** Whether query i looks at keys 0 … i only. */
  readonly isCausal?: boolean;
  /** The probability that a weight is left out. Not to be set in evaluation. */
  readonly dropoutP?: number;
  /** What the products are multiplied by; 1/√E where left out. */
  readonly scale?: number | null;
  /** Whether keys and values have fewer heads (axis −3), each shared by several of the queries'. */
  readonly enableGqa?: boolean;
  /** Where the dropout is drawn from; the default generator where left out. */
  readonly generator?: Generator | null;
}

const ACTION = "run scaledDotProductAttention";
const KNOWN: Known<AttentionOptions> = [
  "attnMask",
  "dropoutP",
  "isCausal",
  "scale",
  "enableGqa",
  "generator",
];

/**
 * softmax(q · kᵀ · scale + mask) · v: each query's mean of the values, weighted by how well their keys
 * fit. A query that may look at nothing gives 0.
 *
 * Shapes: q [*, L, E], k [*, S, E], v [*, S, D] → [*, L, D]; leading axes broadcast. Gradient: to q, k,
 * v and an added mask. Cost: the scores [*, L, S] are kept.
 *
 * @param q Queries.
 * @param k Keys.
 * @param v Values.
 * @param options attnMask, isCausal = false, dropoutP = 0, scale, enableGqa = false, generator.
 * @returns The attended values.
 * @throws {RangeError} if the shapes do not fit, or a mask is given together with isCausal.
 * @see Vaswani et al.: Attention Is All You Need, 2017, section 3.2.1.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const q = tensor([[1, 0], [0, 1]]);
 * const v = tensor([[10], [20]]);
 * const y = nn.functional.scaledDotProductAttention(q, q, v, { isCausal: true });
 * assertEquals(y.data[0], 10); // the first query sees the first key alone
 * ```
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor {
  assertOptions(ACTION, options, KNOWN);
  const { attnMask = null, isCausal = false, dropoutP = 0, enableGqa = false } = options;
  assertTensors(ACTION, { q, k, v });
  checkNumber(ACTION, "dropoutP", dropoutP);
  const shared = enableGqa ? heads(q, k, v) : [k, v];
  const [keys, values] = shared;
  checkShapes(q, keys, values);
  if (isCausal && attnMask !== null) {
    refuse(ACTION, "both attnMask and isCausal", "one of them at most");
  }
  const scale = options.scale ?? 1 / Math.sqrt(q.shape[q.ndim - 1]);
  checkNumber(ACTION, "scale", scale);
  const scores = matmul(mul(q, scale), transpose(keys, -2, -1));
  const weights = masked(scores, isCausal ? causal(scores.shape) : attnMask, isCausal);
  const { generator } = options;
  return matmul(dropoutP > 0 ? dropout(weights, { p: dropoutP, generator }) : weights, values);
}

/** Keys and values with each head repeated for the queries that share it. */
function heads(q: Tensor, k: Tensor, v: Tensor): [k: Tensor, v: Tensor] {
  const [of, ofKeys, ofValues] = [q, k, v].map((x) => x.ndim < 3 ? 1 : x.shape[x.ndim - 3]);
  if (q.ndim < 3 || of % ofKeys !== 0 || of % ofValues !== 0) {
    refuse(
      ACTION,
      `${shapes(q, k, v)} with enableGqa`,
      "heads of q (axis -3) that are a multiple of those of k and v",
    );
  }
  return [repeatHeads(k, of / ofKeys), repeatHeads(v, of / ofValues)];
}

function repeatHeads(x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const lead = x.shape.slice(0, -3);
  const [h, s, e] = x.shape.slice(-3);
  const repeats = fromValues(new Float64Array(times).fill(1), [times, 1, 1]);
  return reshape(mul(reshape(x, [...lead, h, 1, s, e]), repeats), [...lead, h * times, s, e]);
}

function shapes(q: Tensor, k: Tensor, v: Tensor): string {
  const [ofQ, ofK, ofV] = [q, k, v].map((x) => formatShape(x.shape));
  return `q of shape ${ofQ}, k of shape ${ofK} and v of shape ${ofV}`;
}

function checkShapes(q: Tensor, k: Tensor, v: Tensor): void {
  const fits = q.ndim >= 2 && k.ndim >= 2 && v.ndim >= 2 &&
    q.shape[q.ndim - 1] === k.shape[k.ndim - 1] && k.shape[k.ndim - 2] === v.shape[v.ndim - 2];
  if (!fits) {
    refuse(ACTION, shapes(q, k, v), "[*, L, E], [*, S, E] and [*, S, D]");
  }
  broadcastShapes(ACTION, q.shape.slice(0, -2), k.shape.slice(0, -2));
  broadcastShapes(ACTION, k.shape.slice(0, -2), v.shape.slice(0, -2));
}

/** Ones on and below the diagonal. */
function causal(shape: Shape): Tensor {
  const [l, s] = shape.slice(-2);
  const mask = new Float64Array(l * s);
  for (let i = 0; i < l; i++) mask.fill(1, i * s, i * s + Math.min(i + 1, s));
  return fromValues(mask, [l, s]);
}

/** The softmax of the scores under a mask; 0 in rows where everything is masked. */
function masked(scores: Tensor, mask: Tensor | null, isChoice: boolean): Tensor {
  if (mask === null) return softmax(scores, -1);
  assertTensor(ACTION, mask, "attnMask");
  if (!broadcastsTo(mask.shape, scores.shape)) {
    refuse(
      ACTION,
      `attnMask of shape ${formatShape(mask.shape)}`,
      `one that broadcasts to ${formatShape(scores.shape)}`,
    );
  }
  const limited = isChoice || choosesKeys(mask)
    ? where(mask, scores, -Infinity)
    : add(scores, mask);
  const dead = deadRows(limited);
  if (dead === null) return softmax(limited, -1);
  // A softmax of −∞ alone would be NaN, and so would its gradient.
  return maskedFill(softmax(maskedFill(limited, dead, 0), -1), dead, 0);
}

/** Whether a mask says yes or no: zeros and ones, not all of them zero. */
function choosesKeys(mask: Tensor): boolean {
  const values = valuesOf(mask);
  return !mask.requiresGrad && values.every((x) => x === 0 || x === 1) && values.includes(1);
}

/** 1 for each row that holds −∞ alone; `null` if there is none. */
function deadRows(scores: Tensor): Tensor | null {
  const s = scores.shape[scores.ndim - 1];
  const rows = new Float64Array(sizeOf(scores.shape.slice(0, -1)));
  const values = valuesOf(scores);
  for (let row = 0; row < rows.length; row++) {
    const own = values.subarray(row * s, (row + 1) * s);
    rows[row] = s > 0 && own.every((x) => x === -Infinity) ? 1 : 0;
  }
  return rows.includes(1) ? fromValues(rows, [...scores.shape.slice(0, -1), 1]) : null;
}
