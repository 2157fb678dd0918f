/**
 * The WebAssembly kernels on the memory that large tensors live in: which build, compiled how, and
 * whether an array is theirs to work on.
 *
 * Nothing is unpacked or compiled before the first large tensor asks for it. That happens at once; an
 * engine that compiles a module of this size in the background only starts with plain kernels and
 * switches.
 *
 * @module
 */
import { type KernelName, packedKernels, unpackedBytes } from "./module.ts";
import "./tokens.ts";
import { Blocks, reserveMemory } from "./blocks.ts";
import { CONTROL_BYTES, Team, THREAD_SCRATCH } from "./threads.ts";
import { takeApart, unpack } from "./unpack.ts";

/** Which kernels run: the builds, or plain TypeScript. */
export type Build = "relaxed" | "simd" | "plain";

/** The kernels by name; every argument is a number, an address or a length. */
export type Kernels = Readonly<Record<KernelName, (...args: number[]) => number>>;

/** Arrays of fewer elements go to the plain kernels: a loop of some hundred is over before a call. */
export let smallest = 512;

/** The builds that the engine runs, the fastest first; those that nobody has used yet by their bytes. */
const builds = new Map<Build, WebAssembly.Module | Uint8Array<ArrayBuffer>>();
let build: Build = "plain";
/** Whether somebody has said which build to use. */
let chosen = false;
let loaded: Promise<void> | null = null;

/**
 * Finds out which builds the engine runs, once, and puts the fastest in force.
 *
 * @returns Kept when the kernels that this engine can have are in force.
 */
export function load(): Promise<void> {
  return loaded ??= compileFastest();
}

