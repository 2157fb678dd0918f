/**
 * Every row of the comparison with other libraries, here alone: `deno task bench` needs none of them.
 *
 * @module
 */
import { lazily } from "./lazily.ts";
import { rows } from "./peers/workloads.ts";

for (const row of rows.filter(({ group }) => group !== "scaling")) {
  Deno.bench(row.name, { group: row.work.kind }, lazily(row.work));
}
