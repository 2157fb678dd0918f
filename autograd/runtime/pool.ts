/**
 * The pool that large tensors live in: blocks of the memory that the WebAssembly kernels work on (blocks.ts).
 *
 * JavaScript has no way to give such a block back when its tensor dies but to ask the collector, and
 * inside a synchronous loop finalizers do not run. So blocks are handed out in groups, and each group has
 * a token: its storages hold it, a `WeakRef` watches it, and when it is gone the whole group is free.
 * Tokens are made ahead of time, because a `WeakRef` keeps its target until the end of the job that made
 * it.
 *
 * - The collector does not see what is at stake. When enough has been allocated, it is asked to run, by
 *   an allocation large enough for it to worry about.
 * - Above a budget, what was not used for longest moves out to heap arrays, which the collector takes
 *   if nobody holds them, and comes back when somebody asks for it. That is the slow path, for groups
 *   that one living tensor keeps and for jobs that use up all tokens.
 *
 * @module
 */
import type { Blocks } from "./blocks.ts";
import { onShortage, openPool } from "./instance.ts";
import { forgetTokens, scarcity, takeToken, type Token } from "./tokens.ts";

/** What the memory behind tensors looks like at the moment, in bytes. */
export interface MemoryInfo {
  /** Bytes of pool memory that tensors own, dead ones included that were not yet noticed. */
  readonly pooledBytes: number;
  /** Bytes of pool memory that were used and are free for the next tensor. */
  readonly freeBytes: number;
  /** How much tensors may own before those that were not used for longest move to the heap. */
  readonly budgetBytes: number;
}

export const MIB = 2 ** 20;

/**
 * A group of blocks grows to this, or to more where tokens become scarce. The first are smaller: what is made
 * first, data and parameters, lives long, and what shares a group with it lives as long.
 */
const GROUP_BYTES = 32 * MIB;
/** How much is allocated, and not released, between two collections, unless blocks are large. */
let collectBytes = 128 * MIB;
/** Between two collections there is room for so many blocks of the size of the largest … */
const LARGE_BLOCKS = 16;
/** … up to this many times `collectBytes`. */
const MOST_COLLECT = 3;
/** Storages used within this many allocations are never moved: a kernel may be at work on them. */
const RECENT = 64;

/** A block in use, or, with pointer 0, values that have left the pool. */
export class Cell {
  /** The clock when it was used last. */
  used = 0;
  movedOut = false;
  values: Float64Array;
  pointer: number;
  /** `null` for values that never were in the pool. */
  readonly group: Group | null;

  constructor(values: Float64Array, pointer: number, group: Group | null) {
    this.values = values;
    this.pointer = pointer;
    this.group = group;
  }
}

/** Blocks that were handed out one after the other. */
class Group {
  readonly cells: Cell[] = [];
  /** Bytes in use. */
  bytes = 0;
  /** Whether it stands in the list of closed groups. */
  listed = false;
  /** How many rests there had been when the last of its blocks was handed out. */
  until = 0;
  readonly watch: WeakRef<Token>;

  constructor(watch: WeakRef<Token>) {
    this.watch = watch;
  }
}

let blocks: Blocks | null = null;
/** Counts allocations: what was used when. */
export let clock = 0;
let budget = 256 * MIB;
/** How much is allocated before the next look at what has died. */
let pause = collectBytes;
/** How many bytes may be in use before that look. */
let nextLook = 2 * collectBytes;
/** The clock when half of that was used: a group that was used later is probably alive. */
let halfway = 0;
/** How often {@linkcode atRest} was called. */
let rests = 0;
/** How many bytes were handed out since the last rest. */
let sinceRest = 0;
/** How many rests there had been when the next look was planned. */
let plannedAt = 0;
/** The clock at that time. */
let lookedAt = 0;
/** How many bytes may be in use at a rest before a look at what has died. */
let nextRest = collectBytes;
/** How many bytes were found alive, about. */
let alive = 0;
/** Bytes of the largest block since the last look. */
let largest = 0;
let openGroup: Group;
/** While somebody holds it, the blocks that were handed out with it stay. */
export let openToken: Token;
/** How many groups there have been. */
let started = 0;
/** Closed groups with blocks in use, oldest first. */
let groups: Group[] = [];

