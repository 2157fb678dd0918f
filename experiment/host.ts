/**
 * Everything that this room asks of the system: files, signals, the terminal. No other file of the room
 * names Deno.
 */
import { cpus, loadavg } from "node:os";
import { type ReadRecord, readRecord, type RunEvent, toLine } from "./record/record.ts";

/** The arguments of the command line. */
export function commandLine(): string[] {
  return Deno.args;
}

/** What the system tells; `null` without `--allow-sys`. */
function asked<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/** The runtime and the processor, as `deno bench` names them. */
export function runtimeAndCpu(): { readonly runtime: string; readonly cpu: string } {
  const cpu = asked(() => cpus()[0]?.model) ?? "unknown";
  return { runtime: `Deno/${Deno.version.deno} ${Deno.build.target}`, cpu };
}

/** The machine, and how busy it has been for 1, 5 and 15 minutes. */
export function machine(): {
  readonly runtime: string;
  readonly cpu: string;
  readonly cores: number;
  readonly load: readonly number[];
} {
  const load = asked(loadavg) ?? [];
  return {
    ...runtimeAndCpu(),
    cores: navigator.hardwareConcurrency,
    load: load.map((value) => Number(value.toFixed(2))),
  };
}

/** What a git command prints in a folder; `null` without git, a repository, or the permission to run it. */
async function git(folder: URL, ...args: string[]): Promise<string | null> {
  try {
    const options = { args, cwd: folder, stderr: "null" } as const;
    const { success, stdout } = await new Deno.Command("git", options).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

/** The version of this library, and where a module's folder stands in git. */
export async function codeState(module: string | null): Promise<{
  readonly library: string | null;
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
}> {
  const settings = new URL("../deno.json", import.meta.url);
  const inAddress = /\/tapegrad\/(\d+\.\d+\.[^/]+)\//.exec(settings.href)?.[1] ?? null;
  const text = settings.protocol === "file:" ? await readText(settings) : null;
  const library = text === null ? inAddress : JSON.parse(text).version ?? null;
  if (module === null || !module.startsWith("file:")) return { library, git: null };
  const folder = new URL("./", module);
  const commit = await git(folder, "rev-parse", "HEAD");
  if (commit === null) return { library, git: null };
  const dirty = await git(folder, "status", "--porcelain", "--untracked-files=no") !== "";
  return { library, git: { commit, dirty } };
}

/** Registers a benchmark. */
export function registerBench(bench: {
  readonly name: string;
  readonly group: string;
  readonly baseline: boolean;
  fn(): void;
}): void {
  Deno.bench(bench);
}

/** The terminal behind standard error; `null` where it goes elsewhere or cannot be redrawn. */
export function terminal(): {
  size(): { readonly columns: number; readonly rows: number };
  write(text: string): void;
} | null {
  if (!Deno.stderr.isTerminal()) return null;
  const encoder = new TextEncoder();
  return {
    size() {
      try {
        return Deno.consoleSize();
      } catch {
        return { columns: 80, rows: 24 };
      }
    },
    write(text) {
      const bytes = encoder.encode(text);
      for (let done = 0; done < bytes.length;) {
        done += Deno.stderr.writeSync(bytes.subarray(done));
      }
    },
  };
}

/** Ends the process. */
export function exit(code: number): never {
  Deno.exit(code);
}

/** Whether something is a missing file. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** A file's bytes; `null` if there is no file. */
export async function readFile(path: string | URL): Promise<Uint8Array | null> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A file's text; `null` if there is no file. */
export async function readText(path: string | URL): Promise<string | null> {
  const bytes = await readFile(path);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${Deno.pid}.part`;
  try {
    await Deno.writeTextFile(part, text);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/** Makes a folder and those above it. */
export async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
}

/** Why no file can be written into a folder; `null` where one can. */
export async function whyNotWritable(folder: string): Promise<string | null> {
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: folder }));
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no such folder";
    if (error instanceof Deno.errors.NotADirectory) return "a file in place of the folder";
    if (error instanceof Deno.errors.NotCapable) return "not allowed to this process";
    return error instanceof Error ? error.message.split(/[:\n]/)[0] : String(error);
  }
}

/** Removes a folder with its content, if it is there. */
export async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** The names of the files in a folder, in order; none if it is not there. */
export async function filesIn(folder: string | URL): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return names.sort();
}

/** The record of an experiment on disk, open for more events. */
export interface Log {
  /** What was there. */
  readonly read: ReadRecord;
  /** Adds an event; the end of a run is on the disk when this returns. */
  append(event: RunEvent): void;
  /** Closes the file. */
  close(): void;
}

/**
 * Opens a record to add to it; a cut-off last line is removed. Nobody else can open it meanwhile.
 *
 * @throws {RangeError} if another process has it open, or the file is damaged.
 */
export async function openLog(path: string): Promise<Log> {
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    // The system lets go of the lock when the process ends, however it ends.
    if (!await file.tryLock(true)) {
      throw new RangeError(
        `Cannot open ${path}: got a record that another process is writing, expected that it is ` +
          `done; wait for it, or choose another folder with --out`,
      );
    }
    const read = readRecord(await Deno.readFile(path), path);
    await file.truncate(read.wholeBytes);
    await file.seek(0, Deno.SeekMode.End);
    const encoder = new TextEncoder();
    const write = (text: string) => {
      const bytes = encoder.encode(text);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    };
    if (read.unended) write("\n");
    return {
      read,
      append(event) {
        write(`${toLine(event)}\n`);
        if (event.t === "end") file.syncDataSync();
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** A signal that is raised when the process is told to stop; a second time ends it at once. */
export function stopSignal(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, stop);
  return {
    signal: controller.signal,
    release() {
      for (const name of names) Deno.removeSignalListener(name, stop);
    },
  };
}
