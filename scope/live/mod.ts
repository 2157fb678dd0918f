/**
 * `scope/live`: a page on this machine that shows a training while it runs, and can pause it.
 *
 * @example
 * ```ts ignore
 * import { record } from "@tapegrad/tapegrad/scope";
 * import { serveLive } from "@tapegrad/tapegrad/scope/live";
 *
 * const live = serveLive(record(model, optimizer), { port: 0 });
 * console.log(live.url);
 * for (const batch of batches) {
 *   trainOn(batch);
 *   if (!await live.next()) break; // here it pauses; false once somebody has pressed Stop
 * }
 * await live.end();
 * ```
 *
 * @module
 */
export { type Live, type LiveOptions, serveLive } from "./serve_live.ts";
