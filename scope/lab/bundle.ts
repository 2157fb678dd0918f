/**
 * Modules for browsers.
 */

/**
 * A module and all that it imports as one, minified.
 *
 * @param entry Where the module is.
 * @param importMap A file that puts other modules in the place of some.
 * @throws {Error} if `deno bundle` fails, with what it said.
 */
export async function bundle(
  entry: string | URL,
  importMap: string | null = null,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-bundle-" });
  try {
    const output = `${folder}/bundle.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "--platform=browser",
        "--minify",
        ...(importMap === null ? [] : [`--import-map=${importMap}`]),
        `--output=${output}`,
        entry instanceof URL ? entry.pathname : entry,
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    if (!success) {
      throw new Error(`Cannot bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
    }
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
