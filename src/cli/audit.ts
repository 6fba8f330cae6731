/** `backstop audit`: reads every position and its protection, and has no writer to write with. */
import { auditOnce } from "../service/audit.js";
import type { Console } from "./console.js";
import { type CommonOptions, logWarnings, openContext } from "./context.js";
import { assertDeliverable, deliver, type ReportOptions } from "./output.js";

export async function audit(options: CommonOptions & ReportOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  logWarnings(context);
  await assertDeliverable(options);
  return deliver(await auditOnce(context), options, console);
}
