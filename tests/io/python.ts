/**
 * Python, where it is installed, as the other side of every format.
 */

const CANDIDATES = ["python3", "/usr/bin/python3", "python"];

/** The first Python that has these modules; `PYTHON` in the environment is tried before others. */
export async function findPython(modules: readonly string[]): Promise<string | null> {
  const wanted = Deno.env.get("PYTHON");
  for (const command of wanted === undefined ? CANDIDATES : [wanted, ...CANDIDATES]) {
    try {
      const { success } = await new Deno.Command(command, {
        args: ["-c", `import ${modules.join(", ")}`],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return command;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** Runs a program and returns what it printed, as JSON. */
export async function runPython(
  command: string,
  program: string,
  args: readonly string[],
): Promise<unknown> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: ["-W", "ignore", "-c", `${PRELUDE}\n${program}`, ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** `told(x)`: a tensor as its dtype, shape and the bits of its values as float64. */
const PRELUDE = `
import json, struct, sys
def bits(values):
    return struct.pack("<%dd" % len(values), *[float(v) for v in values]).hex()
def told(x):
    return [str(x.dtype), list(x.shape), bits(x.detach().flatten().tolist())]
`;

/** What Python's `told` says of a tensor, without the dtype. */
export function bitsOf(values: Float64Array): string {
  const bytes = new Uint8Array(new Float64Array(values).buffer);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Registers a test that needs Python with some modules; where there is none it is skipped by name. */
export function pythonTest(
  name: string,
  python: string | null,
  modules: readonly string[],
  run: (python: string, folder: string) => Promise<void>,
): void {
  const ignore = python === null;
  Deno.test({
    name: ignore ? `${name} (skipped: no Python with ${modules.join(", ")})` : name,
    ignore,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await run(python!, folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
