/**
 * The live page of a training: what its server says of the recorder, and what it lets the page do.
 */
import { assertOptions, describe } from "../../autograd/internal.ts";
import type { Module } from "../../nn/mod.ts";
import type { Optimizer } from "../../optim/mod.ts";
import { Recorder } from "../recorder.ts";
import { Frames } from "./frames.ts";
import { type Command, COMMANDS, Gate, type Switch, SWITCHES } from "./gate.ts";
import { Loopback } from "./loopback.ts";
import { PAGE_HTML, PAGE_JS, PAGE_STYLE } from "./page_text.ts";

/** Options of {@linkcode serveLive}. */
export interface LiveOptions {
  /** The port; 0 for any that is free. */
  readonly port?: number;
  /** With `optimizer`: the page gets switches for the learning rate, the mode and momentum. */
  readonly model?: Module;
  /** With `model`: the page gets switches. */
  readonly optimizer?: Optimizer;
}

/** A live page that is being served. */
export interface Live {
  /** The page's address, with the token that its buttons need. */
  readonly url: string;
  /** Kept once a page is open. */
  readonly opened: Promise<void>;
  /** To be awaited between steps: waits while the page has paused the run; false once it has stopped it. */
  next(): Promise<boolean>;
  /** Ends the run as the page's Stop does: `next` gives false, also to who waits for it now. */
  stop(): void;
  /** Tells the pages that the run is over and stops serving. */
  end(): Promise<void>;
}

/** From one frame to the next, at least. */
const FRAME_MS = 100;

/**
 * Serves a page on 127.0.0.1 that shows a recorder's run while it goes on. Deno only, with permission
 * for that address (`--allow-net=127.0.0.1`).
 *
 * Others on this machine can read the page; only who has the address with its token can pause or stop
 * the run. A page that is closed or slow is let go and never waited for.
 *
 * @param recorder What is shown.
 * @param options port = 0; `model` and `optimizer` for the switches.
 * @throws {TypeError} if `recorder` is not a Recorder. @throws {RangeError} for a port out of range.
 */
export function serveLive(recorder: Recorder, options: LiveOptions = {}): Live {
  const action = "serve the live page";
  if (!(recorder instanceof Recorder)) {
    throw new TypeError(`Cannot ${action}: got ${describe(recorder)}, expected a Recorder`);
  }
  assertOptions(action, options, ["port", "model", "optimizer"]);
  const { port = 0, model = null, optimizer = null } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`Cannot ${action}: got port ${describe(port)}, expected 0 to 65535`);
  }
  return new LiveServer(recorder, port, new Gate(model, optimizer));
}

/** @internal */
export class LiveServer implements Live {
  readonly #recorder: Recorder;
  readonly #gate: Gate;
  readonly #frames: Frames;
  readonly #pages: Loopback;
  readonly #subscription: { remove(): void };
  readonly #frameMs: number;
  #madeAt = -Infinity;
  /** A frame that comes although no event follows. */
  #due: ReturnType<typeof setTimeout> | null = null;

  constructor(recorder: Recorder, port: number, gate: Gate, frameMs = FRAME_MS) {
    this.#recorder = recorder;
    this.#gate = gate;
    this.#frameMs = frameMs;
    this.#frames = new Frames(recorder);
    const site = {
      html: PAGE_HTML,
      script: PAGE_JS,
      style: PAGE_STYLE,
      commands: COMMANDS,
      state: () => this.#state(),
      begin: (since: string | null) => this.#begin(since),
      control: (command: string) => this.#control(command),
      answer: () => this.#runState(),
    };
    this.#pages = new Loopback(site, port);
    gate.onState = () => {
      this.#sendDue();
      this.#pages.send(this.#frames.tell(this.#runState()).text);
    };
    this.#subscription = recorder.subscribe(() => this.#note());
  }

  get url(): string {
    return this.#pages.url;
  }

  get opened(): Promise<void> {
    return this.#pages.opened;
  }

  next(): Promise<boolean> {
    return this.#gate.next();
  }

  stop(): void {
    this.#gate.command("stop");
  }

  async end(): Promise<void> {
    this.#subscription.remove();
    this.#gate.end();
    await this.#pages.end();
  }

  /** Lets all pages go; they come back. */
  letGoOfAll(): void {
    this.#pages.letGoOfAll();
  }

  /** The state of the run; at its end with the whole record, since there is nobody to ask for it then. */
  #runState(): string {
    const { state, off, hasSwitches } = this.#gate;
    const record = state === "ended" ? this.#recorder : undefined;
    return JSON.stringify({ state, off, hasSwitches, record });
  }

  /** Something was recorded. Without a page nothing is made of it until one comes back. */
  #note(): void {
    if (!this.#pages.hasPages) return;
    const now = performance.now();
    if (now - this.#madeAt >= this.#frameMs) this.#sendFrame();
    else this.#due ??= setTimeout(() => this.#sendFrame(), this.#madeAt + this.#frameMs - now);
  }

  #sendDue(): void {
    if (this.#due !== null) this.#sendFrame();
  }

  #sendFrame(): void {
    if (this.#due !== null) clearTimeout(this.#due);
    this.#due = null;
    this.#madeAt = performance.now();
    this.#pages.send(this.#frames.make().text);
  }

  /** Everything, and the number of the frame after which to go on. */
  #state(): string {
    // A frame from here on begins where this record ends.
    this.#sendFrame();
    const run = JSON.parse(this.#runState());
    return JSON.stringify({ seq: this.#frames.seq, run, record: this.#recorder });
  }

  #begin(since: string | null): string {
    const after = since === null || since.trim() === "" ? NaN : Number(since);
    // What came while nobody looked is one frame.
    this.#sendFrame();
    const missed = Number.isInteger(after) ? this.#frames.after(after) : null;
    return missed === null
      ? `event: resync\ndata: ${this.#frames.seq}\n\n`
      : missed.map(({ text }) => text).join("");
  }

  #control(command: string): boolean {
    if (COMMANDS.includes(command as Command)) {
      this.#gate.command(command as Command);
      return true;
    }
    const what = command.startsWith("off ") ? command.slice(4) as Switch : null;
    if (what === null || !SWITCHES.includes(what) || !this.#gate.hasSwitches) return false;
    this.#gate.switchOff(what);
    return true;
  }
}
