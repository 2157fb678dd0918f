/**
 * Tensors that are to be the same on all ranks.
 */
import type { Tensor } from "../autograd/mod.ts";
import { valuesOf, write } from "../autograd/internal.ts";
import type { Group } from "./group.ts";

/** Values travel together up to this many. */
const TOGETHER = 2 ** 17;

/** Gives all ranks the values of one, in few messages. */
export function spreadTensors(
  group: Group,
  name: string,
  tensors: readonly Tensor[],
  source: number,
): void {
  if (group.size === 1) return;
  let waiting: Tensor[] = [];
  let size = 0;
  const send = (): void => {
    if (waiting.length === 1) {
      write(waiting[0], (values) => group.spread(name, values, source), name);
    } else if (waiting.length > 1) {
      const values = new Float64Array(size);
      let at = 0;
      for (const x of waiting) {
        values.set(valuesOf(x), at);
        at += x.size;
      }
      group.spread(name, values, source);
      at = 0;
      for (const x of waiting) {
        const part = values.subarray(at, at + x.size);
        if (group.rank !== source) write(x, (into) => into.set(part), name);
        at += x.size;
      }
    }
    waiting = [];
    size = 0;
  };
  for (const x of tensors) {
    if (size + x.size > TOGETHER) send();
    waiting.push(x);
    size += x.size;
  }
  send();
}

/**
 * Throws on all ranks unless all have tensors of the same names and shapes.
 *
 * @param what What they are, for the message.
 */
export function assertSameTensors(
  group: Group,
  action: string,
  what: string,
  tensors: readonly (readonly [name: string, x: Tensor])[],
): void {
  if (group.size === 1) return;
  const values = tensors.reduce((sum, [, x]) => sum + x.size, 0);
  let hash = 7;
  for (const [name, x] of tensors) {
    for (const letter of `${name}:${x.shape.join()};`) {
      hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    }
  }
  const own = Float64Array.of(tensors.length, values, hash);
  const all = new Float64Array(3 * group.size);
  group.gather(action, own, new Int32Array(group.size).fill(3), all);
  const parts = Array.from(
    { length: group.size },
    (_, rank) => all.subarray(3 * rank, 3 * rank + 3),
  );
  const other = parts.findIndex((part) => part.some((value, i) => value !== parts[0][i]));
  if (other < 0) return;
  const shown = [0, other].map((rank) => {
    const [count, size] = parts[rank];
    return `rank ${rank} ${count} ${what} of ${size} values`;
  });
  throw new RangeError(
    `Cannot ${action}: got ${shown.join(" and ")}, expected the same names and shapes on all ranks`,
  );
}
