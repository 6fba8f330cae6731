/** One look at every account, with nothing at hand that could write. */
import type { Report } from "../report/index.js";
import { passOver, readKey } from "./accounts.js";
import { readBooks, readOnlyBooks } from "./books/reading.js";
import { closeAll, connectAll } from "./connect.js";
import type { Ground } from "./ground.js";
import { reportOf } from "./report.js";

/** @throws StartRefused */
export async function auditOnce(ground: Ground): Promise<Report> {
  const connected = connectAll(ground, "read");
  try {
    const { accounts, ledger } = ground.settings;
    const names = accounts.map(({ name }) => name);
    const books = readOnlyBooks(await readBooks(ledger.url, names, ground.log));
    const outcomes = await Promise.all(
      connected.map((one) => passOver(one, readKey(one), { manyChangesAgreed: false, books }, ground)),
    );
    return reportOf("audit", outcomes);
  } finally {
    await closeAll(connected);
  }
}
