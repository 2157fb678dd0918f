/**
 * A folder for one test.
 */

/** Runs with an empty folder, which is removed afterwards. */
export async function withTempDir(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
