/** Whether there is a ledger's file: asked before anything is loaded that could open it. */
import { accessSync, constants, statSync } from "node:fs";
import { codeOf, explainSqlite, LedgerError } from "./error.js";

/** @throws LedgerError where that cannot be told, or this user may not read it */
export function isThere(file: string): boolean {
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return false;
    accessSync(file, constants.R_OK);
    return true;
  } catch (error) {
    if (codeOf(error) !== "EACCES") throw explainSqlite(file)(error);
    throw new LedgerError("refused", `the ledger ${file}: this user may not read it (EACCES)`);
  }
}
