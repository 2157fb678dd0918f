/**
 * How fast this machine multiplies and adds with 128-bit vectors: what no WebAssembly kernel can exceed.
 *
 * @module
 */

/** Independent sums: enough to hide how long one multiply-add takes, few enough for the registers. */
const SUMS = 12;
const UNROLLED = 8;

/** The bytes of a number in LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...leb(value >> 7)];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

/** A module that exports `run(times)`: so many rounds of multiply-adds that do not wait for each other. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const simd = (opcode: number): number[] => [0xfd, ...leb(opcode)];
  const get = (local: number): number[] => [0x20, local];
  const x = 1 + SUMS;
  const factor = [0x44, ...new Uint8Array(Float64Array.of(0.5).buffer)];
  const step = Array.from({ length: SUMS }, (_, i) => [
    // sum = sum·x + x
    ...[...get(1 + i), ...get(x), ...get(x), ...simd(0x107)],
    ...[0x21, 1 + i],
  ]).flat();
  const body = [
    ...[1, SUMS + 1, 0x7b],
    ...[...factor, ...simd(0x14), 0x21, x],
    ...[0x03, 0x40],
    ...Array<number[]>(UNROLLED).fill(step).flat(),
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
    ...get(1),
    ...Array.from({ length: SUMS - 1 }, (_, i) => [...get(2 + i), ...simd(0xf0)]).flat(),
    ...[...simd(0x21), 0, 0x0b],
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7c]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** Billions of operations a second of fused multiply-adds, each counted as two; `null` without them. */
export function multiplyAddLimit(): number | null {
  const bytes = moduleBytes();
  if (!WebAssembly.validate(bytes)) return null;
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
    run(times: number): number;
  };
  const times = 20_000;
  let best = Infinity;
  for (let i = 0; i < 40; i++) {
    const start = performance.now();
    run(times);
    best = Math.min(best, performance.now() - start);
  }
  const operations = times * UNROLLED * SUMS * 2 * 2;
  return operations / (best * 1e6);
}
