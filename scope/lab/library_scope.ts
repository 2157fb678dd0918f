/**
 * What the lab's scenes use of the scope: the recorder, and the ledger of who moved what.
 */
export { type Ledger, ledgerOf } from "../ledger.ts";
export { record } from "../record.ts";
