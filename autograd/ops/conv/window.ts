/**
 * What convolutions, pooling and unfold share: sizes per axis, and windows over up to three axes.
 */
import { refuse } from "../../check/refuse.ts";
import type { Triple, Window } from "../../kernels/mod.ts";
import { formatShape, type Shape, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { describe } from "../create/creation.ts";
import { reshape } from "../shape/shape.ts";

/** One number for every spatial axis, or one for each. */
export type PerAxis = number | readonly number[];

/** A list as errors show it; other values as they are. */
export function show(value: unknown): string {
  return Array.isArray(value) ? formatShape(value) : describe(value);
}

/**
 * One integer of at least `least` for each of `axes`.
 *
 * @throws {TypeError} if something is not a number. @throws {RangeError} if it is too small or no whole
 * number, or if the list has another length than 1 or `axes`.
 */
export function perAxis(
  action: string,
  value: PerAxis,
  name: string,
  axes: number,
  least: number,
): number[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  for (const size of list) {
    if (typeof size !== "number") {
      throw new TypeError(
        `Cannot ${action}: got ${name} ${show(value)}, expected a number or ${axes} of them`,
      );
    }
  }
  if (list.length !== 1 && list.length !== axes) {
    refuse(action, `${name} ${show(value)}`, `a number or ${axes} of them`);
  }
  const sizes = list as number[];
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= least)) {
    refuse(action, `${name} ${show(value)}`, `integers of at least ${least}`);
  }
  return sizes.length === axes ? sizes : new Array<number>(axes).fill(sizes[0]);
}

/**
 * An option by axis; `least`, which is also the least that it may be, where it was left out.
 *
 * @throws {TypeError} and {RangeError} as {@linkcode perAxis}.
 */
export function optionPerAxis<Name extends string>(
  action: string,
  options: { readonly [K in Name]?: PerAxis },
  name: Name,
  axes: number,
  least: number,
): number[] {
  return perAxis(action, options[name] ?? least, name, axes, least);
}

/** Up to three things by axis as three, `fill` for the axes that are missing in front. */
export function triple<T>(list: readonly T[], fill: T): readonly [depth: T, height: T, width: T] {
  const [width, height = fill, depth = fill] = [...list].reverse();
  return [depth, height, width];
}

/** The shape of images: that of others but for their channels and the sizes of their planes. */
export function imageShape(like: Shape, channels: number, plane: Triple): Shape {
  return [like[0], channels, ...plane.slice(5 - like.length)];
}

/** A window over up to three axes, the missing ones in front of size 1. */
export function windowOf(
  input: readonly number[],
  kernel: readonly number[],
  output: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
): Window {
  return {
    input: triple(input, 1),
    kernel: triple(kernel, 1),
    output: triple(output, 1),
    stride: triple(stride, 1),
    padding: triple(padding, 0),
    dilation: triple(dilation, 1),
  };
}

/** Images with a batch axis. */
export interface Batch {
  readonly images: Tensor;
  /** Takes the batch axis off a result again, where it was not there before. */
  restore(y: Tensor): Tensor;
}

/**
 * x with a batch axis in front of `axes` spatial axes and one of channels.
 *
 * @throws {RangeError} if it has another number of axes.
 */
export function asBatch(action: string, x: Tensor, axes: number): Batch {
  if (x.ndim === axes + 2) return { images: x, restore: (y) => y };
  if (x.ndim !== axes + 1) {
    refuse(
      action,
      shaped("x", x),
      `${axes + 1} dims (channels, ${axes} spatial) or ${
        axes + 2
      } (batch, channels, ${axes} spatial)`,
    );
  }
  const images = reshape(x, [1, ...x.shape]);
  return { images, restore: (y) => reshape(y, y.shape.slice(1)) };
}

/** The spatial axes of a shape with batch and channels in front. */
export function spatial(shape: Shape): Shape {
  return shape.slice(2);
}
