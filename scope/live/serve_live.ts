/**
 * The server behind the live page: this machine's loopback address and nobody else's.
 */
import { assertOptions, describe } from "../../autograd/internal.ts";
import type { Module } from "../../nn/mod.ts";
import type { Optimizer } from "../../optim/mod.ts";
import { Recorder } from "../recorder.ts";
import { Frames } from "./frames.ts";
import { type Command, COMMANDS, Gate, type Switch, SWITCHES } from "./gate.ts";
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
const BEAT_MS = 15_000;
/** A page that has not fetched so many messages is let go; it comes back with the number of the last. */
const MOST_UNREAD = 256;

const SECURITY = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

type Listener = ReadableStreamDefaultController<Uint8Array>;

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
  readonly url: string;
  readonly opened: Promise<void>;
  readonly #recorder: Recorder;
  readonly #gate: Gate;
  readonly #frames: Frames;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #token = crypto.randomUUID();
  readonly #hosts: readonly string[];
  readonly #listeners = new Set<Listener>();
  readonly #subscription: { remove(): void };
  readonly #beat: ReturnType<typeof setInterval>;
  readonly #encoder = new TextEncoder();
  readonly #frameMs: number;
  #tellOpened: () => void = () => {};
  #madeAt = -Infinity;
  /** A frame that comes although no event follows. */
  #due: ReturnType<typeof setTimeout> | null = null;

  constructor(recorder: Recorder, port: number, gate: Gate, frameMs = FRAME_MS) {
    this.#recorder = recorder;
    this.#gate = gate;
    this.#frameMs = frameMs;
    this.#frames = new Frames(recorder);
    this.opened = new Promise((resolve) => this.#tellOpened = resolve);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
    const { port: bound } = this.#server.addr;
    this.#hosts = [`127.0.0.1:${bound}`, `localhost:${bound}`];
    this.url = `http://127.0.0.1:${bound}/#${this.#token}`;
    gate.onState = () => {
      this.#sendDue();
      this.#send(this.#frames.tell(this.#runState()).text);
    };
    this.#subscription = recorder.subscribe(() => this.#note());
    this.#beat = setInterval(() => this.#send(": beat\n\n"), BEAT_MS);
    Deno.unrefTimer(this.#beat);
  }

  next(): Promise<boolean> {
    return this.#gate.next();
  }

  stop(): void {
    this.#gate.command("stop");
  }

  async end(): Promise<void> {
    this.#subscription.remove();
    clearInterval(this.#beat);
    this.#gate.end();
    this.letGoOfAll();
    await this.#server.shutdown();
  }

  /** The state of the run; at its end with the whole record, since there is nobody to ask for it then. */
  #runState(): string {
    const { state, off, hasSwitches } = this.#gate;
    const record = state === "ended" ? this.#recorder : undefined;
    return JSON.stringify({ state, off, hasSwitches, record });
  }

  /** Something was recorded. Without a page nothing is made of it until one comes back. */
  #note(): void {
    if (this.#listeners.size === 0) return;
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
    this.#send(this.#frames.make().text);
  }

  #send(text: string): void {
    const bytes = this.#encoder.encode(text);
    for (const listener of this.#listeners) {
      if ((listener.desiredSize ?? 0) > -MOST_UNREAD) listener.enqueue(bytes);
      else this.#letGo(listener);
    }
  }

  /** Lets all pages go; they come back. */
  letGoOfAll(): void {
    for (const listener of this.#listeners) this.#letGo(listener);
  }

  #letGo(listener: Listener): void {
    this.#listeners.delete(listener);
    close(listener);
  }

  async #answer(request: Request): Promise<Response> {
    // A name that leads here from elsewhere (DNS rebinding) is not this page's.
    const host = request.headers.get("host") ?? "";
    if (!this.#hosts.includes(host)) return refusal(403, "expected the host of the page's address");
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/control") return await this.#control(request);
    if (request.method !== "GET") return refusal(405, "expected GET");
    switch (pathname) {
      case "/":
        return answer(PAGE_HTML, "text/html; charset=utf-8");
      case "/page.js":
        return answer(PAGE_JS, "text/javascript; charset=utf-8");
      case "/style.css":
        return answer(PAGE_STYLE, "text/css; charset=utf-8");
      case "/state.json":
        return answer(this.#state(), "application/json");
      case "/events":
        return this.#events(request.headers.get("last-event-id") ?? searchParams.get("since"));
      default:
        return refusal(404, "there is no such page");
    }
  }

  /** Everything, and the number of the frame after which to go on. */
  #state(): string {
    // A frame from here on begins where this record ends.
    this.#sendFrame();
    const run = JSON.parse(this.#runState());
    return JSON.stringify({ seq: this.#frames.seq, run, record: this.#recorder });
  }

  #events(since: string | null): Response {
    const after = since === null || since.trim() === "" ? NaN : Number(since);
    // What came while nobody looked is one frame.
    this.#sendFrame();
    const missed = Number.isInteger(after) ? this.#frames.after(after) : null;
    const first = missed === null
      ? `event: resync\ndata: ${this.#frames.seq}\n\n`
      : missed.map(({ text }) => text).join("");
    let own: Listener;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        controller.enqueue(this.#encoder.encode(`retry: 1000\n\n${first}`));
        this.#listeners.add(controller);
        this.#tellOpened();
      },
      cancel: () => void this.#listeners.delete(own),
    });
    return new Response(body, { headers: { ...SECURITY, "content-type": "text/event-stream" } });
  }

  async #control(request: Request): Promise<Response> {
    if (request.method !== "POST") return refusal(405, "expected POST");
    if (request.headers.get("x-tapegrad-token") !== this.#token) {
      return refusal(403, "expected the token of the page's address");
    }
    const origin = request.headers.get("origin");
    if (origin !== null && !this.#hosts.includes(origin.replace(/^http:\/\//, ""))) {
      return refusal(403, "expected a request from the page itself");
    }
    const text = await request.text();
    if (COMMANDS.includes(text as Command)) this.#gate.command(text as Command);
    else {
      const what = text.startsWith("off ") ? text.slice(4) as Switch : null;
      if (what === null || !SWITCHES.includes(what) || !this.#gate.hasSwitches) {
        return refusal(400, `expected one of ${COMMANDS.join(", ")}`);
      }
      this.#gate.switchOff(what);
    }
    return answer(this.#runState(), "application/json");
  }
}

function close(listener: Listener): void {
  try {
    listener.close();
  } catch {
    // Its page has gone already.
  }
}

function answer(text: string, type: string): Response {
  return new Response(text, { headers: { ...SECURITY, "content-type": type } });
}

function refusal(status: number, expected: string): Response {
  const headers = { ...SECURITY, "content-type": "text/plain; charset=utf-8" };
  return new Response(`Refused: ${expected}\n`, { status, headers });
}
