/** The latest that the sidecar knows of every account, as a report. */
import type { AccountFinding } from "../../assess/account.js";
import { withoutSight } from "../../assess/assess.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { AccountOutcome } from "../../report/build.js";
import type { Report } from "../../report/index.js";
import { systemClock } from "../../runtime/index.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import { keyGaps, type KeyReading, refusal as refusalBy, seenFindings } from "../accounts.js";
import { reportOf } from "../report.js";
import { type Books, ledgerFinding } from "../books/books.js";
import type { Opened } from "./account.js";

export type Watched = Pick<Opened, "account" | "guard" | "keyReading">;

/** What is said of an account between two connections: nothing that was seen before it speaks of the report's time. */
export const OPENED_ANEW = "it is being opened anew";

/** `watched`: null for one that is being opened anew. `ended`: why nothing is looked at any more; null: it is. */
export function latestReport(
  watched: ReadonlyMap<string, Watched | null>,
  sidecar: Sidecar,
  books: Books,
  ended: string | null = null,
): Report {
  const results = sidecar.latest();
  const { accounts } = sidecar.status();
  const unwritten = books.trouble();
  const ofLedger = () => (unwritten === null ? [] : [ledgerFinding(unwritten)]);
  const unread = (name: string, reason: string, findings: readonly AccountFinding[]) =>
    ({ kind: "unreadable", name, categories: ["account"], reason, findings: [...findings, ...ofLedger()] }) as const;
  const outcomes = [...watched].map(([name, opened]): AccountOutcome => {
    if (opened === null) return unread(name, ended ?? OPENED_ANEW, []);
    const { account, guard, keyReading } = opened;
    const result = results.get(name);
    const key = keyReading();
    const { trouble = null, nakedForMs = new Map(), refusal = null } = accounts.find((one) => one.name === name) ?? {};
    const refused = refusal === null ? refusedKey(key) : [refusal];
    const lostSight = ended ?? trouble;
    if (result === undefined) return unread(name, lostSight ?? "it has not been looked at yet", refused);
    const wantsToWrite = guard.pass.writer !== undefined;
    const seenToo = seenFindings(result, { account, key, wantsToWrite, trouble: unwritten });
    const findings = [...refused, ...seenToo.filter(({ code }) => refused.every((one) => one.code !== code))];
    const seen = { kind: "seen", name, ...result, findings, moreGaps: keyGaps(key), nakedForMs } as const;
    if (lostSight === null) return seen;
    // What was seen last speaks of another time than the report.
    const assessment = withoutSight(result.assessment, `it cannot be looked at now: ${lostSight}`);
    return { ...seen, assessment, planned: [], lostSight };
  });
  return reportOf("run", outcomes, ageOf(outcomes, results));
}

/** Of the account that was looked at last the longest ago; what cannot be looked at is unknown at this moment. */
function ageOf(outcomes: readonly AccountOutcome[], results: ReturnType<Sidecar["latest"]>): number {
  const inSight = outcomes.filter((outcome) => outcome.kind === "seen" && outcome.lostSight === null);
  const nowMs = systemClock.steadyMs();
  const ages = inSight.flatMap(({ name }) => {
    const result = results.get(name);
    return result === undefined ? [] : [nowMs - result.picture.latest.requestedAtMs];
  });
  return Math.max(0, ...ages);
}

function refusedKey(key: KeyReading): readonly AccountFinding[] {
  return key instanceof ExchangeFailure ? refusalBy(key) : [];
}
