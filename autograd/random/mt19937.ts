/** The Mersenne Twister MT19937, word for word the stream of PyTorch's CPU generator. */

/** Words of state. */
export const STATE_WORDS = 624;

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

  /** Whether the counters and the words can belong to an engine. */
  isValid(): boolean {
    return this.left > 0 && this.left <= STATE_WORDS && this.next >= 0 && this.next <= STATE_WORDS;
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
