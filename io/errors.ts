/**
 * How errors of this room show what a file holds.
 */

import { show } from "../autograd/internal.ts";

/** A name from a file in quotes, shortened where it is long. */
export function quote(name: string): string {
  // A list that a caller gives may hold anything.
  if (typeof name !== "string") return show(name);
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return JSON.stringify(shown);
}

/** What a caught value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
