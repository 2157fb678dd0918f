/**
 * A scene as a program of its own: its text as it stands, under the package's name.
 */
import type { State } from "./views/view.ts";

const IMPORT = /^import (type )?\{([^}]*)\} from "([^"]*)";\n/gm;
/** What scenes import, and what that is called outside. */
const PACKAGES: Readonly<Record<string, string>> = {
  "../library.ts": "@tapegrad/tapegrad",
  "../library_scope.ts": "@tapegrad/tapegrad/scope",
};

/**
 * The program up to the call.
 *
 * @param name What the scene is called.
 * @param sources The texts of its modules, what is imported first.
 * @throws {TypeError} if a module imports from elsewhere than the library and its neighbours.
 */
export function programText(name: string, sources: readonly string[]): string {
  const names = new Map([["@tapegrad/tapegrad", new Set(["silenceWarnings"])]]);
  const bodies = sources.map((source) => {
    const body = source.replaceAll(IMPORT, (_, type = "", list: string, from: string) => {
      if (from.startsWith("./")) return "";
      const home = PACKAGES[from];
      if (home === undefined) {
        throw new TypeError(`Cannot make a program of ${name}: got an import from ${from}`);
      }
      const known = names.get(home) ?? new Set();
      names.set(home, known);
      for (const entry of list.split(",")) {
        if (entry.trim() !== "") known.add(`${type}${entry.trim()}`);
      }
      return "";
    });
    return body.replaceAll(/^export /gm, "").replace(
      /^\/\*\*\n \* ([^]*?)\n \*\/\n+/,
      (_, about) => `// ${about.replaceAll("\n * ", "\n// ")}\n`,
    ).trim();
  });
  const imports = [...names].map(([home, entries]) => {
    const sorted = [...entries].sort((a, b) => bare(a) < bare(b) ? -1 : 1);
    return `import {\n${sorted.map((entry) => `  ${entry},\n`).join("")}} from "${home}";`;
  });
  return `// Prints the numbers of the scene "${name}" of Tapegrad's lab, bit for bit.
${imports.join("\n")}

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
