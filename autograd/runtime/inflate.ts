/**
 * Inflates the packed kernels while their module loads: engines' own decompression is asynchronous,
 * and a module that waits for it delays every program that imports it.
 *
 * @module
 */

/** In which order the lengths of the code lengths' own code are stored. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * A Huffman code: what the next `bits` bits of a stream, the first one lowest, begin with. An entry is a
 * symbol times 16 plus the length of its code, 0 where no code begins so.
 */
interface Code {
  readonly bits: number;
  readonly table: Uint16Array;
}

function codeOf(lengths: readonly number[]): Code {
  const bits = Math.max(...lengths);
  const table = new Uint16Array(1 << bits);
  for (let length = 1, code = 0; length <= bits; length++, code <<= 1) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      let start = 0;
      for (let i = 0; i < length; i++) start = start << 1 | code >> i & 1;
      for (let i = start; i < table.length; i += 1 << length) table[i] = symbol << 4 | length;
      code++;
    }
  }
  return { bits, table };
}

/**
 * Match lengths or distances: the smallest value of each code, and how many bits are added to it. Every
 * `step` codes there is a bit more; the first 2 · `step` codes have none.
 */
function ranges(codes: number, step: number, start: number): [base: number, bits: number][] {
  let base = start;
  return Array.from({ length: codes }, (_, code) => {
    const bits = Math.max(0, Math.floor(code / step) - 1);
    base += 2 ** bits;
    return [base - 2 ** bits, bits];
  });
}

const LENGTHS = ranges(28, 4, 3);
LENGTHS.push([258, 0]);
const DISTANCES = ranges(30, 2, 1);

/** The codes of blocks that bring none of their own. */
const FIXED: [literals: Code, distances: Code] = [
  codeOf(Array.from({ length: 288 }, (_, i) => i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
  codeOf(new Array(30).fill(5)),
];

/** The `size` bytes behind a whole deflate stream of Huffman-coded blocks (RFC 1951). */
export function inflate(stream: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  let [end, at] = [0, 0];
  /** The next 17 bits or more. */
  const peek = (): number => {
    const byte = at >> 3;
    return (stream[byte] | stream[byte + 1] << 8 | stream[byte + 2] << 16) >> (at & 7);
  };
  const take = (bits: number): number => {
    const value = peek() & (1 << bits) - 1;
    at += bits;
    return value;
  };
  const symbolOf = ({ bits, table }: Code): number => {
    const entry = table[peek() & (1 << bits) - 1];
    if (entry === 0) {
      throw new RangeError("Cannot unpack the kernels: got a damaged module, expected a whole one");
    }
    at += entry & 15;
    return entry >> 4;
  };
  const dynamicCodes = (): [literals: Code, distances: Code] => {
    const [literals, distances, count] = [take(5) + 257, take(5) + 1, take(4) + 4];
    const own = new Array<number>(19).fill(0);
    for (let i = 0; i < count; i++) own[ORDER[i]] = take(3);
    const code = codeOf(own);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const symbol = symbolOf(code);
      if (symbol < 16) lengths.push(symbol);
      else {
        const length = symbol === 16 ? lengths[lengths.length - 1] : 0;
        const times = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7);
        for (let i = 0; i < times; i++) lengths.push(length);
      }
    }
    return [codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals))];
  };
  for (let last = 0; last === 0;) {
    last = take(1);
    const [literals, distances] = take(2) === 1 ? FIXED : dynamicCodes();
    for (let symbol = symbolOf(literals); symbol !== 256; symbol = symbolOf(literals)) {
      if (symbol < 256) {
        out[end++] = symbol;
        continue;
      }
      const [length, lengthBits] = LENGTHS[symbol - 257];
      const times = length + take(lengthBits);
      const [distance, distanceBits] = DISTANCES[symbolOf(distances)];
      const back = distance + take(distanceBits);
      for (let i = 0; i < times; i++, end++) out[end] = out[end - back];
    }
  }
  return out;
}
