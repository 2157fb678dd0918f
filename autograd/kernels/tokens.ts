/**
 * Tokens whose death can be seen inside a synchronous loop. A `WeakRef` keeps its target until the end
 * of the job that made it, so they are made ahead of time: a first stock when this module loads,
 * more whenever a job lets microtasks run.
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

const STOCK = 16384;
const stock: WatchedToken[] = [];
let refilling = false;

function make(): WatchedToken {
  const token = new Token();
  return { token, watch: new WeakRef(token) };
}

function refill(): void {
  refilling = false;
  while (stock.length < STOCK) stock.push(make());
}
refill();

/** A token; one whose death is seen only after this job if the stock has run out. */
export function takeToken(): WatchedToken {
  if (stock.length < STOCK / 2 && !refilling) {
    refilling = true;
    queueMicrotask(refill);
  }
  return stock.pop() ?? make();
}
