/**
 * The command line of a tool: its options are declared once, and how they are read, what is refused and
 * what `--help` prints follow from that. A fault is told in one line, with exit code 2, before any work
 * starts.
 *
 * @module
 */
import { parseArgs } from "node:util";
import settings from "../deno.json" with { type: "json" };

/** A task in deno.json. Its description is the first line of the usage. */
export type Task = keyof typeof settings.tasks;

/** An option: what it is for, what it takes, and what its text stands for. */
export interface Option<T> {
  /** The name of its value in the usage; `null` for an option that takes none. */
  readonly value: string | null;
  readonly about: string;
  /** What a value must be, for the line that refuses another. */
  readonly expected: string;
  /** What a text stands for; `undefined` for a wrong one. */
  read(text: string): T | undefined;
  /** What holds where the option is not given. */
  readonly otherwise: T;
}

type Options = Readonly<Record<string, Option<unknown>>>;
type Values<Given extends Options> = {
  readonly [Name in keyof Given]: Given[Name] extends Option<infer T> ? T : never;
};

/** `--name`: true where it is given. */
export function flag(about: string): Option<boolean> {
  return { value: null, about, expected: "no value", read: () => true, otherwise: false };
}

/** `--name N`: an integer. */
export function integer(
  about: string,
  otherwise: number,
  { from = 1, to = Infinity }: { readonly from?: number; readonly to?: number } = {},
): Option<number> {
  const expected = `an integer ${to < Infinity ? `from ${from} to ${to}` : `of at least ${from}`}`;
  const isRight = (n: number) => Number.isSafeInteger(n) && n >= from && n <= to;
  const read = (text: string) => /^\d+$/.test(text) && isRight(+text) ? +text : undefined;
  return { value: "N", about, expected, read, otherwise };
}

/** `--name VALUE`: a text that a pattern matches, by default any but an empty one. */
export function text(
  value: string,
  about: string,
  { pattern = /./, expected = "a text" } = {},
): Option<string | null> {
  const read = (text: string) => pattern.test(text) ? text : undefined;
  return { value, about, expected, read, otherwise: null };
}

/** `--name A,B`: some of the words that are known, `null` for any; empty where it is not given. */
export function list<Word extends string>(
  about: string,
  known: readonly Word[] | null,
): Option<readonly Word[]> {
  const isKnown = (word: string): word is Word => known?.includes(word as Word) ?? word !== "";
  const read = (text: string) => {
    const words = text.split(",");
    return words.every(isKnown) ? words : undefined;
  };
  const words = known?.join(", ");
  const expected = words === undefined ? "words with commas between" : `some of ${words}`;
  const all = words === undefined ? about : `${about}: ${words}`;
  return { value: "A,B", about: all, expected, read, otherwise: [] };
}

function kindOf(path: string): "FOLDER" | "FILE" | null {
  try {
    return Deno.statSync(path).isDirectory ? "FOLDER" : "FILE";
  } catch {
    return null;
  }
}

/** `--name FILE` or `--name FOLDER`: where the tool writes to. The folder around it must be there. */
export function place<Otherwise extends string | null = null>(
  value: "FILE" | "FOLDER",
  about: string,
  otherwise: Otherwise = null as Otherwise,
): Option<string | Otherwise> {
  const expected = `a path for a ${value.toLowerCase()}, in a folder that exists`;
  const read = (text: string) => {
    const path = text.replace(/(?<=.)\/+$/, "");
    const isFree = path !== "" && [null, value].includes(kindOf(path));
    const around = path.replace(/[^/]*$/, "") || ".";
    return isFree && kindOf(around) === "FOLDER" ? path : undefined;
  };
  return { value, about, expected, read, otherwise };
}

/** A text as the line of a fault shows it. */
function shown(text: string): string {
  return /^\S+$/.test(text) ? text : JSON.stringify(text);
}

/** The values, `null` where `--help` is given, or what is wrong. */
function read(options: Options, args: readonly string[]): Record<string, unknown> | string | null {
  const types = Object.entries(options).map(([name, { value }]) => {
    return [name, { type: value === null ? "boolean" : "string" }] as const;
  });
  const help = { type: "boolean", short: "h" } as const;
  const config = { ...Object.fromEntries(types), help };
  const { tokens } = parseArgs({ args: [...args], options: config, strict: false, tokens: true });
  const values: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional" || !Object.hasOwn(config, token.name)) {
      const got = token.kind === "positional" ? token.value : token.rawName;
      const known = Object.keys(options).map((name) => `--${name}`).join(", ");
      return `got ${shown(got)}, expected ${known || "no arguments"}`;
    }
    const { name, rawName, value: given, inlineValue } = token;
    if (name === "help") return null;
    const { value, expected, read } = options[name];
    const got = given === undefined ? rawName : `${rawName} ${shown(given)}`;
    if (name in values) return `got ${got} again, expected ${rawName} once`;
    const isMissing = given === undefined || !inlineValue && /^-\D/.test(given);
    if (isMissing && value !== null) return `got ${rawName} alone, expected ${rawName} ${value}`;
    values[name] = value === null && given !== undefined ? undefined : read(given ?? "");
    if (values[name] === undefined) return `got ${got}, expected ${expected}`;
  }
  for (const [name, { otherwise }] of Object.entries(options)) values[name] ??= otherwise;
  return values;
}

/** What `--help` prints. */
function usageOf(task: Task, options: Options): string {
  const rows = Object.entries(options).map(([name, { value, about, otherwise }]) => {
    const isTold = typeof otherwise === "string" || typeof otherwise === "number";
    return [`--${name} ${value ?? ""}`, isTold ? `${about} (default ${otherwise})` : about];
  });
  rows.push(["--help", "this text"]);
  const indent = 2 + Math.max(...rows.map(([option]) => option.length));
  const lines = rows.map(([option, about]) => {
    const wrapped = about.replaceAll(/(.{1,76})(?: |$)/g, `$1\n${" ".repeat(indent + 2)}`)
      .trimEnd();
    return `  ${option.padEnd(indent)}${wrapped}`;
  });
  const about = settings.tasks[task].description.replace(" (--help)", "");
  const command = `deno task ${task}${rows.length > 1 ? " [options]" : ""}`;
  return `${about}.\n\n  ${command}\n\n${lines.join("\n")}`;
}

/** Tells a fault of the user's in one line and ends the process with exit code 2. */
export function refuse(task: Task, fault: string): never {
  console.error(`${task}: ${fault} (--help says more)`);
  Deno.exit(2);
}

/** The values of a tool's options. Ends the process for `--help`, and where an argument is wrong. */
export function commandLine<Given extends Options>(task: Task, options: Given): Values<Given> {
  const values = read(options, Deno.args);
  if (typeof values === "string") refuse(task, values);
  if (values !== null) return values as Values<Given>;
  console.log(usageOf(task, options));
  Deno.exit(0);
}
