/**
 * What a pickle holds, once read: Python's values as JavaScript's.
 */
import type { Tensor } from "../../autograd/mod.ts";

/** A key of a dict. */
export type PickleKey = string | number | bigint | boolean | null | Uint8Array | PickleValue[];

/**
 * A value from Python: a dict is a `Map` in its order, a list or tuple an array, a set a `Set`, `None`
 * is `null`, `bytes` a `Uint8Array`; an integer that a number does not hold exactly is a `bigint`.
 */
export type PickleValue =
  | Tensor
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | PickleValue[]
  | Set<PickleValue>
  | PickleMap
  | OpaqueValue;

/** A dict. */
export type PickleMap = Map<PickleKey, PickleValue>;

/**
 * What a pickle says of an object, class or function that is not known here. It is never resolved, called
 * or run: what the pickle would have done with it is only noted down.
 */
export class OpaqueValue {
  /** Its Python name, as `module.name`; for an object that of its class. */
  readonly name: string;
  /** The arguments of the call that would have made it; `null` for the class or function itself. */
  readonly args: readonly PickleValue[] | null;
  /** The attributes that it would have been given; `null` where there are none. */
  state: PickleValue = null;
  /** What would have been added to it: items, or pairs of key and value. */
  readonly items: PickleValue[] = [];

  /** Notes a name down, and with what it would have been called. */
  constructor(name: string, args: readonly PickleValue[] | null) {
    this.name = name;
    this.args = args;
  }
}

/** What a pickle can make. Nothing else is resolved, and nothing is ever run. */
export interface Vocabulary {
  /** What `module.name` stands for; `undefined` leaves it opaque. */
  resolve(module: string, name: string): unknown;
  /** What a persistent id stands for; throws to refuse it. */
  persistent(id: unknown): unknown;
  /** Sets an object's attributes and returns what it is with them; throws to refuse them. */
  build(target: unknown, attributes: unknown): unknown;
}

/** A global that may be called, with what the call makes. */
export class Callable {
  /** As `module.name`. */
  readonly name: string;
  /** Makes the value; throws `RangeError` for arguments that do not fit. */
  readonly call: (args: readonly unknown[]) => unknown;

  constructor(name: string, call: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}
