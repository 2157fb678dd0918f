/**
 * Which code an experiment's runs come from: a hash of its module and of all modules that it imports by a
 * relative path. Packages go in by name alone.
 */
import { readText } from "../host.ts";
import { sha256 } from "../identity.ts";

/** What a module imports or exports from elsewhere, as it is written there. */
const IMPORTED = /(?:from|import)\s*\(?\s*["']([^"']+)["']/g;

/** The specifiers in a module's text. */
function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORTED)].map(([, specifier]) => specifier);
}

/** How modules are read; `null` for one that is not there. */
export type ReadModule = (url: URL) => Promise<string | null>;

/**
 * The fingerprint of a module and what it imports: 16 hexadecimal digits, the same wherever the folder lies.
 *
 * @param module The module's URL.
 * @param read How a module is read.
 * @returns `null` if the module itself cannot be read.
 */
export async function fingerprintOf(
  module: string,
  read: ReadModule = readText,
): Promise<string | null> {
  const texts = new Map<string, string>();
  const visit = async (url: URL): Promise<void> => {
    if (texts.has(url.href)) return;
    texts.set(url.href, "");
    const text = await read(url);
    if (text === null) return void texts.delete(url.href);
    texts.set(url.href, text);
    const near = importsOf(text).filter((specifier) => /^(\.{0,2}\/|file:)/.test(specifier));
    await Promise.all(near.map((specifier) => visit(new URL(specifier, url))));
  };
  await visit(new URL(module));
  if (!texts.has(new URL(module).href)) return null;
  // Contents alone: a folder that was moved holds the same code.
  return sha256([...texts.values()].map(sha256).sort().join("\n")).slice(0, 16);
}
