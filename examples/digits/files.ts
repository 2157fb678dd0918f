/**
 * Faults of files, told as faults of the user.
 */
import { dirname } from "node:path";
import { type TrainOptions, UsageError } from "./options.ts";

/**
 * Waits for a file to be read.
 *
 * @throws {UsageError} in place of what says that the file is missing or damaged.
 */
export async function fromFile<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT") throw new UsageError(`cannot read ${path}: there is no such file`);
    if (code === "EISDIR") throw new UsageError(`cannot read ${path}: it is a folder`);
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * Found out before training, not after it: whether files can be read and written where options say.
 *
 * @throws {UsageError} for a folder that is not there or cannot be written to.
 */
export async function checkFiles(options: TrainOptions): Promise<void> {
  if (options.save !== null) await checkTarget("--save", options.save);
  const checkpoints = dirname(options.checkpoint);
  // The present folder is there, and looking at it would ask for more than reading the data.
  if (checkpoints !== ".") await checkTarget("--checkpoint", options.checkpoint);
  if (options.report !== null) await checkTarget("--report", options.report);
  if (options.data !== null) await checkFolder("--data", options.data);
}

async function checkTarget(option: string, path: string): Promise<void> {
  const folder = dirname(path);
  await checkFolder(option, folder);
  const info = await Deno.stat(path).catch(() => null);
  if (info?.isDirectory) {
    throw new UsageError(`cannot use ${option}: ${path} is a folder, expected a file`);
  }
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: folder, prefix: ".tapegrad-" }));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`cannot use ${option}: ${folder} cannot be written to`);
  }
}

async function checkFolder(option: string, path: string): Promise<void> {
  const info = await Deno.stat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (!info?.isDirectory) throw new UsageError(`cannot use ${option}: there is no folder ${path}`);
}
