/**
 * The state of a generator as bytes, in the layout of PyTorch's `Generator.get_state()`, so that
 * either side goes on where the other stopped.
 *
 * Little-endian: initial seed (u64 at 0), words left (i32 at 8), seeded (i32 at 12), next word (u64 at
 * 16), 624 words as u64 (at 24), three doubles of which the second is the normal sample kept back (at
 * 5016), whether it is there (i32 at 5040), and the same for a float32 sample (at 5048), which float64
 * never uses.
 */
import { refuse } from "../check/refuse.ts";
import { Mt19937, STATE_WORDS } from "./mt19937.ts";

/** The length of a state in bytes. */
export const STATE_BYTES = 5056;

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
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot set the generator's state: got state ${typeof bytes}, expected a Uint8Array`,
    );
  }
  if (bytes.length !== STATE_BYTES) {
    refuse("set the generator's state", `${bytes.length} bytes`, String(STATE_BYTES));
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const engine = new Mt19937(0);
  engine.left = view.getInt32(LEFT, true);
  engine.next = view.getUint32(NEXT, true);
  for (let i = 0; i < STATE_WORDS; i++) engine.words[i] = view.getUint32(WORDS + 8 * i, true);
  if (view.getInt32(SEEDED, true) !== 1 || !engine.isValid()) {
    refuse(
      "set the generator's state",
      `${engine.left} words left and word ${engine.next} next`,
      "the bytes of getState()",
    );
  }
  const spareNormal = view.getInt32(HAS_NORMAL, true) === 0 ? null : view.getFloat64(NORMAL, true);
  return { seed: view.getBigUint64(0, true), engine, spareNormal };
}
