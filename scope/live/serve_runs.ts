/**
 * The live page of an experiment: how far its runs are, and how its configs stand.
 */
import { Loopback } from "./loopback.ts";
import { PAGE_STYLE, RUNS_HTML, RUNS_JS } from "./page_text.ts";
import { changeOf, type RunsProgress } from "./runs.ts";

/** A live page of runs that is being served. */
export interface LiveRuns {
  /** The page's address, with the token that its button needs. */
  readonly url: string;
  /** Raised when the page asks for an end. */
  readonly stopped: AbortSignal;
  /** Something has happened in a run. */
  note(): void;
  /** Tells the pages that all is over and stops serving. */
  end(): Promise<void>;
}

/** From one message to the next, at least. */
const MESSAGE_MS = 100;

/**
 * Serves a page on 127.0.0.1 that shows the runs of an experiment while they go on. Deno only, with permission
 * for that address (`--allow-net=127.0.0.1`). As with {@linkcode serveLive}, others on this machine can read
 * the page, and only who has the address with its token can stop the runs.
 *
 * @param progress Tells how the runs stand; asked at most ten times a second, after `note`.
 */
export function serveRuns(progress: () => RunsProgress): LiveRuns {
  return new RunsServer(progress);
}

class RunsServer implements LiveRuns {
  readonly #progress: () => RunsProgress;
  readonly #stop = new AbortController();
  readonly #pages: Loopback;
  /** What the pages know. */
  #told: RunsProgress;
  #state: "running" | "stopping" | "ended" = "running";
  #due: ReturnType<typeof setTimeout> | null = null;
  #sentAt = -Infinity;

  constructor(progress: () => RunsProgress) {
    this.#progress = progress;
    this.#told = structuredClone(progress());
    this.#pages = new Loopback({
      html: RUNS_HTML,
      script: RUNS_JS,
      style: PAGE_STYLE,
      commands: ["stop"],
      state: () => this.#everything(),
      begin: () => this.#begin(),
      control: (command) => this.#control(command),
      answer: () => JSON.stringify({ state: this.#state }),
    }, 0);
  }

  get url(): string {
    return this.#pages.url;
  }

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  note(): void {
    if (!this.#pages.hasPages || this.#due !== null) return;
    const wait = this.#sentAt + MESSAGE_MS - performance.now();
    if (wait <= 0) this.#send();
    else this.#due = setTimeout(() => this.#send(), wait);
  }

  async end(): Promise<void> {
    this.#send();
    this.#tell("ended");
    await this.#pages.end();
  }

  #everything(): string {
    const state = this.#state;
    return JSON.stringify({ state, runs: this.#told });
  }

  /** A page that comes, or comes back, gets everything; then, as all pages, what changes. */
  #begin(): string {
    this.#send();
    return message("all", this.#everything());
  }

  #send(): void {
    if (this.#due !== null) clearTimeout(this.#due);
    this.#due = null;
    this.#sentAt = performance.now();
    const now = this.#progress();
    const change = changeOf(this.#told, now);
    // The caller's arrays go on growing.
    this.#told = structuredClone(now);
    this.#pages.send(message("change", JSON.stringify(change)));
  }

  #tell(state: "stopping" | "ended"): void {
    this.#state = state;
    this.#pages.send(message("state", JSON.stringify(state)));
  }

  #control(command: string): boolean {
    if (command !== "stop") return false;
    this.#tell("stopping");
    this.#stop.abort();
    return true;
  }
}

function message(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}
