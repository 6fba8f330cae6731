/** The latest that the sidecar knows of every account, as a report. */
import { withoutSight } from "../../assess/assess.js";
import type { AccountOutcome } from "../../report/build.js";
import type { Report } from "../../report/index.js";
import type { GuardParts } from "../../sidecar/parts.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import { writeFindings } from "../accounts.js";
import { reportOf } from "../report.js";
import { type Books, ledgerFinding } from "../books/books.js";

export function latestReport(guards: readonly GuardParts[], sidecar: Sidecar, books: Books): Report {
  const results = sidecar.latest();
  const { accounts } = sidecar.status();
  const unwritten = books.trouble();
  const outcomes = guards.map(({ name }): AccountOutcome => {
    const result = results.get(name);
    const status = accounts.find((account) => account.name === name);
    const unwritable = unwritten === null ? [] : [ledgerFinding(unwritten)];
    const trouble = status?.trouble ?? null;
    if (result === undefined) {
      const reason = trouble ?? "it has not been looked at yet";
      return { kind: "unreadable", name, categories: ["account"], reason, findings: unwritable };
    }
    const findings = [...writeFindings(result.book.accountTrouble()), ...unwritable];
    if (trouble === null) return { kind: "seen", name, ...result, findings };
    // What was seen last speaks of another time than the report.
    const assessment = withoutSight(result.assessment, `it cannot be looked at now: ${trouble}`);
    return { kind: "seen", name, ...result, assessment, planned: [], lostSight: trouble, findings };
  });
  return reportOf("run", outcomes);
}
