/**
 * A page on this machine's loopback address and nobody else's: its files, its state, a stream of messages,
 * and commands from who has the address with its token.
 */

/** What a page is made of. */
export interface Site {
  /** The page, its script and its style. */
  readonly html: string;
  readonly script: string;
  readonly style: string;
  /** Everything that the page shows, as JSON. */
  state(): string;
  /** What a stream begins with for a page that has seen messages up to `since`; `null` if it says nothing. */
  begin(since: string | null): string;
  /** Does what a page asks for; false if that is no command. */
  control(command: string): boolean;
  /** The commands, for the refusal of others. */
  readonly commands: readonly string[];
  /** What answers a command, as JSON. */
  answer(): string;
}

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

/** Serves a site. A page that is closed or slow is let go and never waited for. */
export class Loopback {
  /** The page's address, with the token that its commands need. */
  readonly url: string;
  /** Kept once a page is open. */
  readonly opened: Promise<void>;
  readonly #site: Site;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #token = crypto.randomUUID();
  readonly #hosts: readonly string[];
  readonly #listeners = new Set<Listener>();
  readonly #beat: ReturnType<typeof setInterval>;
  readonly #encoder = new TextEncoder();
  #tellOpened: () => void = () => {};

  constructor(site: Site, port: number) {
    this.#site = site;
    this.opened = new Promise((resolve) => this.#tellOpened = resolve);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
    const { port: bound } = this.#server.addr;
    this.#hosts = [`127.0.0.1:${bound}`, `localhost:${bound}`];
    this.url = `http://127.0.0.1:${bound}/#${this.#token}`;
    this.#beat = setInterval(() => this.send(": beat\n\n"), BEAT_MS);
    Deno.unrefTimer(this.#beat);
  }

  /** Whether anybody looks. */
  get hasPages(): boolean {
    return this.#listeners.size > 0;
  }

  /** Sends messages to all pages. */
  send(text: string): void {
    const bytes = this.#encoder.encode(text);
    for (const listener of this.#listeners) {
      if ((listener.desiredSize ?? 0) > -MOST_UNREAD) listener.enqueue(bytes);
      else this.#letGo(listener);
    }
  }

  /** Lets all pages go; they come back while it serves. */
  letGoOfAll(): void {
    for (const listener of this.#listeners) this.#letGo(listener);
  }

  /** Stops serving. */
  async end(): Promise<void> {
    clearInterval(this.#beat);
    this.letGoOfAll();
    await this.#server.shutdown();
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
        return answer(this.#site.html, "text/html; charset=utf-8");
      case "/page.js":
        return answer(this.#site.script, "text/javascript; charset=utf-8");
      case "/style.css":
        return answer(this.#site.style, "text/css; charset=utf-8");
      case "/state.json":
        return answer(this.#site.state(), "application/json");
      case "/events":
        return this.#events(request.headers.get("last-event-id") ?? searchParams.get("since"));
      default:
        return refusal(404, "there is no such page");
    }
  }

  #events(since: string | null): Response {
    // Before this page listens: what it begins with goes to it alone.
    const first = this.#site.begin(since);
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
    if (this.#site.control(await request.text())) {
      return answer(this.#site.answer(), "application/json");
    }
    return refusal(400, `expected one of ${this.#site.commands.join(", ")}`);
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
