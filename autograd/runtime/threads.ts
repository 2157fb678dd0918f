/**
 * Threads, on request: workers that share the kernels' memory and take chunks of a call.
 *
 * A call is cut into chunks whose results do not depend on who computes them nor on how many do, so
 * results are the same for every number of threads. Workers and the calling thread take one chunk after
 * the other, so that a worker that is not running delays nobody. Workers look out for work for a
 * moment after each call and then sleep.
 *
 * @module
 */

/** What a worker is sent. */
interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The address of the control words. */
  readonly control: number;
  /** The address of the worker's own scratch memory. */
  readonly scratch: number;
  readonly names: readonly string[];
  /** Where the places below are, by name. */
  readonly places: typeof PLACES;
}

/** 32-bit words of control, and behind them the arguments of the chunks. */
const PLACES = {
  /** High half: the number of the call; low half: the next chunk, or NONE. */
  ticket: 0,
  chunks: 1,
  done: 2,
  kernel: 3,
  count: 4,
  /** Whether a worker sleeps. */
  asleep: 5,
  ready: 6,
  stop: 7,
  /** Chunks that threw. */
  failed: 8,
  /** Byte offset of the arguments. */
  args: 64,
  /** How many looks a worker takes before it sleeps. */
  patience: 20_000,
  none: 0xffff,
} as const;

/** Chunks in a call at most, and arguments in a chunk. */
const MOST_CHUNKS = 64;
const MOST_ARGS = 32;
/** Bytes of scratch memory that each thread has. */
export const THREAD_SCRATCH: number = 8 * 2 ** 20;
/** Bytes that the control words and arguments take. */
export const CONTROL_BYTES: number = 64 + 8 * MOST_CHUNKS * MOST_ARGS;

/** Stands for the address of the scratch memory of whatever runs the chunk, `offset` bytes in. */
export function ownScratch(offset: number): number {
  return -1 - offset;
}

/**
 * What runs in a worker. It is sent as text, so it must not refer to anything outside.
 */
function work({ module, memory, control, scratch, names, places }: Start): void {
  const words = new Int32Array(memory.buffer, control, 16);
  const values = new Float64Array(memory.buffer, control + places.args);
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
    string,
    (...args: number[]) => number
  >;
  Atomics.add(words, places.ready, 1);
  Atomics.notify(words, places.ready);
  let looks = 0;
  while (Atomics.load(words, places.stop) === 0) {
    const ticket = Atomics.load(words, places.ticket);
    const chunk = ticket & places.none;
    if (chunk >= Atomics.load(words, places.chunks)) {
      if (++looks < places.patience) continue;
      looks = 0;
      Atomics.add(words, places.asleep, 1);
      Atomics.wait(words, places.ticket, ticket);
      Atomics.sub(words, places.asleep, 1);
      continue;
    }
    if (Atomics.compareExchange(words, places.ticket, ticket, ticket + 1) !== ticket) continue;
    looks = 0;
    const count = words[places.count];
    const args: number[] = [];
    for (let i = chunk * count; i < (chunk + 1) * count; i++) {
      args.push(values[i] < 0 ? scratch - 1 - values[i] : values[i]);
    }
    try {
      kernels[names[words[places.kernel]]](...args);
    } catch {
      Atomics.add(words, places.failed, 1);
    }
    Atomics.add(words, places.done, 1);
  }
}

/** A worker, as a page or as Deno and Node have it. */
interface AnyWorker {
  postMessage(message: Start): void;
  terminate(): unknown;
}

interface NodeWorkers {
  readonly Worker: new (source: string, options: { eval: true }) => AnyWorker & { unref(): void };
}

function startWorker(): AnyWorker {
  const runtime = globalThis as unknown as {
    process?: { getBuiltinModule?(name: string): NodeWorkers | undefined };
  };
  const node = runtime.process?.getBuiltinModule?.("node:worker_threads");
  if (node !== undefined) {
    const source = `const { parentPort } = require("node:worker_threads");
const work = ${work};
parentPort.once("message", work);`;
    const worker = new node.Worker(source, { eval: true });
    // A sleeping worker does not keep the program from ending.
    worker.unref();
    return worker;
  }
  const source = `const work = ${work};
addEventListener("message", (event) => work(event.data), { once: true });`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Worker(url, { type: "module" });
}

