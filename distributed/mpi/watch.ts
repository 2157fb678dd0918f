/**
 * The watchdog: before a collective, processes meet at a place of its kind, and one that waits there for
 * too long asks the others where they are, names those that are missing, and ends the job.
 *
 * All of it happens while the main thread waits: a barrier that does not block, polled. A call that blocks
 * could not be left again.
 */
import type { Meeting, Mpi } from "./binding.ts";

/** What processes do together. */
export const COLLECTIVES = [
  "allReduce",
  "allGather",
  "reduceScatter",
  "broadcast_",
  "barrier",
  "the end of the program",
] as const;

const AT_THE_END = "the end of the program";

/** The name of something that processes do together. */
export type Collective = typeof COLLECTIVES[number];

const CALL = 7101;
const ANSWER = 7102;
/** How often the clock and the mail are looked at. */
const LOOK_MS = 5;
/** How long the others have for an answer. */
const ANSWER_MS = 500;
/** How long one that was called does not call itself: the caller speaks for it. */
const SILENCE_MS = 5000;
/** So often without a look at the clock. */
const FIRST_POLLS = 256;
/** After this time between two polls others get the processor. */
const BUSY_MS = 2;
const PAUSE_MS = 0.05;

/** Where a process is: in which collective, counted from the first. */
interface Position {
  readonly code: number;
  readonly count: number;
}

/** Keeps watch over the collectives of one process. */
export class Watchdog {
  readonly #mpi: Mpi;
  readonly #timeout: number;
  readonly #meetings: readonly Meeting[];
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  #count = 0;

  /**
   * Makes it; all processes have to.
   *
   * @param timeout In milliseconds.
   */
  constructor(mpi: Mpi, timeout: number) {
    this.#mpi = mpi;
    this.#timeout = timeout;
    this.#meetings = COLLECTIVES.map(() => mpi.meeting());
  }

  /** Returns once all processes have come to this collective, or ends the job. */
  meet(collective: Collective): void {
    const code = COLLECTIVES.indexOf(collective);
    const position = { code, count: this.#count++ };
    const mpi = this.#mpi;
    mpi.arrive(this.#meetings[code]);
    for (let polls = 0; polls < FIRST_POLLS; polls++) if (mpi.haveAllCome()) return;
    const started = performance.now();
    let looked = started;
    // At the end one may wait for as long as the others work.
    let deadline = collective === AT_THE_END ? Infinity : started + this.#timeout;
    while (!mpi.haveAllCome()) {
      const now = performance.now();
      if (now - started > BUSY_MS) Atomics.wait(this.#never, 0, 0, PAUSE_MS);
      if (now - looked < LOOK_MS) continue;
      looked = now;
      if (this.#answerCalls(position) !== null) deadline = Math.max(deadline, now + SILENCE_MS);
      if (now >= deadline) this.#callTheRoll(position, now - started);
    }
  }

  /** Tells those who ask where this process is; returns the lowest of them. */
  #answerCalls({ code, count }: Position): number | null {
    const mpi = this.#mpi;
    const message = new Float64Array(2);
    let first: number | null = null;
    for (let rank = 0; rank < mpi.size; rank++) {
      if (rank === mpi.rank || !mpi.receive(message, rank, CALL)) continue;
      mpi.send(Float64Array.of(code, count), rank, ANSWER);
      first ??= rank;
    }
    return first;
  }

  /** Asks all others where they are, says who is missing, and ends the job. */
  #callTheRoll(position: Position, waited: number): void {
    const mpi = this.#mpi;
    const others = Array.from({ length: mpi.size }, (_, rank) => rank)
      .filter((rank) => rank !== mpi.rank);
    for (const rank of others) mpi.send(Float64Array.of(0, 0), rank, CALL);
    const answers = new Map<number, Position>();
    const message = new Float64Array(2);
    let until = performance.now() + ANSWER_MS;
    while (performance.now() < until) {
      // They may have come while they were asked.
      if (mpi.haveAllCome()) return;
      // Of several that call, the lowest speaks.
      if ((this.#answerCalls(position) ?? mpi.rank) < mpi.rank) until += SILENCE_MS;
      for (const rank of others) {
        if (answers.has(rank) || !mpi.receive(message, rank, ANSWER)) continue;
        answers.set(rank, { code: message[0], count: message[1] });
      }
      Atomics.wait(this.#never, 0, 0, PAUSE_MS);
    }
    console.error(describeRoll(mpi.rank, position, others, answers, waited));
    mpi.abort(1);
  }
}

/** What the watchdog says. */
export function describeRoll(
  own: number,
  { code, count }: Position,
  others: readonly number[],
  answers: ReadonlyMap<number, Position>,
  waited: number,
): string {
  const missing = others.filter((rank) => !answers.has(rank));
  const elsewhere = others.filter((rank) => answers.has(rank) && answers.get(rank)!.code !== code);
  const waiting = [own, ...others.filter((rank) => answers.get(rank)?.code === code)];
  const place = `${COLLECTIVES[code]} (number ${count + 1})`;
  const parts = [
    ...(missing.length === 0
      ? []
      : [`${listed(missing)} did not come to ${place} within ${(waited / 1000).toFixed(1)} s`]),
    ...elsewhere.map((rank) => {
      const { code: other, count: number } = answers.get(rank)!;
      const where = COLLECTIVES[other] === AT_THE_END
        ? `has come to ${AT_THE_END}`
        : `is in ${COLLECTIVES[other]} (number ${number + 1})`;
      return `rank ${rank} ${where}, not in ${place}`;
    }),
  ];
  return `Cannot go on: ${parts.join("; ")}; ${
    listed(waiting)
  } waited there. All ranks have to run the ` +
    `same collectives in the same order. The job ends.`;
}

function listed(ranks: readonly number[]): string {
  const sorted = [...ranks].sort((a, b) => a - b);
  return `${sorted.length === 1 ? "rank" : "ranks"} ${sorted.join(", ")}`;
}
