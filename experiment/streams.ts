/**
 * The streams of random numbers of a run.
 */
import { Generator } from "../mod.ts";
import { streamSeed } from "./identity.ts";

/** One stream for each purpose, which goes on from call to call. */
export function streamsOf(seed: number): (purpose: string) => Generator {
  const streams = new Map<string, Generator>();
  return (purpose) => {
    const stream = streams.get(purpose) ?? new Generator(streamSeed(seed, purpose));
    streams.set(purpose, stream);
    return stream;
  };
}