/** Workers on one memory, and the calls that they help with. */
export class Team {
  readonly #words: Int32Array;
  readonly #values: Float64Array;
  readonly #workers: AnyWorker[];
  readonly #numbers: ReadonlyMap<string, number>;
  #call = 0;

  readonly size: number;
  readonly module: WebAssembly.Module;
  readonly scratch: readonly number[];

  /**
   * Starts `size - 1` workers.
   *
   * @param control The address of {@linkcode CONTROL_BYTES} bytes.
   * @param scratch The addresses of {@linkcode THREAD_SCRATCH} bytes for each thread, the caller first.
   */
  constructor(
    size: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    control: number,
    scratch: readonly number[],
  ) {
    this.size = size;
    this.module = module;
    this.scratch = scratch;
    this.#words = new Int32Array(memory.buffer, control, 16);
    this.#words.fill(0);
    this.#words[PLACES.ticket] = PLACES.none;
    this.#values = new Float64Array(memory.buffer, control + PLACES.args, MOST_CHUNKS * MOST_ARGS);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    this.#numbers = new Map(names.map((name, i) => [name, i]));
    this.#workers = scratch.slice(1).map((address) => {
      const worker = startWorker();
      worker.postMessage({ module, memory, control, scratch: address, names, places: PLACES });
      return worker;
    });
  }

  /** Whether all workers have started. */
  get ready(): boolean {
    return Atomics.load(this.#words, PLACES.ready) === this.#workers.length;
  }

  /** Ends the workers. */
  stop(): void {
    Atomics.store(this.#words, PLACES.stop, 1);
    Atomics.add(this.#words, PLACES.ticket, 1 << 16);
    Atomics.notify(this.#words, PLACES.ticket);
    for (const worker of this.#workers) worker.terminate();
  }

  /** Runs a kernel once for each list of arguments, on all threads; returns when all are done. */
  run(
    name: string,
    kernel: (...args: number[]) => number,
    calls: readonly (readonly number[])[],
  ): void {
    const words = this.#words;
    const count = calls[0].length;
    if (calls.length > MOST_CHUNKS || count > MOST_ARGS) {
      throw new RangeError(
        `Cannot run ${name} on threads: got ${calls.length} chunks of ${count} arguments, expected ` +
          `at most ${MOST_CHUNKS} of ${MOST_ARGS}`,
      );
    }
    this.#call = (this.#call + 1) & 0x7fff;
    // No chunk is there to take while the call is being written down.
    Atomics.store(words, PLACES.ticket, this.#call << 16 | PLACES.none);
    calls.forEach((args, i) => this.#values.set(args, i * count));
    words[PLACES.kernel] = this.#numbers.get(name)!;
    words[PLACES.count] = count;
    Atomics.store(words, PLACES.done, 0);
    Atomics.store(words, PLACES.failed, 0);
    Atomics.store(words, PLACES.chunks, calls.length);
    Atomics.store(words, PLACES.ticket, this.#call << 16);
    if (Atomics.load(words, PLACES.asleep) > 0) Atomics.notify(words, PLACES.ticket);
    while (true) {
      const ticket = Atomics.load(words, PLACES.ticket);
      const chunk = ticket & PLACES.none;
      if (chunk >= calls.length) break;
      if (Atomics.compareExchange(words, PLACES.ticket, ticket, ticket + 1) !== ticket) continue;
      kernel(...calls[chunk].map((value) => value < 0 ? this.scratch[0] - 1 - value : value));
      Atomics.add(words, PLACES.done, 1);
    }
    while (Atomics.load(words, PLACES.done) < calls.length);
    if (Atomics.load(words, PLACES.failed) > 0) {
      throw new Error(`Cannot run ${name}: a worker failed`);
    }
  }
}
