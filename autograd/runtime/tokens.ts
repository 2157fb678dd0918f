/**
 * Tokens whose death can be seen inside a synchronous loop. A `WeakRef` keeps its target until the end
 * of the job that made or read it. Deno and Node can end a job, as far as that goes, from inside it; where
 * that is not possible, in pages above all, tokens are made ahead of time: a first stock when this module
 * loads, more whenever a job lets microtasks run.
 *
 * @module
 */

/** What a group of storages holds; collected with the last of them. */
export class Token {}

/** A token and what tells whether it is still there. */
export interface WatchedToken {
  /** To be held by those who are watched. */
  readonly token: Token;
  /** To be held by who watches. */
  readonly watch: WeakRef<Token>;
}

interface Vm {
  createContext(globals: object, options: { readonly microtaskMode: "afterEvaluate" }): object;
  readonly Script: new (source: string) => { runInContext(context: object): unknown };
}

interface Runtime {
  readonly process?: { getBuiltinModule?(name: string): Vm | undefined };
}

// Bun has such contexts too, but its engine keeps what it keeps. Deno is not asked for its `process`, which
// would load most of its Node compatibility: 20 ms.
const canEndJobs = "Deno" in globalThis ||
  (!("Bun" in globalThis) &&
    typeof (globalThis as Runtime).process?.getBuiltinModule === "function");
let endJob: (() => void) | null = null;

/**
 * Lets go of the tokens that this job has made or looked at, where the engine allows it: a context with
 * a queue of microtasks of its own empties the list of kept targets once its script has run.
 */
export function forgetTokens(): void {
  if (!canEndJobs) return;
  endJob ??= jobEnder();
  endJob();
}

function jobEnder(): () => void {
  try {
    const vm = (globalThis as Runtime).process!.getBuiltinModule!("node:vm")!;
    const context = vm.createContext({}, { microtaskMode: "afterEvaluate" });
    const script = new vm.Script("0");
    return () => void script.runInContext(context);
  } catch {
    return () => {};
  }
}

/** Each costs the collector 0.1 µs every time it runs, and 1.5 µs when it is made. The first stock is four times this. */
let stock = 128;
/** What the stock may grow to where jobs use it up. */
const LARGEST_STOCK = 8192;
const tokens: Token[] = [];
const watches: WeakRef<Token>[] = [];
let refilling = false;

function refill(): void {
  refilling = false;
  if (tokens.length < stock / 4) stock = Math.min(4 * stock, LARGEST_STOCK);
  while (tokens.length < stock) {
    const token = new Token();
    tokens.push(token);
    watches.push(new WeakRef(token));
  }
}
if (!canEndJobs) refill();

/** How many times as much as from a full stock a token should be made to watch: 1, 2 or 4. */
export function scarcity(): number {
  if (canEndJobs || tokens.length >= stock / 2) return 1;
  return tokens.length >= stock / 4 ? 2 : 4;
}

/** A token; one whose death is seen only after this job if jobs cannot be ended and the stock has run out. */
export function takeToken(): WatchedToken {
  if (!canEndJobs && tokens.length < stock / 2 && !refilling) {
    refilling = true;
    queueMicrotask(refill);
  }
  const token = tokens.pop() ?? new Token();
  return { token, watch: watches.pop() ?? new WeakRef(token) };
}
