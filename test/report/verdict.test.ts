/** Exit codes and counters: what scripts and CI jobs decide on. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exitCode, type PositionStatus, type Report, summarize } from "../../src/report/index.js";
import { aFinding, anAccount, aPosition, aReport, aStep } from "./builders.js";

const SEEN = {
  everything: { complete: true, accounts: [anAccount()] },
  "not a page": { complete: false, accounts: [anAccount({ complete: false })] },
  "not one of two accounts": {
    complete: false,
    accounts: [anAccount(), anAccount({ name: "second", complete: false, readable: false })],
  },
  "no account": { complete: false, accounts: [anAccount({ complete: false, readable: false })] },
} as const;

type Seen = keyof typeof SEEN;
type Worst = "none" | "info" | "warning" | "critical";

// Columns: --fail-on critical, warning, never.
const TABLE: readonly (readonly [Seen, Worst, number, number, number])[] = [
  ["everything", "none", 0, 0, 0],
  ["everything", "info", 0, 0, 0],
  ["everything", "warning", 0, 2, 0],
  ["everything", "critical", 2, 2, 0],
  ["not a page", "none", 3, 3, 3],
  ["not a page", "info", 3, 3, 3],
  ["not a page", "warning", 3, 2, 3],
  ["not a page", "critical", 2, 2, 3],
  ["not one of two accounts", "none", 3, 3, 3],
  ["not one of two accounts", "info", 3, 3, 3],
  ["not one of two accounts", "warning", 3, 2, 3],
  ["not one of two accounts", "critical", 2, 2, 3],
  ["no account", "none", 1, 1, 1],
  ["no account", "info", 1, 1, 1],
  ["no account", "warning", 1, 1, 1],
  ["no account", "critical", 1, 1, 1],
];

function withWorst(seen: Seen, worst: Worst, where: "position" | "account"): Report {
  const findings = worst === "none" ? [] : [aFinding({ severity: worst })];
  const { complete, accounts } = SEEN[seen];
  return aReport({
    complete,
    accounts: accounts.map((account) => (where === "account" ? { ...account, findings } : account)),
    positions: where === "position" ? [aPosition(), aPosition({ findings })] : [aPosition()],
  });
}

describe("the exit code", () => {
  it.each(TABLE)(
    "when %s could be seen and the worst finding is %s is %i, %i, %i",
    (seen, worst, critical, warning, never) => {
      for (const where of ["position", "account"] as const) {
        const report = withWorst(seen, worst, where);
        expect(exitCode(report, "critical")).toBe(critical);
        expect(exitCode(report, "warning")).toBe(warning);
        expect(exitCode(report, "never")).toBe(never);
      }
    },
  );

  it("is that of the default, warning, where nothing is said, and none for a word that nobody knows", () => {
    const report = withWorst("everything", "warning", "position");
    expect(exitCode(report)).toBe(exitCode(report, "warning"));
    for (const word of ["warn", "Warning", "", "constructor"])
      expect(() => exitCode(report, word as "never")).toThrow(/one of critical, warning, never/);
  });

  it("is 3 when the report calls itself incomplete although each account is complete", () => {
    expect(exitCode(aReport({ complete: false }), "warning")).toBe(3);
  });

  it("is 3 when one account is incomplete although the report calls itself complete", () => {
    expect(exitCode(aReport({ accounts: [anAccount({ complete: false })] }), "never")).toBe(3);
  });

  it("is 1 when there is no account at all, for nothing was judged", () => {
    expect(exitCode(aReport({ accounts: [], positions: [] }), "never")).toBe(1);
  });

  it("is 2 when one account's key is refused while another is fine: that finding is left, and 2 wins over 3", () => {
    const findings = [aFinding({ code: "key-refused" })];
    const accounts = [anAccount(), anAccount({ name: "second", readable: false, complete: false, findings })];
    const report = aReport({ accounts, complete: false });
    expect((["critical", "warning", "never"] as const).map((failOn) => exitCode(report, failOn))).toEqual([2, 2, 3]);
  });
});

describe("the summary", () => {
  const statuses: readonly PositionStatus[] = [
    "protected",
    "unprotected",
    "underprotected",
    "misplaced",
    "unprotectable",
    "unknown",
    "ignored",
    "closed",
  ];

  it("has one counter per status, and they sum to the positions", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statuses)), (drawn) => {
        const summary = summarize(drawn.map((status) => aPosition({ status })));
        const counters = statuses.map((status) => summary[status]);
        expect(counters.reduce((sum, count) => sum + count, 0)).toBe(summary.positions);
        expect(counters).toEqual(statuses.map((status) => drawn.filter((other) => other === status).length));
      }),
    );
  });

  it("counts every step, and as confirmed only those proven by a later read", () => {
    const outcomes = ["planned", "confirmed", "refused", "uncertain", "skipped", "confirmed"] as const;
    const summary = summarize([aPosition({ steps: outcomes.map((outcome) => aStep({ outcome })) }), aPosition()]);
    expect(summary).toMatchObject({ steps: 6, confirmed: 2 });
  });
});