function startGroup(): void {
  const { token, watch } = takeToken();
  openToken = token;
  openGroup = new Group(watch);
  started++;
}

function groupBytes(): number {
  return Math.min(GROUP_BYTES, 2 ** started * MIB) * scarcity();
}

function closeGroup(): void {
  list(openGroup);
  startGroup();
}

function list(group: Group): void {
  if (group.listed) return;
  group.listed = true;
  groups.push(group);
}

/** A block for `n` values, whose owner must hold {@linkcode openToken}; `null` if there is none. */
export function takeCell(n: number): Cell | null {
  if (blocks === null) {
    blocks = openPool();
    if (blocks === null) return null;
    fitTo(blocks.capacity);
    startGroup();
  }
  const bytes = n * 8;
  // Nothing would be left for the others.
  if (bytes > blocks.capacity / 2) return null;
  clock++;
  if (bytes > largest) largest = bytes;
  if (blocks.usedBytes + bytes > nextLook) makeRoom(blocks, bytes);
  else if (blocks.usedBytes + bytes < nextLook - pause / 2) halfway = clock;
  let pointer = blocks.take(bytes);
  if (pointer === 0) {
    evict(blocks, blocks.usedBytes - 2 * bytes);
    pointer = blocks.take(bytes);
    if (pointer === 0) return null;
  }
  if (openGroup.bytes > 0 && openGroup.bytes + bytes > groupBytes()) closeGroup();
  const cell = new Cell(new Float64Array(blocks.buffer, pointer, n), pointer, openGroup);
  cell.used = clock;
  openGroup.cells.push(cell);
  openGroup.bytes += bytes;
  openGroup.until = rests;
  sinceRest += bytes;
  return cell;
}

/** Values on the heap in the place of a block. */
export function heapCell(n: number): Cell {
  return new Cell(new Float64Array(n), 0, null);
}

/** Engines with little shared memory get less: limits in proportion, and scratch memory makes room. */
function fitTo(capacity: number): void {
  collectBytes = Math.min(collectBytes, capacity / 8);
  budget = Math.min(budget, capacity / 2);
  pause = collectBytes;
  nextLook = 2 * collectBytes;
  nextRest = collectBytes;
  onShortage((bytes) => evict(blocks!, Math.max(0, blocks!.usedBytes - 4 * bytes)));
}

/** Gives a block back. */
export function freeCell(cell: Cell): void {
  if (cell.pointer === 0) return;
  blocks!.free(cell.pointer, cell.values.byteLength);
  cell.pointer = 0;
  const group = cell.group!;
  group.bytes -= cell.values.byteLength;
  while (group.cells.length > 0 && group.cells[group.cells.length - 1].pointer === 0) {
    group.cells.pop();
  }
}

/**
 * To be called where much has just died, at the end of a reverse pass: looks at what was allocated
 * before the last such moment.
 */
export function atRest(): void {
  if (blocks === null) return;
  if (blocks.usedBytes > nextRest) {
    collect();
    sweep((group) => group.until < rests);
    // One tensor that is kept, of each thousandth step perhaps, keeps a whole group.
    evict(blocks, Math.max(0.75 * budget, blocks.usedBytes - unusedBytes()));
    plan(blocks.usedBytes);
  }
  rests++;
  // A group with many blocks of the next step would live as long as they.
  const large = Math.max(openGroup.bytes, sinceRest) >= groupBytes() / 2;
  if (large && openGroup.bytes > 0) closeGroup();
  sinceRest = 0;
}

