/**
 * The Mersenne Twister MT19937, word for word the stream of PyTorch's CPU generator, and the state of a
 * generator as bytes, in the layout of PyTorch's `Generator.get_state()`, so that either side goes on
 * where the other stopped.
 *
 * Little-endian: initial seed (u64 at 0), words left (i32 at 8), seeded (i32 at 12), next word (u64 at
 * 16), 624 words as u64 (at 24), three doubles of which the second is the normal sample kept back (at
 * 5016), whether it is there (i32 at 5040), and the same for a float32 sample (at 5048), which float64
 * never uses.
 */
import { refuse, refuseKind } from "../check/refuse.ts";

/** Words of state. */
const STATE_WORDS = 624;

const SHIFT_WORDS = 397;
const MATRIX_A = 0x9908b0df;

/**
 * The engine of the random numbers: 624 words of 32 bits and a place in them.
 *
 * @see M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform
 * pseudo-random number generator", ACM TOMACS 8 (1998), section 3.
 */
export class Mt19937 {
  /** The words that are being handed out. */
  readonly words: Uint32Array = new Uint32Array(STATE_WORDS);
  /** Words left before the next regeneration, plus one. */
  left = 1;
  /** The next word to hand out. */
  next = 0;

  /** @param seed Its low 32 bits are used. */
  constructor(seed: number) {
    // s₀ = seed; sᵢ = 1812433253 · (sᵢ₋₁ ⊕ (sᵢ₋₁ ≫ 30)) + i
    const words = this.words;
    words[0] = seed;
    for (let i = 1; i < STATE_WORDS; i++) {
      const previous = words[i - 1] ^ (words[i - 1] >>> 30);
      words[i] = Math.imul(1812433253, previous) + i;
    }
  }

  /** The next 32 random bits, as a number in 0 … 2³² − 1. */
  draw(): number {
    if (--this.left === 0) this.#regenerate();
    let y = this.words[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #regenerate(): void {
    const words = this.words;
    let i = 0;
    for (; i < STATE_WORDS - SHIFT_WORDS; i++) {
      words[i] = words[i + SHIFT_WORDS] ^ twist(words[i], words[i + 1]);
    }
    for (; i < STATE_WORDS - 1; i++) {
      words[i] = words[i + SHIFT_WORDS - STATE_WORDS] ^ twist(words[i], words[i + 1]);
    }
    words[i] = words[SHIFT_WORDS - 1] ^ twist(words[i], words[0]);
    this.left = STATE_WORDS;
    this.next = 0;
  }
}

/** The upper bit of one word and the lower 31 of the next, times the matrix A. */
function twist(upper: number, lower: number): number {
  const y = (upper & 0x80000000) | (lower & 0x7fffffff);
  // All ones or zero instead of a branch, which no processor could predict.
  return (y >>> 1) ^ (-(lower & 1) & MATRIX_A);
}

/** The length of a state in bytes. */
const STATE_BYTES = 5056;

const LEFT = 8;
const SEEDED = 12;
const NEXT = 16;
const WORDS = 24;
const NORMAL = 5024;
const HAS_NORMAL = 5040;

/** What a generator is: the seed it began with, its engine, and the normal sample kept back. */
export interface GeneratorState {
  /** The seed, 0 … 2⁶⁴ − 1. */
  readonly seed: bigint;
  /** The engine. */
  readonly engine: Mt19937;
  /** The second sample of the last pair, while nobody has taken it. */
  readonly spareNormal: number | null;
}

/** The bytes of a state. */
export function encodeState({ seed, engine, spareNormal }: GeneratorState): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, seed, true);
  view.setInt32(LEFT, engine.left, true);
  view.setInt32(SEEDED, 1, true);
  view.setUint32(NEXT, engine.next, true);
  for (let i = 0; i < STATE_WORDS; i++) view.setUint32(WORDS + 8 * i, engine.words[i], true);
  if (spareNormal !== null) {
    view.setFloat64(NORMAL, spareNormal, true);
    view.setInt32(HAS_NORMAL, 1, true);
  }
  return bytes;
}

/**
 * The state that the bytes hold.
 *
 * @throws {TypeError} if they are no Uint8Array.
 * @throws {RangeError} if they have another length or cannot be a state.
 */
export function decodeState(bytes: Uint8Array): GeneratorState {
  const action = "set the generator's state";
  if (!(bytes instanceof Uint8Array)) refuseKind(action, "state", bytes, "a Uint8Array");
  if (bytes.length !== STATE_BYTES) refuse(action, `${bytes.length} bytes`, `${STATE_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const engine = new Mt19937(0);
  engine.left = view.getInt32(LEFT, true);
  engine.next = view.getUint32(NEXT, true);
  for (let i = 0; i < STATE_WORDS; i++) engine.words[i] = view.getUint32(WORDS + 8 * i, true);
  const { left, next } = engine;
  const isValid = left > 0 && left <= STATE_WORDS && next >= 0 && next <= STATE_WORDS;
  if (view.getInt32(SEEDED, true) !== 1 || !isValid) {
    refuse(action, `${left} words left and word ${next} next`, "the bytes of getState()");
  }
  const spareNormal = view.getInt32(HAS_NORMAL, true) === 0 ? null : view.getFloat64(NORMAL, true);
  return { seed: view.getBigUint64(0, true), engine, spareNormal };
}
