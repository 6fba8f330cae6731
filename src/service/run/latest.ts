/** The latest that the sidecar knows of every account, as a report. */
import { withoutSight } from "../../assess/assess.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { AccountOutcome } from "../../report/build.js";
import type { Report } from "../../report/index.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import { keyGaps, refusal, seenFindings } from "../accounts.js";
import { reportOf } from "../report.js";
import { type Books, ledgerFinding } from "../books/books.js";
import type { Opened } from "./account.js";

export type Watched = Pick<Opened, "account" | "guard" | "keyReading">;

/** `ended`: why nothing is looked at any more; null: it is. */
export function latestReport(
  watched: readonly Watched[],
  sidecar: Sidecar,
  books: Books,
  ended: string | null = null,
): Report {
  const results = sidecar.latest();
  const { accounts } = sidecar.status();
  const unwritten = books.trouble();
  const outcomes = watched.map(({ account, guard, keyReading }): AccountOutcome => {
    const { name } = account;
    const result = results.get(name);
    const key = keyReading();
    const refused = key instanceof ExchangeFailure ? refusal(key) : [];
    const { trouble = null, nakedForMs = new Map() } = accounts.find((one) => one.name === name) ?? {};
    const lostSight = ended ?? trouble;
    if (result === undefined) {
      const reason = lostSight ?? "it has not been looked at yet";
      const findings = [...refused, ...(unwritten === null ? [] : [ledgerFinding(unwritten)])];
      return { kind: "unreadable", name, categories: ["account"], reason, findings };
    }
    const wantsToWrite = guard.pass.writer !== undefined;
    const findings = [...refused, ...seenFindings(result, { account, key, wantsToWrite, trouble: unwritten })];
    const seen = { kind: "seen", name, ...result, findings, moreGaps: keyGaps(key), nakedForMs } as const;
    if (lostSight === null) return seen;
    // What was seen last speaks of another time than the report.
    const assessment = withoutSight(result.assessment, `it cannot be looked at now: ${lostSight}`);
    return { ...seen, assessment, planned: [], lostSight };
  });
  return reportOf("run", outcomes);
}