/** The same in the midst of work, when more has been allocated than a step should need. */
function makeRoom(pool: Blocks, bytes: number): void {
  const before = pool.usedBytes;
  collect();
  sweep((group) => group.cells.every((cell) => cell.pointer === 0 || cell.used <= halfway));
  const freed = before - pool.usedBytes;
  if (pool.usedBytes + bytes > budget && freed < pause / 2) {
    evict(pool, Math.max(0, 0.75 * budget - bytes));
  }
  plan(pool.usedBytes + bytes);
}

/**
 * Sets when to look next: what is allocated meanwhile stays in proportion to what is alive. The collector
 * misses what died while it marked, so that is judged by the lower of the latest readings.
 */
function plan(used: number): void {
  const large = Math.min(LARGE_BLOCKS * largest, MOST_COLLECT * collectBytes);
  largest = 0;
  alive = Math.min(used, alive + (used - alive) / 8);
  pause = Math.max(collectBytes, large, alive / 2);
  nextRest = Math.max(alive + pause, used + pause / 3);
  // Where reverse passes come, the midst of work waits for one.
  nextLook = nextRest + (rests > plannedAt ? collectBytes : 0);
  plannedAt = rests;
  lookedAt = halfway = clock;
}

/** How often the collector is asked before it is left alone. */
const PLEAS = 4;

/**
 * Makes the collector run. It does so before it maps a memory of this size, which is never touched,
 * unless there is room for one more; a token that nobody holds tells whether it has.
 */
function collect(): void {
  for (let plea = 0; plea < PLEAS; plea++) {
    const { watch } = takeToken();
    forgetTokens();
    try {
      void new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
    } catch {
      // Refused, and collected all the same.
    }
    if (watch.deref() === undefined) return;
  }
}

/**
 * Frees the groups whose token is gone. Looking at a living token keeps it until the end of the job, so
 * only those groups are looked at that are expected to be dead.
 */
function sweep(expected: (group: Group) => boolean): void {
  groups = groups.filter((group) => {
    if (group.bytes > 0) {
      if (!expected(group) || group.watch.deref() !== undefined) return true;
      for (const cell of [...group.cells]) freeCell(cell);
    }
    return group.listed = false;
  });
}

/** How much was not used since the last look. */
function unusedBytes(): number {
  let bytes = 0;
  for (const { cells } of groups) {
    for (const cell of cells) {
      if (cell.pointer !== 0 && cell.used <= lookedAt) bytes += cell.values.byteLength;
    }
  }
  return bytes;
}

/** Moves the values that were not used for longest to the heap until `target` bytes are in use. */
function evict(pool: Blocks, target: number): void {
  const candidates: Cell[] = [];
  for (const group of [...groups, openGroup]) {
    for (const cell of group.cells) {
      if (cell.pointer !== 0 && cell.used < clock - RECENT) candidates.push(cell);
    }
  }
  candidates.sort((a, b) => a.used - b.used);
  for (const cell of candidates) {
    if (pool.usedBytes <= target) break;
    const values = new Float64Array(cell.values);
    freeCell(cell);
    cell.values = values;
    cell.movedOut = true;
  }
}

/** Values that were moved out are wanted after all: they come back, and the budget was too small. */
export function comeBack(cell: Cell): void {
  cell.movedOut = false;
  const { values } = cell;
  budget = Math.min(budget + 2 * values.byteLength, blocks!.capacity);
  const pointer = blocks!.take(values.byteLength);
  if (pointer === 0) return;
  cell.values = new Float64Array(blocks!.buffer, pointer, values.length);
  cell.values.set(values);
  cell.pointer = pointer;
  const group = cell.group!;
  group.cells.push(cell);
  group.bytes += values.byteLength;
  if (group !== openGroup) list(group);
}

/** Sets how much is allocated between two collections, and from where on values move out; for tests. */
export function setLimits(collect: number, most: number): void {
  collectBytes = collect;
  budget = most;
  plan(blocks?.usedBytes ?? 0);
}

/** How much memory the pool holds. */
export function memoryInfo(): MemoryInfo {
  return {
    pooledBytes: blocks?.usedBytes ?? 0,
    freeBytes: blocks?.freeBytes ?? 0,
    budgetBytes: budget,
  };
}
