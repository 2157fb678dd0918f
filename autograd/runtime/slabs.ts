/**
 * Small tensors are views of slabs on the heap: a view costs 50 ns, an array of its own 700.
 *
 * @module
 */

/** Memory on the heap that small tensors are cut from, one after the other. */
interface Slab {
  /** The largest tensors that live here, in values. */
  readonly upTo: number;
  readonly bytes: number;
  buffer: ArrayBuffer;
  /** The bytes that are taken. */
  top: number;
}

/**
 * Tensors share slabs by their size, sixteen of the largest in one, from 512 values on eight. A
 * tensor that is kept keeps its slab: it costs up to 32 times its size, or 4 KiB.
 */
const SLABS: readonly Slab[] = [32, 64, 128, 256, 512, 1024, 2048].map((upTo) => ({
  upTo,
  bytes: (upTo > 256 ? 8 : 16) * 8 * upTo,
  buffer: new ArrayBuffer(0),
  top: 0,
}));

/** `n` values of zeros for a small tensor; `null` if it is none. */
export function cutFromSlab(n: number): Float64Array | null {
  for (const slab of SLABS) {
    if (n <= slab.upTo) return cut(slab, n);
  }
  return null;
}

function cut(slab: Slab, n: number): Float64Array {
  const bytes = n * 8;
  if (slab.top + bytes > slab.buffer.byteLength) {
    slab.buffer = new ArrayBuffer(slab.bytes);
    slab.top = 0;
  }
  const values = new Float64Array(slab.buffer, slab.top, n);
  slab.top += bytes;
  return values;
}
