/**
 * Writing protocol buffers: fields of varints, 32-bit floats, and bytes.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import { joinChunks } from "../file.ts";

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** One message. Fields are written in the order of the calls. */
export class Message {
  readonly #pieces: Uint8Array[] = [];

  /** An integer, negative ones as 64-bit two's complement. */
  int(field: number, value: number | bigint): this {
    return this.#varint(field << 3 | VARINT).#varint(value);
  }

  /** A float32. */
  float(field: number, value: number): this {
    this.#varint(field << 3 | FIXED32);
    this.#pieces.push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  /** Bytes. */
  bytes(field: number, value: Uint8Array): this {
    this.#varint(field << 3 | BYTES).#varint(value.length);
    this.#pieces.push(value);
    return this;
  }

  /** Text. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** A message within this one. */
  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }

  /** Messages of a repeated field. */
  messages(field: number, values: Iterable<Message>): this {
    for (const value of values) this.message(field, value);
    return this;
  }

  /** Integers of a repeated field. */
  ints(field: number, values: Iterable<number>): this {
    for (const value of values) this.int(field, value);
    return this;
  }

  /** The bytes of the message. */
  finish(): Uint8Array<ArrayBuffer> {
    return joinChunks(this.#pieces);
  }

  #varint(value: number | bigint): this {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    this.#pieces.push(Uint8Array.from(bytes));
    return this;
  }
}
