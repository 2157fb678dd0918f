/**
 * Faults of files, told as faults of the user.
 */
import { UsageError } from "./options.ts";

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
