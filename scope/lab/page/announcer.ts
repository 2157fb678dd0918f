/**
 * What is said to those who listen to the page: the last message, at most one in two seconds.
 */
/// <reference lib="dom" />

const PAUSE = 2000;
let last = -Infinity;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something, once the pause after the last message is over; a newer message takes its place. */
export function announce(message: string): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    last = performance.now();
    document.getElementById("said")!.textContent = message;
  }, Math.max(0, last + PAUSE - performance.now()));
}
