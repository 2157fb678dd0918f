/**
 * Blocks of one large `WebAssembly.Memory`: what the kernels work on. The whole address space is
 * reserved at once, so that the buffer is one object for ever; only pages that were written cost memory.
 *
 * @module
 */

const PAGE = 65536;
/** Below this address nothing is handed out: the kernels' own constants, and 0 stands for "none". */
const FIRST = PAGE;
/** Added to every block, so that equal sizes do not end up at equal addresses modulo 4096. */
const STAGGER = 1088;

/** Reserves the memory; `null` where the engine has no shared memory. */
export function reserveMemory(): WebAssembly.Memory | null {
  for (let pages = 65536; pages >= 1024; pages /= 2) {
    try {
      return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    } catch {
      // Less, then.
    }
  }
  return null;
}

/** How much must have been freed before a merge is worth its while. */
const MERGE_BYTES = 16 * 2 ** 20;

/** A free stretch of memory. */
interface Span {
  start: number;
  size: number;
}

/** Hands out blocks of size classes and takes them back. */
export class Blocks {
  /** Bytes in blocks that are in use. */
  usedBytes = 0;
  readonly #free = new Map<number, number[]>();
  #spans: Span[] = [];
  /** The stretch that is being cut up; one of the spans. */
  #current: Span = { start: 0, size: 0 };
  /** Bytes freed since the last merge. */
  #freed = 0;
  #top = FIRST;
  readonly #end: number;

  readonly buffer: ArrayBufferLike;

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    this.#end = buffer.byteLength - PAGE;
  }

  /** Bytes that can be in use at most. */
  get capacity(): number {
    return this.#end - FIRST;
  }

  /** Bytes that were in use and are free now. */
  get freeBytes(): number {
    return this.#top - FIRST - this.usedBytes;
  }

  /** The address of a block of at least `bytes`, aligned to 64; 0 when there is no room. */
  take(bytes: number): number {
    const size = classOf(bytes);
    const pointer = this.#free.get(size)?.pop() ?? this.#carve(size);
    if (pointer === 0) return 0;
    this.usedBytes += size;
    return pointer;
  }

  /** Takes back a block that was asked for with as many bytes. */
  free(pointer: number, bytes: number): void {
    const size = classOf(bytes);
    this.usedBytes -= size;
    this.#freed += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [pointer]);
    else list.push(pointer);
  }

  #carve(size: number): number {
    // Fresh memory costs a page fault each 4096 bytes, so what lies free in other classes comes first;
    // but merging walks over everything, so it waits until enough has been freed.
    if (this.#current.size < size) {
      if (this.#freed >= MERGE_BYTES && this.#freed >= (this.#top - FIRST) / 8) this.#merge();
      this.#current = this.#longest(size) ?? this.#current;
    }
    if (this.#current.size >= size) {
      const pointer = this.#current.start;
      this.#current.start += size;
      this.#current.size -= size;
      return pointer;
    }
    if (this.#top + size > this.#end) {
      this.#merge();
      const last = this.#longest(size);
      if (last === null) return 0;
      this.#current = last;
      return this.#carve(size);
    }
    const pointer = this.#top;
    this.#top += size;
    return pointer;
  }

  #longest(size: number): Span | null {
    let best: Span | null = null;
    for (const span of this.#spans) {
      if (span.size >= size && (best === null || span.size > best.size)) best = span;
    }
    return best;
  }

  /** Dissolves the classes into stretches as long as can be. */
  #merge(): void {
    this.#freed = 0;
    const spans = this.#spans.filter((span) => span.size > 0);
    for (const [size, pointers] of this.#free) {
      for (const start of pointers) spans.push({ start, size });
    }
    this.#free.clear();
    spans.sort((a, b) => a.start - b.start);
    this.#spans = [];
    let last: Span | null = null;
    for (const span of spans) {
      if (last !== null && last.start + last.size === span.start) last.size += span.size;
      else this.#spans.push(last = span);
    }
    if (last !== null && last.start + last.size === this.#top) {
      this.#top = last.start;
      this.#spans.pop();
    }
    this.#current = { start: 0, size: 0 };
  }
}

/** Rounds up to an eighth of the next lower power of two: at most 12.5 % goes unused. */
function classOf(bytes: number): number {
  const grain = Math.max(64, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3));
  const size = Math.ceil(bytes / grain) * grain;
  return Math.ceil(size / 64) * 64 + STAGGER;
}
