/**
 * Writing pickles of protocol 2, the one that PyTorch writes, with the few opcodes that plain values
 * need.
 */

/** Collects the bytes of a pickle. */
export class Pickler {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor() {
    this.op(0x80);
    this.op(2);
  }

  /** The pickle, closed. */
  finish(): Uint8Array<ArrayBuffer> {
    this.op(0x2e);
    return this.#bytes.slice(0, this.#length);
  }

  /** One opcode, or one byte of its argument. */
  op(code: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = code;
  }

  /** `module.name`, to be looked up by the reader. */
  global(module: string, name: string): void {
    this.op(0x63);
    this.#append(new TextEncoder().encode(`${module}\n${name}\n`));
  }

  /** A string. */
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.op(0x58);
    const at = this.#reserve(4);
    this.#view.setUint32(at, bytes.length, true);
    this.#append(bytes);
  }

  /** `None`, `True` or `False`. */
  constant(value: boolean | null): void {
    this.op(value === null ? 0x4e : value ? 0x88 : 0x89);
  }

  /** An `int` where the number is whole, else a `float`. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.integer(value);
    } else {
      this.op(0x47);
      const at = this.#reserve(8);
      this.#view.setFloat64(at, value);
    }
  }

  /** An `int`. */
  integer(value: number | bigint): void {
    if (value >= 0 && value < 2 ** 8) {
      this.op(0x4b);
      this.op(Number(value));
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.op(0x4a);
      const at = this.#reserve(4);
      this.#view.setInt32(at, Number(value), true);
    } else {
      this.#long(BigInt(value));
    }
  }

  /** Two's complement, little-endian, in as few bytes as keep the sign. */
  #long(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    let sign = 0;
    do {
      const byte = Number(rest & 0xffn);
      bytes.push(byte);
      sign = byte & 0x80;
      rest >>= 8n;
    } while (rest !== (sign === 0 ? 0n : -1n));
    if (bytes.length > 0xff) {
      throw new RangeError(
        `Cannot write an integer: got one of ${bytes.length} bytes, expected at most 255`,
      );
    }
    this.op(0x8a);
    this.op(bytes.length);
    this.#append(Uint8Array.from(bytes));
  }

  /** A tuple of what `items` writes. */
  tuple(items: readonly (() => void)[]): void {
    if (items.length === 0) return this.op(0x29);
    this.op(0x28);
    for (const item of items) item();
    this.op(0x74);
  }

  /** A tuple of integers. */
  sizes(values: readonly number[]): void {
    this.tuple(values.map((value) => () => this.integer(value)));
  }

  /** A list of what `items` writes. */
  list(items: readonly (() => void)[]): void {
    this.op(0x5d);
    if (items.length === 0) return;
    this.op(0x28);
    for (const item of items) item();
    this.op(0x65);
  }

  /** Entries of the dict on the stack. */
  entries(items: readonly (readonly [key: () => void, value: () => void])[]): void {
    if (items.length === 0) return;
    this.op(0x28);
    for (const [key, value] of items) {
      key();
      value();
    }
    this.op(0x75);
  }

  /** An empty dict. */
  dict(): void {
    this.op(0x7d);
  }

  /** The result of calling what is on the stack with the tuple above it. */
  reduce(): void {
    this.op(0x52);
  }

  /** An empty `OrderedDict`. */
  orderedDict(): void {
    this.global("collections", "OrderedDict");
    this.tuple([]);
    this.reduce();
  }

  /** An empty `Counter`. */
  counter(): void {
    this.global("collections", "Counter");
    this.tuple([]);
    this.reduce();
  }

  #append(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  #reserve(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, at + count));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length += count;
    return at;
  }
}
