/**
 * The page's line to the run: everything once, then increments, and again where one was missed.
 */
/// <reference lib="dom" />
import type { RunRecord } from "../../run_record.ts";
import { merge } from "../merge.ts";

/** What the server says of the run. */
export interface RunInfo {
  readonly state: "running" | "paused" | "stopped" | "ended";
  readonly off: "none" | "lr" | "eval" | "momentum";
  readonly hasSwitches: boolean;
}

/** Follows a run. */
export class Connection {
  record: RunRecord | null = null;
  run: RunInfo | null = null;
  /** "connected", "lost", "over" */
  line: "connecting" | "connected" | "lost" | "over" = "connecting";
  /** How often everything had to be fetched again. */
  resyncs = 0;
  /** Called after each change. */
  readonly #changed: () => void;
  #last = 0;
  #source: EventSource | null = null;
  #isFetching = false;

  constructor(changed: () => void) {
    this.#changed = changed;
    void this.#start();
  }

  /** Fetches everything, and opens the stream from there. */
  async #start(): Promise<void> {
    await this.#fetch();
    if (this.line !== "over") this.#open();
  }

  async #fetch(): Promise<void> {
    this.#isFetching = true;
    try {
      const response = await fetch("state.json");
      const { seq, run, record } = await response.json();
      if (this.line === "over") return;
      this.#last = seq;
      this.record = record;
      this.run = run;
      this.#changed();
    } catch {
      if (this.line === "over") return;
      this.line = "lost";
      this.#changed();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return await this.#fetch();
    } finally {
      this.#isFetching = false;
    }
  }

  #open(): void {
    this.#source?.close();
    // A new EventSource does not know the number of the last event; the address says it.
    const source = new EventSource(`events?since=${this.#last}`);
    this.#source = source;
    source.addEventListener("open", () => this.#set("connected"));
    source.addEventListener("frame", (event) => this.#frame(event));
    source.addEventListener("run", (event) => this.#runFrame(event));
    source.addEventListener("resync", () => {
      this.resyncs++;
      void this.#fetch();
    });
    source.addEventListener("error", () => {
      if (this.line === "over") return;
      this.#set("lost");
      // Some errors close it for good; others it tries again by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(() => this.#source === source && this.#open(), 1000);
    });
  }

  /** Whether a message is new; while everything is being fetched it will be in that. */
  #isNew(event: MessageEvent): boolean {
    const seq = Number(event.lastEventId);
    if (this.#isFetching || seq <= this.#last) return false;
    this.#last = seq;
    return true;
  }

  #frame(event: MessageEvent): void {
    if (!this.#isNew(event) || this.record === null) return;
    const merged = merge(this.record, JSON.parse(event.data));
    if (merged === null) void this.#fetch();
    else this.record = merged;
    this.#changed();
  }

  #runFrame(event: MessageEvent): void {
    const { record, ...run } = JSON.parse(event.data) as RunInfo & { record?: RunRecord };
    // The last word counts even while everything is being fetched: nobody will answer that.
    if (run.state !== "ended" && !this.#isNew(event)) return;
    this.run = run;
    if (run.state === "ended") {
      this.record = record ?? this.record;
      this.#source?.close();
      this.line = "over";
    }
    this.#changed();
  }

  #set(line: Connection["line"]): void {
    this.line = line;
    this.#changed();
  }

  /** Asks for something; the address's token shows that this page may. */
  async control(command: string): Promise<string | null> {
    const token = location.hash.slice(1);
    try {
      const response = await fetch("control", {
        method: "POST",
        headers: { "x-tapegrad-token": token },
        body: command,
      });
      return response.ok ? null : await response.text();
    } catch {
      return "The run cannot be reached.";
    }
  }
}