/** The bytes of a text in base64: by the engine where it knows how. */
function fromBase64(text: string): Uint8Array {
  const { fromBase64 } = Uint8Array as { readonly fromBase64?: (text: string) => Uint8Array };
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function compileFastest(): Promise<void> {
  try {
    const relaxed = unpack(fromBase64(packedKernels), unpackedBytes);
    const simd = takeApart(relaxed);
    if (WebAssembly.validate(relaxed)) builds.set("relaxed", relaxed);
    if (WebAssembly.validate(simd)) builds.set("simd", simd);
  } catch {
    // No WebAssembly: plain kernels, then.
  }
  const [fastest] = builds.keys();
  if (fastest === undefined) return Promise.resolve();
  try {
    compiled(fastest);
    build = fastest;
    return Promise.resolve();
  } catch {
    return compileInBackground(fastest);
  }
}

/** Where an engine refuses to compile at once: the plain kernels work until the others are there. */
async function compileInBackground(fastest: Build): Promise<void> {
  const bytes = builds.get(fastest) as Uint8Array<ArrayBuffer>;
  const all = [...builds];
  builds.clear();
  try {
    const module = await WebAssembly.compile(bytes);
    for (const [name, made] of all) builds.set(name, name === fastest ? module : made);
    if (!chosen) useBuild(fastest);
  } catch {
    // A content security policy without WebAssembly: plain kernels, then.
  }
}

let memory: WebAssembly.Memory | null = null;
let blocks: Blocks | null = null;
let kernels: Kernels | null = null;
/** The memory's buffer; null while no array is in it. */
let buffer: ArrayBufferLike | null = null;
let whole: Float64Array;

function compiled(name: Build): WebAssembly.Module {
  let module = builds.get(name)!;
  if (module instanceof Uint8Array) {
    module = new WebAssembly.Module(module);
    builds.set(name, module);
  }
  return module;
}

function instantiate(memory: WebAssembly.Memory): void {
  if (build === "plain") {
    kernels = null;
    return;
  }
  const { exports } = new WebAssembly.Instance(compiled(build), { env: { memory } });
  kernels = observe(exports as unknown as Kernels);
}

let observe = (kernels: Kernels): Kernels => kernels;

/** Puts something between the doors and the kernels, from the next build in force on; for tests. */
export function observeKernels(observer: (kernels: Kernels) => Kernels): void {
  observe = observer;
}

/** The blocks that large tensors live in; `null` where nothing could work on them. */
export function openPool(): Blocks | null {
  if (blocks !== null) return blocks;
  load();
  if (build === "plain") return null;
  memory = reserveMemory();
  if (memory === null) {
    build = "plain";
    return null;
  }
  instantiate(memory);
  buffer = memory.buffer;
  whole = new Float64Array(buffer);
  blocks = new Blocks(buffer);
  return blocks;
}

/** The build in force. */
export function currentBuild(): Build {
  load();
  return build;
}

/** The builds that this engine can run, the fastest first. */
export function supportedBuilds(): Build[] {
  load();
  return [...builds.keys(), "plain"];
}

/**
 * Puts a build in force, from the next kernel on.
 *
 * @throws {RangeError} if this engine cannot run it.
 */
export function useBuild(next: Build): void {
  load();
  if (next !== "plain" && !builds.has(next)) {
    throw new RangeError(
      `Cannot use the ${next} kernels: got an engine that runs ${supportedBuilds().join(", ")}`,
    );
  }
  build = next;
  chosen = true;
  if (memory !== null) instantiate(memory);
  if (team !== null) restart(team.size);
}

let team: Team | null = null;
/** Starts it anew. Programs that never start one need not carry what it is made of. */
let restart: (size: number) => void = () => {};
/** Scratch memory of each thread, kept for the next team. */
const threadScratch: number[] = [];

/** How many threads work on a large call. */
export function threadCount(): number {
  return team === null ? 1 : team.size;
}

/** Work of fewer nanoseconds or so is done before a thread has woken. */
const LEAST_WORK = 30_000;

/** The team if it has started and `work`, in nanoseconds or so, is worth its while. */
export function teamFor(work: number): Team | null {
  return team !== null && (work >= LEAST_WORK || smallest === 0) && team.ready ? team : null;
}

/**
 * Starts a team of so many threads in the place of the present one; `false` where there are no
 * vectorised kernels to share.
 */
export function startTeam(size: number): boolean {
  load();
  restart = startTeam;
  team?.stop();
  team = null;
  if (size === 1 || build === "plain") return size === 1;
  const pool = openPool();
  if (pool === null || memory === null) return false;
  // Never those of the team before: a worker of it that has not yet noticed its end would go on.
  const control = pool.take(CONTROL_BYTES);
  if (control === 0) return false;
  while (threadScratch.length < size) {
    const at = pool.take(THREAD_SCRATCH);
    // Address 0 stands for none: a thread without scratch memory would write over other arrays.
    if (at === 0) break;
    threadScratch.push(at);
  }
  const fitting = Math.min(size, threadScratch.length);
  if (fitting < 2) return false;
  team = new Team(fitting, compiled(build), memory, control, threadScratch.slice(0, fitting));
  return true;
}

/** Whether all threads of the team are there. */
export function teamReady(): boolean {
  return team === null || team.ready;
}

/**
 * How convolutions are computed: `"auto"`, with fewer multiplications where that is faster, each output within
 * 1.5e-13 · Σ|w| · max|x| of its own window; `"direct"`, as sums of products, within 1e-15 · Σ|w·x|.
 */
export type ConvAlgorithm = "auto" | "direct";

/** The way in force. */
export let convAlgorithm: ConvAlgorithm = "auto";

/** Puts a way in force. */
export function useConvAlgorithm(next: ConvAlgorithm): void {
  convAlgorithm = next;
}

/** Sets from how many elements on the vectorised kernels work; tests set 0. */
export function setSmallest(size: number): void {
  smallest = size;
}

/** The kernels if `x` is worth their while and lies in their memory, else `null`. */
export function kernelsFor(x: Float64Array): Kernels | null {
  return x.length >= smallest && x.buffer === buffer ? kernels : null;
}

/** The kernels for work whose operands may be copied to them; `null` where there are none. */
export function kernelsWithCopies(): Kernels | null {
  if (blocks === null) openPool();
  return kernels;
}

/** Whether the kernels can address `x`. */
export function inPool(x: Float64Array): boolean {
  return x.buffer === buffer;
}

let scratchPointer = 0;
let scratchBytes = 0;

/** Thrown where the kernels' memory has no room left: the plain kernels do the work. */
export class NoRoom extends RangeError {}

let makeRoom: (bytes: number) => void = () => {};

/** Sets who empties blocks when scratch memory is needed and there is none. */
export function onShortage(handler: (bytes: number) => void): void {
  makeRoom = handler;
}

/** The address of at least `bytes` of scratch memory; what an earlier call returned is void. */
export function scratch(bytes: number): number {
  if (bytes > scratchBytes) {
    if (scratchPointer !== 0) blocks!.free(scratchPointer, scratchBytes);
    scratchBytes = Math.max(2 * scratchBytes, bytes, 1 << 16);
    scratchPointer = blocks!.take(scratchBytes);
    if (scratchPointer === 0) {
      scratchBytes = bytes;
      makeRoom(bytes);
      scratchPointer = blocks!.take(bytes);
    }
    if (scratchPointer === 0) {
      scratchBytes = 0;
      throw new NoRoom(
        `Cannot run a kernel: got a need of ${bytes} bytes of scratch memory, expected room for it`,
      );
    }
  }
  return scratchPointer;
}

/** Copies `x` to an address. */
export function copyIn(x: Float64Array, pointer: number): void {
  whole.set(x, pointer / 8);
}

/** Fills `x` from an address. */
export function copyOut(pointer: number, x: Float64Array): void {
  const from = pointer / 8;
  if (x.length < 32) { for (let i = 0; i < x.length; i++) x[i] = whole[from + i]; }
  else x.set(whole.subarray(from, from + x.length));
}

/**
 * The addresses of arrays, 0 for those that are absent: those outside of the pool are copied to scratch
 * memory. The last address is that of `bytes` more of it.
 */
export function place(arrays: readonly (Float64Array | null)[], bytes = 0): number[] {
  const copied = arrays.filter((x) => x !== null && !inPool(x)) as Float64Array[];
  let at = scratch(copied.reduce((total, x) => total + x.byteLength, bytes));
  const places = arrays.map((x) => {
    if (x === null || inPool(x)) return x?.byteOffset ?? 0;
    copyIn(x, at);
    at += x.byteLength;
    return at - x.byteLength;
  });
  return [...places, at];
}

/** Fills an array with what a kernel left where {@linkcode place} put it. */
export function takeBack(x: Float64Array | null, pointer: number): void {
  if (x !== null && !inPool(x)) copyOut(pointer, x);
}

/** Writes 32-bit integers to an address. */
export function writeIntegers(values: ArrayLike<number>, pointer: number): void {
  new Uint32Array(buffer!, pointer, values.length).set(values);
}

/** Writes one number to an address. */
export function writeNumber(value: number, pointer: number): void {
  whole[pointer / 8] = value;
}
