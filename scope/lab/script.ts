/**
 * A scene as a program of its own: its text as it stands, under the package's name.
 */
import type { State } from "./views/view.ts";

const IMPORT = /^import (type )?\{([^}]*)\} from "([^"]*)";\n/gm;
const LIBRARY = "../library.ts";

/**
 * The program up to the call.
 *
 * @param name What the scene is called.
 * @param sources The texts of its modules, what is imported first.
 * @throws {TypeError} if a module imports from elsewhere than the library and its neighbours.
 */
export function programText(name: string, sources: readonly string[]): string {
  const names = new Set(["silenceWarnings"]);
  const bodies = sources.map((source) => {
    const body = source.replaceAll(IMPORT, (_, type = "", list: string, from: string) => {
      if (from.startsWith("./")) return "";
      if (from !== LIBRARY) {
        throw new TypeError(`Cannot make a program of ${name}: got an import from ${from}`);
      }
      for (const entry of list.split(",")) {
        if (entry.trim() !== "") names.add(`${type}${entry.trim()}`);
      }
      return "";
    });
    return body.replaceAll(/^export /gm, "").replace(
      /^\/\*\*\n \* ([^]*?)\n \*\/\n+/,
      (_, about) => `// ${about.replaceAll("\n * ", "\n// ")}\n`,
    ).trim();
  });
  const sorted = [...names].sort((a, b) => bare(a) < bare(b) ? -1 : 1);
  return `// Prints the numbers of the scene "${name}" of Tapegrad's lab, bit for bit.
import {
${sorted.map((entry) => `  ${entry},\n`).join("")}} from "@tapegrad/tapegrad";

${bodies.join("\n\n")}

// It does on purpose what the library warns of.
silenceWarnings();
`;
}

function bare(entry: string): string {
  return entry.replace("type ", "").toLowerCase();
}

/** The program's last line. */
export function callText(state: State): string {
  const entries = Object.entries(state).map(([key, value]) => `${key}: ${value}`);
  return `console.log(JSON.stringify(run({ ${entries.join(", ")} })));\n`;
}
