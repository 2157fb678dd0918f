/** How tensors turn into nested arrays and text. */
import type { Shape } from "./shape.ts";

/** A number, or arrays of arrays of numbers of one regular shape. */
export type NestedArray = number | readonly NestedArray[];

/** Axes longer than this are shortened to their two ends. */
const LONG_AXIS = 12;
const EDGE = 4;

/** The row-major values as nested arrays. */
export function nest(values: Float64Array, shape: Shape): NestedArray {
  let offset = 0;
  const level = (axis: number): NestedArray => {
    if (axis === shape.length) return values[offset++];
    return Array.from({ length: shape[axis] }, () => level(axis + 1));
  };
  return level(0);
}

/** The values in PyTorch's layout: `tensor([[1, 2],\n        [3, 4]])`. */
export function print(values: Float64Array, shape: Shape, requiresGrad: boolean): string {
  const prefix = "tensor(";
  const notes = [""];
  if (values.length === 0 && shape.length > 1) notes.push(`shape=[${shape.join(", ")}]`);
  if (requiresGrad) notes.push("requiresGrad");
  const text = values.length === 0 ? "[]" : layout(values, shape, 0, 0, prefix.length);
  return prefix + text + notes.join(", ") + ")";
}

function layout(
  values: Float64Array,
  shape: Shape,
  axis: number,
  offset: number,
  indent: number,
): string {
  if (axis === shape.length) return formatValue(values[offset]);
  let stride = 1;
  for (let i = axis + 1; i < shape.length; i++) stride *= shape[i];
  const size = shape[axis];
  const rows: string[] = [];
  for (let i = 0; i < size; i++) {
    if (size > LONG_AXIS && i === EDGE) {
      rows.push("…");
      i = size - EDGE;
    }
    rows.push(layout(values, shape, axis + 1, offset + i * stride, indent + 1));
  }
  const last = axis === shape.length - 1;
  const blankLines = "\n".repeat(Math.max(1, shape.length - axis - 1));
  return `[${rows.join(last ? ", " : "," + blankLines + " ".repeat(indent + 1))}]`;
}

function formatValue(value: number): string {
  if (!Number.isFinite(value)) {
    return String(value).replace("Infinity", "inf").replace("NaN", "nan");
  }
  return Object.is(value, -0) ? "-0" : String(Number(value.toPrecision(5)));
}
