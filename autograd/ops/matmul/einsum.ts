/**
 * Einstein's summation convention.
 */
import { assertList } from "../../check/arguments.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import { unshared } from "../shape/clone.ts";
import { formatShape, type Shape, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { mul } from "../elementwise/arithmetic.ts";
import { assertEach } from "../create/creation.ts";
import { multiply } from "./matmul.ts";
import { sum } from "../reduce/reduce.ts";
import { reorder, reshape } from "../shape/shape.ts";
import { diagonal } from "../shape/view.ts";

/** The name of an axis: a letter, or `…n` for the n-th axis from the right under an ellipsis. */
type Label = string;

/** A tensor and the names of its axes. */
interface Operand {
  readonly x: Tensor;
  readonly labels: readonly Label[];
}

/**
 * Products summed over shared axes, as the equation says.
 *
 * Each axis of a tensor has a letter. Axes with one letter are multiplied element by element, those
 * whose letter the right side lacks are summed over. A letter that a tensor has twice takes its
 * diagonal. `...` stands for any further axes, which broadcast. Without `->` the result has the axes
 * of the ellipsis and then the letters that appear once, in alphabetical order. Spaces do not count.
 *
 * Shapes: as the equation says; sizes of a letter are equal, or 1. Gradient: the same sum with g in
 * the place of the tensor. Cost: pairs are contracted from left to right, each as a matrix product.
 *
 * @param equation Such as `"bij,bjk->bik"`.
 * @param tensors As many as the left side has terms.
 * @returns The sum.
 * @throws {RangeError} if the equation cannot be read or the shapes do not fit it.
 *
 * @example
 * ```ts
 * import { einsum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(einsum("ij,jk->ik", [x, x]).toArray(), [[7, 10], [15, 22]]);
 * assertEquals(einsum("ii", [x]).item(), 5);
 * ```
 */
export function einsum(equation: string, tensors: readonly Tensor[]): Tensor {
  if (typeof equation !== "string") {
    refuseKind("einsum", "equation", equation, `a string such as "ij,jk->ik"`);
  }
  assertList("einsum", tensors, "tensors", "Tensors");
  assertEach("einsum", tensors, "tensors");
  const { terms, output } = read(equation, tensors);
  const operands = prepare(equation, tensors, terms);
  let product = operands[0];
  for (let i = 1; i < operands.length; i++) {
    const later = operands.slice(i + 1).flatMap(({ labels }) => labels);
    const needed = new Set([...output, ...later]);
    product = contract(product, operands[i], needed);
  }
  const { x, labels } = sumOut(product, (label) => output.includes(label));
  const result = reorder(x, output.map((label) => labels.indexOf(label)));
  return tensors.length === 1 ? unshared(result, tensors[0]) : result;
}

function unreadable(equation: string, expected: string): never {
  refuse("einsum", `equation "${equation}"`, expected);
}

/** The labels of every tensor's axes and of the result's. */
function read(
  equation: string,
  tensors: readonly Tensor[],
): { terms: readonly Label[][]; output: readonly Label[] } {
  const sides = equation.replaceAll(" ", "").split("->");
  if (sides.length > 2) unreadable(equation, `"->" at most once`);
  const texts = sides[0].split(",");
  if (tensors.length === 0 || texts.length !== tensors.length) {
    unreadable(equation, `one term for each of the ${tensors.length} tensors`);
  }
  let widest = 0;
  const terms = texts.map((text, i) => {
    const [before, ellipsis, after] = readTerm(equation, text);
    const rest = tensors[i].ndim - before.length - after.length;
    if (rest < 0 || (!ellipsis && rest > 0)) {
      unreadable(
        equation,
        `term ${i} to name the axes of a tensor of shape ${formatShape(tensors[i].shape)}`,
      );
    }
    widest = Math.max(widest, rest);
    return [...before, ...underEllipsis(rest), ...after];
  });
  const letters = terms.flat().filter((label) => label.length === 1);
  if (sides.length === 1) {
    const once = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label));
    return { terms, output: [...underEllipsis(widest), ...once.sort()] };
  }
  const [before, ellipsis, after] = readTerm(equation, sides[1]);
  const named = [...before, ...after];
  for (const label of named) {
    if (!letters.includes(label)) {
      unreadable(equation, `no "${label}" on the right, since no term on the left has it`);
    }
    if (named.indexOf(label) !== named.lastIndexOf(label)) {
      unreadable(equation, `"${label}" on the right once`);
    }
  }
  return { terms, output: [...before, ...(ellipsis ? underEllipsis(widest) : []), ...after] };
}

/** The letters before and after the ellipsis of a term, if it has one. */
function readTerm(
  equation: string,
  text: string,
): [before: readonly Label[], ellipsis: boolean, after: readonly Label[]] {
  const match = /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/.exec(text);
  if (match === null) {
    unreadable(equation, `letters and at most one "..." in each term, not "${text}"`);
  }
  return [[...match[1]], match[2] !== undefined, [...match[3]]];
}

