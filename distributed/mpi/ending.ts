/**
 * How a process leaves a job: by the end of its program, together with all others, or by an error or an
 * exit, and then all others end too. A launcher alone does not see to that: one that exits with code 0
 * without a word leaves the others waiting for ever.
 */

/** What is done at either end. */
export interface Ending {
  /** The rank, for messages. */
  readonly rank: number;
  /** Whether the program said that it is done. */
  readonly isClosed: () => boolean;
  /** Leaves the job together with the others. */
  readonly leave: () => void;
  /** Ends the job. */
  readonly abort: (code: number) => void;
}

/** Watches over the end of this process from now on. */
export function watchEnd({ rank, isClosed, leave, abort }: Ending): void {
  let isFinished = false;
  const fail = (event: Event, reason: unknown): void => {
    if (event.defaultPrevented) return;
    const shown = reason instanceof Error ? reason.stack ?? String(reason) : Deno.inspect(reason);
    console.error(`rank ${rank}: Uncaught ${shown}\nThe job ends.`);
    abort(Deno.exitCode || 1);
  };
  addEventListener("error", (event) => fail(event, event.error ?? event.message));
  addEventListener("unhandledrejection", (event) => fail(event, event.reason));
  // The event loop has nothing left to do; Deno.exit() does not pass here.
  addEventListener("beforeunload", () => void (isFinished = true));
  addEventListener("unload", () => {
    // A fault that the program has told of itself is one of the whole job.
    if (isFinished || (isClosed() && Deno.exitCode === 0)) return leave();
    if (!isClosed()) {
      console.error(
        `rank ${rank}: the program exited with code ${Deno.exitCode} in the middle of the job, which ` +
          `ends: expected the end of the program, or an exit after the group's close()`,
      );
    }
    abort(Deno.exitCode || 1);
  });
}
