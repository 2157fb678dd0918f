/**
 * Where tensors' values live. The rest of the library asks for a {@linkcode Storage} and reads
 * `storage.values` afresh in every kernel call; which memory stands behind it is this file's business
 * alone.
 *
 * Small tensors are views of slabs on the heap: a view costs 50 ns, an array of its own 700. A large one
 * owns a block of the pool (pool.ts): it goes back when the collector has found its tensor dead, and
 * what only the engine can see (cotangents, scratch) at once, by {@linkcode release}. No array that a
 * user sees aliases the pool: {@linkcode heapValues} moves the values out first. The values of a large
 * elementwise result may have still to be computed (formula.ts); whoever reads them first has that done.
 *
 * Three rules for callers: hold the storage, not only its values, while you work on them; take `values`
 * after you have allocated, not before; and edit what {@linkcode valuesToEdit} gives, not `values`.
 *
 * @module
 */
import { compute, type ElementwiseKernel, Source, sourceOf } from "./formula.ts";
import {
  Cell,
  clock,
  comeBack,
  freeCell,
  heapCell,
  memoryInfo,
  MIB,
  openToken,
  takeCell,
} from "./pool.ts";
import { Token } from "./tokens.ts";

/** The values of a tensor, shared by all its aliases. */
export interface Storage {
  /** The raw values that kernels read and write; never handed to a user. */
  readonly values: Float64Array;
  /** Counts in-place edits. */
  version: number;
  /** What edited the values last, where it is worth naming. */
  editedBy?: string;
}

/** From this many values on a tensor lives in the pool. */
let pooledFrom = 2048;

class PooledStorage implements Storage {
  version = 0;
  editedBy?: string;
  /** How many recorded calls have saved it. */
  savedBy = 0;
  /** Whether nobody but those calls can see it. */
  alone = false;
  /** The values as formulas read them, or as one will compute them; `null` while there are no formulas. */
  source: Source | null = null;
  cell: Cell;
  token: Token;

  constructor(cell: Cell, token: Token) {
    this.cell = cell;
    this.token = token;
  }

  get values(): Float64Array {
    const { cell } = this;
    if (cell.movedOut) return present(this).values;
    cell.used = clock;
    return cell.values;
  }

  /** Whether a formula has yet to read the values. */
  get isRead(): boolean {
    return this.source !== null && this.source.readers > 0;
  }
}

const RELEASED = new Float64Array(0);
const NO_TOKEN = new Token();
/** Stands for values that a formula will compute. */
const PENDING = placeholder(true);
/** Stands for values that nobody will read. */
const GONE = placeholder(false);

function placeholder(movedOut: boolean): Cell {
  const cell = new Cell(RELEASED, 0, null);
  cell.movedOut = movedOut;
  return cell;
}

/** The block of a storage, with its values: computed, or back from the heap. */
function present(storage: PooledStorage): Cell {
  if (storage.cell === PENDING) {
    const source = storage.source!;
    if (source.formula !== null) compute(source);
    storage.cell = source.cell!;
    storage.token = source.token!;
  }
  const { cell } = storage;
  if (cell.movedOut) comeBack(cell);
  cell.used = clock;
  return cell;
}

/** Computes the values if a formula has still to do that. */
export function settle(storage: Storage): void {
  if (storage instanceof PooledStorage && storage.cell === PENDING) present(storage);
}

let deferring = true;
/** Elementwise operations on so many values leave formulas. */
export let deferredFrom = pooledFrom;

/** Sets whether they do; tests compare both. */
export function setDeferring(on: boolean): void {
  deferring = on;
  deferredFrom = on ? pooledFrom : Infinity;
}

/**
 * Storage of `n` values that a kernel computes of these when somebody reads them; `null` where that has
 * to be done at once.
 */
export function defer(
  kernel: ElementwiseKernel,
  inputs: readonly Storage[],
  n: number,
): Storage | null {
  for (const input of inputs) if (!canDefer(input, n)) return null;
  const operands = new Array<Source | number>(inputs.length);
  for (let i = 0; i < inputs.length; i++) operands[i] = operandOf(inputs[i], n);
  const storage = new PooledStorage(PENDING, NO_TOKEN);
  storage.source = sourceOf(kernel, operands, n);
  return storage;
}

/** Whether the values will be the same later: one number, or in memory that no user has a hold on. */
function canDefer(input: Storage, n: number): boolean {
  if (!(input instanceof PooledStorage)) return n > 1 && input.values.length === 1;
  return input.cell.pointer !== 0 || input.cell.movedOut;
}

function operandOf(input: Storage, n: number): Source | number {
  if (!(input instanceof PooledStorage)) return input.values[0];
  // Computed by now, on the way to something else.
  if (input.cell === PENDING && input.source!.formula === null) present(input);
  const { source, cell, token } = input;
  if ((source?.formula?.length ?? cell.values.length) !== n) return input.values[0];
  return input.source = source ?? new Source(cell, token, null);
}

/** The values for somebody who edits them in place: formulas that have yet to read them keep the old ones. */
export function valuesToEdit(storage: Storage): Float64Array {
  if (!(storage instanceof PooledStorage) || !storage.isRead) return storage.values;
  const before = present(storage);
  const cell = takeCell(before.values.length) ?? heapCell(before.values.length);
  cell.values.set(present(storage).values);
  storage.source = null;
  storage.cell = cell;
  storage.token = openToken;
  return cell.values;
}

