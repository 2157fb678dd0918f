/**
 * Families of layers with one class for each number of axes: `Conv1d`, `Conv2d`, `Conv3d`.
 */
import { kindOf } from "../../autograd/internal.ts";
import type { PerAxis } from "../../autograd/mod.ts";
import { checkPerAxis } from "./arguments.ts";
import { Module } from "./module.ts";

/** A layer over the axes behind batch and channels; its classes differ in how many those are. */
// deno-lint-ignore no-explicit-any -- layers differ in what they return.
export abstract class SpatialLayer<Output = any> extends Module<any[], Output> {
  /** @internal The number of axes; each class has its own. */
  static readonly axes: number = 0;

  /** @internal */
  protected get axes(): number {
    return (this.constructor as typeof SpatialLayer).axes;
  }

  /** @internal One size for each axis from a number or a list. */
  protected perAxis(name: string, sizes: PerAxis, least: number): number[] {
    return checkPerAxis(kindOf(this), name, sizes, this.axes, least);
  }
}
