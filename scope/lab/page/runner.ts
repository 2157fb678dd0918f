/**
 * Work for the worker: one job at a time, of each scene only the newest.
 */
/// <reference lib="dom" />
import type { State } from "../views/view.ts";
import type { Answer } from "./worker.ts";

/** A scene in a state; `key` stands for both the state and its numbers. */
export interface Request {
  readonly anchor: string;
  readonly state: State;
  readonly key: string;
}

/** Keeps the worker busy. */
export class Runner {
  /** Told when there is work, and when there is none. */
  onWorking: (working: boolean) => void = () => {};
  readonly #worker: Worker;
  readonly #waiting = new Map<string, Request>();
  #running: Request | null = null;
  #preferred = "";

  /** Starts the worker; `done` gets its answers. */
  constructor(url: URL, done: (answer: Answer & { readonly key: string }) => void) {
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      const { key, anchor } = this.#running!;
      this.#running = null;
      // What has been asked for since will come; a slow scene still follows the hand that moves it.
      done({ ...data, key });
      if (this.#waiting.get(anchor)?.key === key) this.#waiting.delete(anchor);
      this.#next();
    });
    this.#worker.addEventListener("error", (event) => {
      const request = this.#running;
      this.#running = null;
      const error = event.message || "The worker did not start: serve this folder over HTTP.";
      if (request !== null) done({ anchor: request.anchor, key: request.key, error });
    });
  }

  /** Asks for a scene's numbers. */
  ask(request: Request): void {
    if (this.#running?.key === request.key && this.#running.anchor === request.anchor) return;
    this.#waiting.set(request.anchor, request);
    this.#next();
  }

  /** Lets a scene go first. */
  prefer(anchor: string): void {
    this.#preferred = anchor;
  }

  #next(): void {
    if (this.#running !== null) return;
    const first = this.#waiting.get(this.#preferred) ?? this.#waiting.values().next().value;
    this.onWorking(first !== undefined);
    if (first === undefined) return;
    this.#waiting.delete(first.anchor);
    this.#running = first;
    this.#worker.postMessage({ anchor: first.anchor, state: first.state });
  }
}
