/**
 * The peers: how each is started, and a conversation with one in a process of its own.
 *
 * @module
 */
import { type Answer, type Hello, MARK, type Request } from "./protocol.ts";

/** A library, or a way of running one. */
export interface Peer {
  readonly name: string;
  /** Whether it is one of the other JavaScript libraries. */
  readonly javascript?: boolean;
  /** How it is started. */
  command(options: PeerOptions): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What the caller chooses. */
export interface PeerOptions {
  /** The Python that has PyTorch. */
  readonly python: string;
  /** What PyTorch's processes get besides. */
  torchEnv?: Readonly<Record<string, string>>;
}

function adapter(name: string, ...args: string[]): readonly string[] {
  const path = new URL(`adapters/${name}.ts`, import.meta.url).pathname;
  return [Deno.execPath(), "run", "--quiet", "-A", path, ...args];
}

function torch(threads: number): Peer {
  return {
    name: threads === 1 ? "torch" : `torch-${threads}`,
    command: ({ python }) => [
      python,
      new URL("adapters/torch_peer.py", import.meta.url).pathname,
      `--threads=${threads}`,
    ],
    env: { ...tunedMalloc, OMP_NUM_THREADS: String(threads) },
  };
}

/**
 * glibc gives every large array back to the system and pays for its pages again at the next one: 70
 * instead of 25 ms for batch norm of 51 MB. With these it keeps them.
 */
export const tunedMalloc: Readonly<Record<string, string>> = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40),
  MALLOC_TOP_PAD_: String(2 ** 26),
};

/** Every peer, in the order of the table. The first is what the others are compared with. */
export const peers: readonly Peer[] = [
  { name: "tapegrad", command: () => adapter("tapegrad") },
  { name: "tapegrad-2", command: () => adapter("tapegrad", "--threads=2") },
  { name: "tapegrad-blas", command: () => adapter("tapegrad", "--blas") },
  torch(1),
  torch(2),
  { name: "deepbox", javascript: true, command: () => adapter("deepbox") },
  { name: "jax-js", javascript: true, command: () => adapter("jax") },
  { name: "tfjs", javascript: true, command: () => adapter("tfjs") },
];

/** A peer does not run here. */
export class Missing extends Error {}

/** A peer's process. */
export class Conversation {
  readonly hello: Hello;
  #child: Deno.ChildProcess;
  #lines: AsyncGenerator<string>;
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #errors: Promise<string>;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncGenerator<string>,
    errors: Promise<string>,
    hello: Hello,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#errors = errors;
    this.#writer = child.stdin.getWriter();
    this.hello = hello;
  }

  /**
   * Starts a peer.
   *
   * @param env Replaces the peer's own settings.
   * @throws {Missing} if it is not installed or does not start.
   */
  static async start(
    peer: Peer,
    options: PeerOptions,
    env: Readonly<Record<string, string>> = peer.env ?? {},
  ): Promise<Conversation> {
    const [program, ...args] = peer.command(options);
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args,
        env: { ...env, ...(peer.name.startsWith("torch") ? options.torchEnv : {}), NO_COLOR: "1" },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      throw new Missing(`${program} cannot be started: ${(error as Error).message}`);
    }
    const lines = answers(child.stdout);
    const errors = new Response(child.stderr).text();
    const { value, done } = await lines.next();
    if (!done) {
      const first = JSON.parse(value);
      if (!("missing" in first)) return new Conversation(child, lines, errors, first);
      await child.stdin.close();
      await child.status;
      throw new Missing(first.missing);
    }
    await child.stdin.close().catch(() => {});
    throw new Missing(`it ended before it began: ${lastLine(await errors)}`);
  }

  /** Asks, and waits for the answer. */
  async ask(request: Request): Promise<Answer> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`it ended: ${lastLine(await this.#errors)}`);
    return JSON.parse(value);
  }

  /** The most memory that the process had at once, in bytes; `null` where the system does not tell. */
  async peakMemory(): Promise<number | null> {
    try {
      const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
      const match = /^VmHWM:\s*(\d+) kB$/m.exec(status);
      return match === null ? null : Number(match[1]) * 1024;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    // One that is not listening any more is stopped.
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#lines.return(undefined);
    await this.#errors;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "without a word";
}

/** The lines of the protocol in what a peer prints. */
async function* answers(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) if (line.startsWith(MARK)) yield line.slice(MARK.length);
  }
}
