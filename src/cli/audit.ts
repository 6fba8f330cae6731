/** `backstop audit`: reads every position and its protection, and has no writer to write with. */
import { passOver, readKey } from "./accounts.js";
import { readBooks, readOnlyBooks } from "./books/reading.js";
import { connectAll } from "./connect.js";
import type { Console } from "./console.js";
import { type CommonOptions, openContext } from "./context.js";
import { assertDeliverable, deliver, type ReportOptions, reportOf } from "./output.js";

export async function audit(options: CommonOptions & ReportOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  await assertDeliverable(options);
  const connected = connectAll(context, "read");
  try {
    const { accounts, ledger } = context.settings;
    const names = accounts.map(({ name }) => name);
    const books = readOnlyBooks(await readBooks(ledger.url, names, context.log));
    const outcomes = await Promise.all(
      connected.map((one) => passOver(one, readKey(one), { manyChangesAgreed: false, books }, context)),
    );
    return await deliver(reportOf("audit", outcomes), options, console);
  } finally {
    await Promise.all(connected.map(({ session }) => session.close()));
  }
}