/** Labels of axes under an ellipsis, counted from the right as broadcasting aligns them. */
function underEllipsis(count: number): Label[] {
  return Array.from({ length: count }, (_, i) => `…${count - i}`);
}

/** Takes diagonals where a term repeats a letter, and drops axes of size 1 that others broadcast. */
function prepare(
  equation: string,
  tensors: readonly Tensor[],
  terms: readonly Label[][],
): Operand[] {
  const operands = tensors.map((x, i) => onDiagonals(equation, { x, labels: terms[i] }));
  const sizes = new Map<Label, number>();
  operands.forEach(({ x, labels }) =>
    labels.forEach((label, axis) => {
      const size = x.shape[axis];
      const known = sizes.get(label) ?? 1;
      if (size !== known && size !== 1 && known !== 1) {
        refuse(
          "einsum",
          `sizes ${known} and ${size} for "${label}" in equation "${equation}"`,
          "equal ones or 1",
        );
      }
      sizes.set(label, known === 1 ? size : known);
    })
  );
  return operands.map(({ x, labels }) => {
    const kept = labels.filter((label, axis) => x.shape[axis] !== 1 || sizes.get(label) === 1);
    if (kept.length === labels.length) return { x, labels };
    return { x: reshape(x, kept.map((label) => x.shape[labels.indexOf(label)])), labels: kept };
  });
}

function onDiagonals(equation: string, { x, labels }: Operand): Operand {
  for (let dim1 = 0; dim1 < labels.length; dim1++) {
    const label = labels[dim1];
    const dim2 = labels.indexOf(label, dim1 + 1);
    if (dim2 < 0) continue;
    if (x.shape[dim1] !== x.shape[dim2]) {
      refuse(
        "einsum",
        `sizes ${x.shape[dim1]} and ${
          x.shape[dim2]
        } for "${label}" of one tensor in equation "${equation}"`,
        "equal ones",
      );
    }
    const rest = labels.filter((_, axis) => axis !== dim1 && axis !== dim2);
    return onDiagonals(equation, { x: diagonal(x, { dim1, dim2 }), labels: [...rest, label] });
  }
  return { x, labels };
}

/** The sum over the axes that nobody needs any more. */
function sumOut({ x, labels }: Operand, needed: (label: Label) => boolean): Operand {
  const dims = labels.flatMap((label, axis) => needed(label) ? [] : [axis]);
  if (dims.length === 0) return { x, labels };
  return { x: sum(x, { dim: dims }), labels: labels.filter(needed) };
}

/**
 * The product of two operands, summed over what both have and nobody else needs: axes of the batch,
 * of the left rows, of the sum and of the right columns make it a batch of matrix products.
 */
function contract(first: Operand, second: Operand, needed: ReadonlySet<Label>): Operand {
  const a = sumOut(first, (label) => needed.has(label) || second.labels.includes(label));
  const b = sumOut(second, (label) => needed.has(label) || first.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const summed = shared.filter((label) => !needed.has(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...left, ...right];
  const [lead, rows, columns] = [sizesOf(a, batch), sizesOf(a, left), sizesOf(b, right)];
  if (summed.length === 0) {
    const x = reshape(inOrder(a, [...batch, ...left]), [...lead, ...rows, ...columns.map(() => 1)]);
    const y = reshape(inOrder(b, [...batch, ...right]), [
      ...lead,
      ...rows.map(() => 1),
      ...columns,
    ]);
    return { x: mul(x, y), labels };
  }
  const matrices = batch.length === 0 ? [] : [sizeOf(lead)];
  const [m, k, n] = [rows, sizesOf(a, summed), columns].map(sizeOf);
  const [x, transA] = asMatrices(a, batch, left, summed);
  const [y, transB] = asMatrices(b, batch, summed, right);
  const product = multiply(
    reshape(x, [...matrices, ...(transA ? [k, m] : [m, k])]),
    reshape(y, [...matrices, ...(transB ? [n, k] : [k, n])]),
    transA,
    transB,
  );
  return { x: reshape(product, [...lead, ...rows, ...columns]), labels };
}

function sizesOf({ x, labels }: Operand, wanted: readonly Label[]): Shape {
  return wanted.map((label) => x.shape[labels.indexOf(label)]);
}

function inOrder({ x, labels }: Operand, wanted: readonly Label[]): Tensor {
  return reorder(x, wanted.map((label) => labels.indexOf(label)));
}

/** The operand with its axes in the order batch, rows, columns, or transposed if it stands so. */
function asMatrices(
  operand: Operand,
  batch: readonly Label[],
  rows: readonly Label[],
  columns: readonly Label[],
): [x: Tensor, transposed: boolean] {
  const transposed = [...batch, ...columns, ...rows];
  if (transposed.join() === operand.labels.join() && rows.length * columns.length > 0) {
    return [operand.x, true];
  }
  return [inOrder(operand, [...batch, ...rows, ...columns]), false];
}
