/**
 * Reading pickles without running them. A pickle is a program for a stack machine whose GLOBAL and
 * REDUCE name and call anything that Python can import. Here a global is looked up in a short list, and
 * a call makes a plain value. Everything else stays opaque: what would be done with it is noted down.
 */
import { messageOf } from "../errors.ts";
import { Callable, OpaqueValue, type PickleValue, type Vocabulary } from "./values.ts";

const MARK = Symbol("mark");
/** Bytes; longer integers have no use in a checkpoint. */
const LONGEST_INTEGER = 128;

/** Items that the calls of a short pickle may make. */
const MOST_MADE = 2 ** 20;

/** Thrown where the bytes end before the pickle does. */
export class PickleEnd extends RangeError {}

/**
 * Reads one pickle.
 *
 * @param bytes Bytes that hold it.
 * @param start Where it begins.
 * @param vocabulary What it may name.
 * @param file What errors call it.
 * @returns The value, and where the next byte is.
 * @throws {RangeError} if it is damaged.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  vocabulary: Vocabulary,
  file: string,
): { value: unknown; end: number } {
  return new Machine(bytes, start, vocabulary, file).run();
}

/** A list that is still open for APPEND; tuples are frozen. */
type Items = unknown[];

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #made = 0;
  #at: number;
  #opcodeAt: number;

  readonly vocabulary: Vocabulary;
  readonly file: string;

  constructor(bytes: Uint8Array, start: number, vocabulary: Vocabulary, file: string) {
    this.vocabulary = vocabulary;
    this.file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#opcodeAt = start;
  }

  run(): { value: unknown; end: number } {
    while (true) {
      this.#opcodeAt = this.#at;
      const opcode = this.#byte();
      if (opcode === 0x2e) return { value: this.#pop(), end: this.#at };
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        return this.#protocol(this.#byte());
      case 0x95: // FRAME
        return void this.#take(8);
      case 0x28: // MARK
        this.#marks.push(this.#stack.length);
        return void this.#stack.push(MARK);
      case 0x30: // POP
        return void this.#pop();
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#byte());
      case 0x4d: // BININT2
        return this.#push(this.#take(2).getUint16(0, true));
      case 0x4a: // BININT
        return this.#push(this.#take(4).getInt32(0, true));
      case 0x8a: // LONG1
        return this.#push(this.#integer(this.#byte()));
      case 0x8b: // LONG4
        return this.#push(this.#integer(this.#take(4).getInt32(0, true)));
      case 0x47: // BINFLOAT
        return this.#push(this.#take(8).getFloat64(0));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#byte()));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#length4()));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#length8()));
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#latin1(this.#byte()));
      case 0x54: // BINSTRING
        return this.#push(this.#latin1(this.#length4()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#slice(this.#byte()));
      case 0x42: // BINBYTES
        return this.#push(this.#slice(this.#length4()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#push(this.#slice(this.#length8()));
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x6c: // LIST
        return this.#push(this.#popToMark());
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x29: // EMPTY_TUPLE
        return this.#push(Object.freeze([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(Object.freeze(this.#popMany(opcode - 0x84)));
      case 0x74: // TUPLE
        return this.#push(Object.freeze(this.#popToMark()));
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x64: // DICT
        this.#push(new Map());
        return this.#setItems(this.#popBelowTop());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x8f: // EMPTY_SET
        return this.#push(new Set());
      case 0x90: // ADDITEMS
        return this.#addItems(this.#popToMark());
      case 0x91: // FROZENSET
        return this.#push(new Set(this.#popToMark()));
      case 0x71: // BINPUT
        return void this.#memo.set(this.#byte(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(this.#take(4).getUint32(0, true), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#recall(this.#byte());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#take(4).getUint32(0, true));
      case 0x63: // GLOBAL
        return this.#global(this.#line(), this.#line());
      case 0x93: { // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        return this.#global(String(module), String(name));
      }
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        const [callee, args] = this.#popMany(2);
        return this.#reduce(callee, args);
      }
      case 0x92: { // NEWOBJ_EX
        const [callee, args, named] = this.#popMany(3);
        const rest = named instanceof Map && named.size > 0 ? [named] : [];
        return this.#reduce(callee, Array.isArray(args) ? [...args, ...rest] : args);
      }
      case 0x69: { // INST
        const [module, name] = [this.#line(), this.#line()];
        const args = this.#popToMark();
        this.#global(module, name);
        return this.#reduce(this.#pop(), args);
      }
      case 0x6f: { // OBJ
        const [callee, ...args] = this.#popToMark();
        return this.#reduce(callee, args);
      }
      case 0x32: // DUP
        return this.#push(this.#top());
      case 0x31: // POP_MARK
        return void this.#popToMark();
      case 0x62: { // BUILD
        const state = this.#pop();
        return this.#build(this.#top(), state);
      }
      case 0x51: // BINPERSID
        return this.#persistent(this.#pop());
      default:
        throw this.#damaged(
          `got opcode 0x${opcode.toString(16).padStart(2, "0")}, expected one that makes data`,
        );
    }
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) {
      throw this.#damaged(`got pickle protocol ${version}, expected 2 to 5`);
    }
  }

  #global(module: string, name: string): void {
    const value = this.vocabulary.resolve(module, name);
    this.#push(value ?? new OpaqueValue(`${module}.${name}`, null));
  }

  #reduce(callee: unknown, args: unknown): void {
    if (!Array.isArray(args)) {
      throw this.#damaged("got a call without a list of arguments, expected one");
    }
    if (callee instanceof OpaqueValue) {
      this.#push(new OpaqueValue(callee.name, args as PickleValue[]));
      return;
    }
    if (!(callee instanceof Callable)) {
      throw this.#damaged("got a call of something that is no function, expected one");
    }
    const value = this.#guard(() => callee.call(args));
    this.#charge(value);
    this.#push(value);
  }

  #build(target: unknown, state: unknown): void {
    if (target instanceof OpaqueValue) {
      target.state = state as PickleValue;
      return;
    }
    const built = this.#guard(() => this.vocabulary.build(target, state));
    if (built === target) return;
    // What it was until now may have been put aside already.
    for (const [index, value] of this.#memo) if (value === target) this.#memo.set(index, built);
    this.#stack[this.#stack.length - 1] = built;
  }

  /** Calls may copy what they are given again and again; all together not without bound. */
  #charge(value: unknown): void {
    const size = Array.isArray(value) || value instanceof Uint8Array
      ? value.length
      : value instanceof Map || value instanceof Set
      ? value.size
      : 0;
    this.#made += size;
    const most = MOST_MADE + 4 * this.#bytes.length;
    if (this.#made > most) {
      throw this.#damaged(
        `got calls that make ${this.#made} items or more, expected at most ${most} in a pickle of ` +
          `this size`,
      );
    }
  }

  #persistent(id: unknown): void {
    this.#push(this.#guard(() => this.vocabulary.persistent(id)));
  }

  #guard<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw this.#damaged(messageOf(error));
    }
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (list instanceof OpaqueValue) return this.#note(list, items);
    if (!Array.isArray(list) || Object.isFrozen(list)) {
      throw this.#damaged("got items for something that is no list, expected a list");
    }
    for (const item of items) (list as Items).push(item);
  }

  #note(opaque: OpaqueValue, items: readonly unknown[]): void {
    for (const item of items) opaque.items.push(item as PickleValue);
  }

  #setItems(items: readonly unknown[]): void {
    const map = this.#top();
    if (map instanceof OpaqueValue && items.length % 2 === 0) {
      for (let i = 0; i < items.length; i += 2) {
        map.items.push([items[i], items[i + 1]] as PickleValue[]);
      }
      return;
    }
    if (!(map instanceof Map) || items.length % 2 !== 0) {
      throw this.#damaged("got entries for something that is no dict, expected a dict");
    }
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  #addItems(items: readonly unknown[]): void {
    const set = this.#top();
    if (set instanceof OpaqueValue) return this.#note(set, items);
    if (!(set instanceof Set)) {
      throw this.#damaged("got items for something that is no set, expected a set");
    }
    for (const item of items) set.add(item);
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) {
      throw this.#damaged(`got memo ${index}, which nothing was put into`);
    }
    this.#push(this.#memo.get(index));
  }

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #top(): unknown {
    const value = this.#stack[this.#stack.length - 1];
    if (this.#stack.length === 0 || value === MARK) {
      throw this.#damaged("got an empty stack, expected a value on it");
    }
    return value;
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): unknown[] {
    const values = new Array<unknown>(count);
    for (let i = count - 1; i >= 0; i--) values[i] = this.#pop();
    return values;
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#damaged("got no mark on the stack, expected one");
    return this.#stack.splice(mark).slice(1);
  }

  /** The values from the mark on, without the top, which stays. */
  #popBelowTop(): unknown[] {
    const top = this.#pop();
    const items = this.#popToMark();
    this.#push(top);
    return items;
  }

  #byte(): number {
    return this.#take(1).getUint8(0);
  }

  #take(count: number): DataView {
    return new DataView(this.#view.buffer, this.#view.byteOffset + this.#advance(count), count);
  }

  /** Moves on by `count` bytes and returns where they begin. */
  #advance(count: number): number {
    const from = this.#at;
    if (count > this.#bytes.length - from) {
      throw new PickleEnd(
        `Cannot read ${this.file}: got its end at byte ${this.#bytes.length}, expected ${count} ` +
          `more from byte ${from} on`,
      );
    }
    this.#at += count;
    return from;
  }

  #slice(count: number): Uint8Array {
    const from = this.#advance(count);
    return this.#bytes.slice(from, from + count);
  }

  #length4(): number {
    return this.#take(4).getUint32(0, true);
  }

  #length8(): number {
    const view = this.#take(8);
    return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  }

  #text(count: number): string {
    const from = this.#advance(count);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(this.#bytes.subarray(from, from + count));
    } catch {
      throw this.#damaged("got text that is no UTF-8, expected UTF-8");
    }
  }

  #latin1(count: number): string {
    const from = this.#advance(count);
    return new TextDecoder("latin1").decode(this.#bytes.subarray(from, from + count));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#advance(this.#bytes.length - this.#at + 1);
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  /** A two's-complement little-endian integer of that many bytes. */
  #integer(count: number): number | bigint {
    if (count < 0 || count > LONGEST_INTEGER) {
      throw this.#damaged(
        `got an integer of ${count} bytes, expected at most ${LONGEST_INTEGER}`,
      );
    }
    const bytes = this.#slice(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]);
    if (count > 0 && bytes[count - 1] >= 0x80) value -= 1n << BigInt(8 * count);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #damaged(what: string): RangeError {
    return new RangeError(`Cannot read ${this.file}: ${what} (byte ${this.#opcodeAt})`);
  }
}
