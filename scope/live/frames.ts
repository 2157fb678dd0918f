/**
 * The increments of a record: made at most ten times a second, kept for those who were away.
 */
import type { Recorder } from "../recorder.ts";
import type { LayerRecord, RunRecord } from "../run_record.ts";

/** So many frames are kept. */
export const RING = 4096;

/** What has come since the frame before. */
export interface Frame {
  /** 1, 2, 3, … */
  readonly seq: number;
  /** Event and part, as they are sent. */
  readonly text: string;
}

/** A record without what does not change, with the points after an event. */
export type RecordIncrement =
  & Omit<RunRecord, "layers">
  & { readonly layers: readonly Omit<LayerRecord, "start">[] };

/** Makes frames and keeps the last of them. */
export class Frames {
  readonly #recorder: Recorder;
  readonly #frames: Frame[] = [];
  #seq = 0;
  /** The events that the last frame knew. */
  #seen = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** The number of the last frame; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Makes a frame of what has come since the last. */
  make(): Frame {
    // What belongs to the last event may have come after the frame that told of it.
    const record = this.#recorder.toJSON({ since: this.#seen - 1 });
    const layers = record.layers.map(({ start: _, ...layer }) => layer);
    this.#seen = record.events;
    const increment: RecordIncrement = { ...record, layers };
    return this.#keep("frame", JSON.stringify(increment));
  }

  /** Keeps a message that is no increment: what state the run is in, as JSON. */
  tell(state: string): Frame {
    return this.#keep("run", state);
  }

  #keep(event: string, data: string): Frame {
    const seq = ++this.#seq;
    const frame = { seq, text: `id: ${seq}\nevent: ${event}\ndata: ${data}\n\n` };
    this.#frames.push(frame);
    if (this.#frames.length > RING) this.#frames.shift();
    return frame;
  }

  /** The frames after `seq`; `null` if some of them are no longer kept, or never were. */
  after(seq: number): readonly Frame[] | null {
    if (seq > this.#seq || seq < this.#seq - this.#frames.length) return null;
    return this.#frames.slice(this.#frames.length - (this.#seq - seq));
  }
}
