/**
 * How one module holds both builds of the kernels: where one has a fused multiply-add, the other has a
 * multiplication and, past the third operand, an addition. All these instructions have three bytes.
 */

/** `f64x2.mul` */
export const MULTIPLY: readonly number[] = [0xfd, 0xf2, 0x01];
/** `f64x2.add` */
export const ADD: readonly number[] = [0xfd, 0xf0, 0x01];
/** `f64x2.relaxed_madd` */
export const FUSED: readonly number[] = [0xfd, 0x87, 0x02];
/** `i32.const 42` and `drop`, where the multiplication stood. */
export const NOTHING: readonly number[] = [0x41, 0x2a, 0x1a];

/** The build with multiplication and addition from the one in which they are fused. */
export function takeApart(fused: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const apart = fused.slice();
  for (const [from, to] of [[FUSED, ADD], [NOTHING, MULTIPLY]]) {
    const [first, second, third] = from;
    for (let i = -1; (i = fused.indexOf(first, i + 1)) >= 0;) {
      if (fused[i + 1] === second && fused[i + 2] === third) apart.set(to, i);
    }
  }
  return apart;
}
