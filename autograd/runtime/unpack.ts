/**
 * Unpacks the kernels while their module loads: engines' own decompression is asynchronous, and a
 * module that waits for it delays every program that imports it.
 *
 * The format is that of LZMA (https://www.7-zip.org/sdk.html) with its usual settings, without a header.
 * Each bit is decoded by how likely it was in the same context before, which makes the kernels a sixth
 * smaller than deflate does.
 *
 * @module
 */

/** How likely bits are to be 0, out of 2048; each context has one of its own. */
type Chances = Uint16Array;

/** Contexts of which nothing is known yet. */
function contexts(count: number): Chances {
  return new Uint16Array(count).fill(1024);
}

/** The bits of a stream, taken from a range that narrows with each of them. */
class BitReader {
  readonly #bytes: Uint8Array;
  /** The first byte says nothing. */
  #at = 1;
  #range = 0xffffffff;
  #code = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (let i = 0; i < 4; i++) this.#code = (this.#code << 8 | bytes[this.#at++]) >>> 0;
  }

  #widen(): void {
    if (this.#range >= 2 ** 24) return;
    if (this.#at >= this.#bytes.length) {
      throw new RangeError("Cannot unpack the kernels: got a damaged module, expected a whole one");
    }
    this.#range = this.#range << 8 >>> 0;
    this.#code = (this.#code << 8 | this.#bytes[this.#at++]) >>> 0;
  }

  bit(chances: Chances, context: number): number {
    const chance = chances[context];
    const bound = (this.#range >>> 11) * chance;
    const bit = this.#code < bound ? 0 : 1;
    if (bit === 0) {
      this.#range = bound;
      chances[context] += 2048 - chance >> 5;
    } else {
      this.#range -= bound;
      this.#code -= bound;
      chances[context] -= chance >> 5;
    }
    this.#widen();
    return bit;
  }

  /** Bits that are as likely 0 as 1, the highest first. */
  evenBits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const bit = this.#code < this.#range ? 0 : 1;
      if (bit === 1) this.#code -= this.#range;
      value = value << 1 | bit;
      this.#widen();
    }
    return value;
  }

  /** The bits of a tree of contexts that begins at `first`, with a leading 1: the highest bit first. */
  tree(chances: Chances, first: number, count: number): number {
    let node = 1;
    for (let i = 0; i < count; i++) node = node << 1 | this.bit(chances, first + node);
    return node;
  }

  /** The same with the lowest bit first, and without the leading 1. */
  reversedTree(chances: Chances, first: number, count: number): number {
    let [node, value] = [1, 0];
    for (let i = 0; i < count; i++) {
      const bit = this.bit(chances, first + node);
      node = node << 1 | bit;
      value |= bit << i;
    }
    return value;
  }
}

/** How long a match is, by the place in the output. */
class Lengths {
  readonly #isLonger = contexts(2);
  readonly #short = contexts(4 * 8);
  readonly #middle = contexts(4 * 8);
  readonly #long = contexts(256);

  read(bits: BitReader, place: number): number {
    if (bits.bit(this.#isLonger, 0) === 0) return 2 + bits.tree(this.#short, 8 * place, 3) - 8;
    if (bits.bit(this.#isLonger, 1) === 0) return 10 + bits.tree(this.#middle, 8 * place, 3) - 8;
    return 18 + bits.tree(this.#long, 0, 8) - 256;
  }
}

/** The `size` bytes that a stream holds. */
export function unpack(stream: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bits = new BitReader(stream);
  const out = new Uint8Array(size);
  const literals = contexts(8 * 0x300);
  const isMatch = contexts(12 * 4);
  const isRepeated = contexts(12);
  const isOlder = [contexts(12), contexts(12), contexts(12)];
  const isLong = contexts(12 * 4);
  const newLengths = new Lengths();
  const repeatedLengths = new Lengths();
  const slots = contexts(4 * 64);
  const middleBits = contexts(128);
  const lowBits = contexts(16);
  /** The last distances, the latest first. */
  const distances = [1, 1, 1, 1];
  /** What the last few steps were: below 7 the last one was a literal. */
  let state = 0;
  let end = 0;

  const readLiteral = (): void => {
    const first = 0x300 * (end === 0 ? 0 : out[end - 1] >> 5);
    let node = 1;
    // Behind a match the byte that would have gone on with it tells where the new one differs.
    if (state >= 7) {
      let expected = out[end - distances[0]];
      while (node < 256) {
        const guess = expected >> 7 & 1;
        expected <<= 1;
        const bit = bits.bit(literals, first + (1 + guess << 8) + node);
        node = node << 1 | bit;
        if (bit !== guess) break;
      }
    }
    while (node < 256) node = node << 1 | bits.bit(literals, first + node);
    out[end++] = node & 255;
    state -= state < 4 ? state : state < 10 ? 3 : 6;
  };
  const readDistance = (length: number): number => {
    const slot = bits.tree(slots, 64 * Math.min(length - 2, 3), 6) - 64;
    if (slot < 4) return slot + 1;
    const count = (slot >> 1) - 1;
    const base = (2 | slot & 1) << count;
    if (slot < 14) return base + bits.reversedTree(middleBits, base - slot, count) + 1;
    const high = bits.evenBits(count - 4) << 4;
    return base + high + bits.reversedTree(lowBits, 0, 4) + 1;
  };
  /** Which of the last distances is taken once more, if it is not the latest: it becomes that. */
  const readOlder = (): void => {
    let which = 1;
    while (which < 3 && bits.bit(isOlder[which], state) === 1) which++;
    distances.unshift(...distances.splice(which, 1));
  };

  while (end < size) {
    const place = end & 3;
    const context = 4 * state + place;
    if (bits.bit(isMatch, context) === 0) {
      readLiteral();
      continue;
    }
    let length: number;
    if (bits.bit(isRepeated, state) === 0) {
      length = newLengths.read(bits, place);
      distances.unshift(readDistance(length));
      distances.pop();
      state = state < 7 ? 7 : 10;
    } else if (bits.bit(isOlder[0], state) === 1) {
      readOlder();
      length = repeatedLengths.read(bits, place);
      state = state < 7 ? 8 : 11;
    } else if (bits.bit(isLong, context) === 1) {
      length = repeatedLengths.read(bits, place);
      state = state < 7 ? 8 : 11;
    } else {
      length = 1;
      state = state < 7 ? 9 : 11;
    }
    const [distance] = distances;
    for (let i = 0; i < length && end < size; i++, end++) out[end] = out[end - distance];
  }
  return out;
}

// One module holds both builds of the kernels: where one has a fused multiply-add, the other has a multiplication
// and, past the third operand, an addition. All these instructions have three bytes.

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
