/**
 * What makes a run the same run: its content, not its place in a list.
 */
import { createHash } from "node:crypto";

/** SHA-256 in hexadecimal digits. */
export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A record of plain values as JSON with its keys in order: equal configs give equal texts. */
export function canonical(config: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(config).sort();
  return `{${
    names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(config[name])}`).join(",")
  }}`;
}

/**
 * The identity of a run: a hash of the experiment's name and version, its config and its seed.
 *
 * @returns 16 hexadecimal digits.
 */
export function runId(
  name: string,
  version: number,
  config: Readonly<Record<string, unknown>>,
  seed: number,
): string {
  return sha256(`${JSON.stringify([name, version, seed])}${canonical(config)}`).slice(0, 16);
}

/**
 * A seed for one purpose of a run: 48 bits of a hash of both, so that streams of different purposes have
 * nothing in common, and those of the same purpose are the same in every config.
 */
export function streamSeed(seed: number, purpose: string): number {
  return parseInt(sha256(JSON.stringify([seed, purpose])).slice(0, 12), 16);
}

/** A config as a short name: `depth=3 trains=bn`. */
export function nameOf(config: Readonly<Record<string, unknown>>): string {
  return Object.entries(config).map(([name, value]) => `${name}=${String(value)}`).join(" ");
}
