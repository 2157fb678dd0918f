/**
 * Which line of the user's program did it, in any engine.
 */

/** The rooms of this library, whose frames are not the user's. */
const ROOMS = /^(autograd|nn|optim|io|scope|distributed)\/|^mod\.[jt]s$/;
const ROOT = new URL("../", import.meta.url).href;
/** In this module each forward is called: the frame that follows is the caller of the outermost one. */
const FORWARDS = /^nn\/module\/forward\.[jt]s$/;
/** In a bundle the library's lines cannot be told from the user's. */
const IS_BUNDLED = !/\/scope\/call_site\.[jt]s$/.test(import.meta.url.split(/[?#]/)[0]);

interface Frame {
  /** The file's path within the library; `null` for a file of the user's. */
  readonly own: string | null;
  readonly site: string;
}

/**
 * The user's line.
 *
 * @param outermost Whether it is the line that called the outermost module, not the innermost line.
 * @returns `folder/file.ts:12`, or `null` where the engine does not tell, or all is one bundle.
 */
export function callSite(outermost = false): string | null {
  if (IS_BUNDLED) return null;
  const frames = stack().map(frameOf).filter((frame) => frame !== null);
  const forward = outermost
    ? frames.findLastIndex(({ own }) => own !== null && FORWARDS.test(own))
    : -1;
  const after = frames.slice(forward + 1).find(({ own }) => own === null);
  return (after ?? frames.find(({ own }) => own === null))?.site ?? null;
}

function stack(): string[] {
  const limits = Error as { stackTraceLimit?: number };
  const before = limits.stackTraceLimit;
  // V8's ten frames do not reach out of a deep model.
  if (before !== undefined) limits.stackTraceLimit = 100;
  try {
    return (new Error().stack ?? "").split("\n");
  } finally {
    if (before !== undefined) limits.stackTraceLimit = before;
  }
}

/** `at f (file:///a/b.ts:1:2)`, `at file:///a/b.ts:1:2`, `f@https://host/b.js:1:2`, `at f (/a/b.ts:1:2)` */
function frameOf(line: string): Frame | null {
  const found = /((?:file|https?|blob|data):[^\s()]*|\/[^\s():]*):(\d+):\d+\)?$/.exec(line.trim());
  if (found === null) return null;
  const [, file, row] = found;
  const url = file.startsWith("/") ? `file://${file}` : file;
  const within = url.startsWith(ROOT) ? url.slice(ROOT.length) : null;
  const own = within !== null && ROOMS.test(within) ? within : null;
  // The last two parts name a file well, and tell nothing of the machine.
  const name = decodeURI(url.split(/[?#]/)[0]).split("/").slice(-2).join("/");
  return { own, site: `${name}:${row}` };
}