/** Storage of `n` zeros. */
export function allocateStorage(n: number): Storage {
  const storage = allocateUninitialised(n);
  if (storage instanceof PooledStorage) storage.cell.values.fill(0);
  return storage;
}

/** Storage of `n` values whose content is arbitrary: for kernels that write every element. */
export function allocateUninitialised(n: number): Storage {
  if (n >= pooledFrom && n > 0) {
    const cell = takeCell(n);
    if (cell !== null) return new PooledStorage(cell, openToken);
  }
  return { values: cutFromSlab(n) ?? heapArray(n), version: 0 };
}

/** Memory on the heap that small tensors are cut from, one after the other. */
interface Slab {
  /** The largest tensors that live here, in values. */
  readonly upTo: number;
  readonly bytes: number;
  buffer: ArrayBuffer;
  /** The bytes that are taken. */
  top: number;
}

/**
 * Tensors share slabs by their size, sixteen of the largest in one, from 512 values on eight. A
 * tensor that is kept keeps its slab: it costs up to 32 times its size, or 4 KiB.
 */
const SLABS: readonly Slab[] = [32, 64, 128, 256, 512, 1024, 2048].map((upTo) => ({
  upTo,
  bytes: (upTo > 256 ? 8 : 16) * 8 * upTo,
  buffer: new ArrayBuffer(0),
  top: 0,
}));

/** `n` values of zeros for a small tensor; `null` if it is none. */
function cutFromSlab(n: number): Float64Array | null {
  for (const slab of SLABS) {
    if (n <= slab.upTo) return cut(slab, n);
  }
  return null;
}

function cut(slab: Slab, n: number): Float64Array {
  const bytes = n * 8;
  if (slab.top + bytes > slab.buffer.byteLength) {
    slab.buffer = new ArrayBuffer(slab.bytes);
    slab.top = 0;
  }
  const values = new Float64Array(slab.buffer, slab.top, n);
  slab.top += bytes;
  return values;
}

function heapArray(n: number): Float64Array {
  try {
    return new Float64Array(n);
  } catch {
    const { pooledBytes, freeBytes } = memoryInfo();
    throw new RangeError(
      `Cannot allocate a tensor: got ${n} values (${megabytes(n * 8)}), ` +
        `expected no more than there is memory for; tensors in the pool own ${
          megabytes(pooledBytes)
        }, ` +
        `${megabytes(freeBytes)} of it are free`,
    );
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** The values as a plain heap array of their own: they leave the pool or slab for good. */
export function heapValues(storage: Storage): Float64Array {
  if (storage instanceof PooledStorage) {
    if (storage.cell === PENDING) present(storage);
    if (storage.isRead) storage.cell = new Cell(new Float64Array(storage.cell.values), 0, null);
    const { cell } = storage;
    if (cell.pointer !== 0) {
      const values = new Float64Array(cell.values);
      freeCell(cell);
      cell.values = values;
    }
    cell.movedOut = false;
    storage.source = null;
    return cell.values;
  }
  const { values } = storage;
  if (values.byteLength === values.buffer.byteLength) return values;
  const own = new Float64Array(values);
  (storage as { values: Float64Array }).values = own;
  return own;
}

/** Whether a storage owns a block that {@linkcode release} would give back. */
export function isPooled(storage: Storage): boolean {
  return storage instanceof PooledStorage;
}

/** Gives the block back at once. Only for storages that nobody but the engine can see. */
export function release(storage: Storage): void {
  if (!(storage instanceof PooledStorage)) return;
  // What a formula has yet to read stays until nobody holds the formula.
  if (storage.cell !== PENDING && !storage.isRead) {
    freeCell(storage.cell);
    storage.cell.values = RELEASED;
  }
  storage.source = null;
  storage.cell = GONE;
}

/** A recorded call saves a storage. */
export function noteSaved(storage: Storage): void {
  if (!(storage instanceof PooledStorage)) return;
  storage.savedBy++;
  // Backward will read it, so it is not to be computed twice.
  if (storage.source !== null) storage.source.keeps = true;
}

/** A recorded call that saved a storage is done with it: a storage that is let go goes back after the last of them. */
export function noteFreed(storage: Storage): void {
  if (!(storage instanceof PooledStorage)) return;
  if (--storage.savedBy === 0 && storage.alone) release(storage);
}

/**
 * From here on nobody reads a storage but the recorded calls that saved it: to be called by those who made it,
 * gave it to nobody who keeps it, and have used it for the last time.
 */
export function letGo(storage: Storage): void {
  if (!(storage instanceof PooledStorage)) return;
  storage.alone = true;
  if (storage.savedBy === 0) release(storage);
}

/** Somebody else may hold a storage after all. */
export function keep(storage: Storage): void {
  if (storage instanceof PooledStorage) storage.alone = false;
}

/** Sets from how many values on a tensor lives in the pool; tests set 1. */
export function setPooledFrom(size: number): void {
  pooledFrom = size;
  setDeferring(deferring);
}
