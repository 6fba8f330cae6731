/** Health and readiness as a supervisor asks for them. */
import { describe, expect, test } from "vitest";
import type { AccountStatus } from "../../src/sidecar/status.js";
import { NOW_MS, SWEEP_MS, sidecarStatus } from "../builders/sidecar-status.js";
import { ask, openWindow } from "./stage.js";

const AGED = { lastCompletePassAtMs: NOW_MS - 2 * SWEEP_MS };
const ALMOST_AGED = { lastCompletePassAtMs: NOW_MS - 2 * SWEEP_MS + 1 };
const NEVER = { lastCompletePassAtMs: null };
const AWAY = { reachable: false, trouble: "connection refused" };

interface Case {
  readonly title: string;
  readonly accounts: readonly Partial<AccountStatus>[];
  readonly status: number;
  readonly reasons: readonly (string | null)[];
}

const CASES: readonly Case[] = [
  { title: "ready when the account was seen whole just now", accounts: [{}], status: 200, reasons: [null] },
  {
    title: "not ready before the first complete pass",
    accounts: [NEVER],
    status: 503,
    reasons: ["no complete pass yet"],
  },
  { title: "ready until two sweep intervals have passed", accounts: [ALMOST_AGED], status: 200, reasons: [null] },
  {
    title: "not ready once two sweep intervals have passed",
    accounts: [AGED],
    status: 503,
    reasons: ["the last complete pass ended 60 s ago; it must be less than 60 s"],
  },
  {
    title: "not ready when one of two accounts is late",
    accounts: [{}, { name: "grid", ...AGED }],
    status: 503,
    reasons: [null, expect.stringContaining("60 s ago") as string],
  },
  {
    title: "ready when the other account cannot be reached, which is said",
    accounts: [{}, { name: "grid", ...NEVER, ...AWAY }],
    status: 200,
    reasons: [null, "not reachable: connection refused"],
  },
  {
    title: "ready while the exchange is away from all that were seen whole before",
    accounts: [{ ...AGED, ...AWAY }],
    status: 200,
    reasons: ["not reachable: connection refused"],
  },
  {
    title: "not ready when nothing was ever reachable",
    accounts: [{ ...NEVER, ...AWAY }],
    status: 503,
    reasons: ["not reachable: connection refused"],
  },
  {
    title: "not ready when one is away and the other has had no complete pass",
    accounts: [{ ...AWAY }, { name: "grid", ...NEVER }],
    status: 503,
    reasons: ["not reachable: connection refused", "no complete pass yet"],
  },
];

describe("/readyz", () => {
  test.each(CASES)("$title", async ({ accounts, status, reasons }) => {
    const { port } = await openWindow({ status: () => sidecarStatus(accounts) });
    const answer = await ask(port, "/readyz");
    expect(answer.status).toBe(status);
    expect(answer.json()).toEqual({
      ready: status === 200,
      accounts: accounts.map((account, index) => ({
        name: account.name ?? "main",
        ready: reasons[index] === null,
        reachable: account.reachable ?? true,
        reason: reasons[index],
        ageMs: ageOf(account),
      })),
    });
  });

  test("changes with what the sidecar says", async () => {
    let accounts: Partial<AccountStatus>[] = [NEVER];
    const { port } = await openWindow({ status: () => sidecarStatus(accounts) });
    expect((await ask(port, "/readyz")).status).toBe(503);
    accounts = [{}];
    expect((await ask(port, "/readyz")).status).toBe(200);
  });

  test("counts the age in whole milliseconds, whatever the clock counts in", async () => {
    const status = () => sidecarStatus([{ lastCompletePassAtMs: NOW_MS - 1_234.5 }]);
    const { port } = await openWindow({ status });
    expect((await ask(port, "/readyz")).json()).toMatchObject({ ready: true, accounts: [{ ageMs: 1_234 }] });
  });

  test("a clock that was a little ahead makes no negative age", async () => {
    const status = () => sidecarStatus([{ lastCompletePassAtMs: NOW_MS + 5 }]);
    const { port } = await openWindow({ status });
    expect((await ask(port, "/readyz")).json()).toMatchObject({ ready: true, accounts: [{ ageMs: 0 }] });
  });
});

describe("/readyz?account=NAME", () => {
  const status = () => sidecarStatus([{}, { name: "late", ...AGED }, { name: "away", ...AWAY }]);

  test.each([
    { name: "main", answered: 200, ready: true },
    { name: "late", answered: 503, ready: false },
    { name: "away", answered: 503, ready: false },
  ])("speaks of $name alone: $answered", async ({ name, answered, ready }) => {
    const { port } = await openWindow({ status });
    const answer = await ask(port, `/readyz?account=${name}`);
    expect(answer.status).toBe(answered);
    expect(answer.json()).toMatchObject({ ready, accounts: [{ name, ready }] });
  });

  test.each(["nobody", "", "Main", "main%00"])(
    "refuses %j, which is no account, and names those there are",
    async (name) => {
      const { port } = await openWindow({ status });
      const answer = await ask(port, `/readyz?account=${name}`);
      expect(answer.status).toBe(404);
      expect(answer.json()).toEqual({
        error: { code: "not-found", message: "no such account; there are: main, late, away" },
      });
    },
  );
});

describe("/healthz", () => {
  test("is fine while the process turns, whatever the accounts say", async () => {
    const { port } = await openWindow({ status: () => sidecarStatus([{ ...NEVER, ...AWAY }]) });
    const answer = await ask(port, "/healthz");
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ status: "ok" });
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  test("answers HEAD without a body", async () => {
    const { port } = await openWindow();
    const answer = await ask(port, "/healthz", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
  });
});

function ageOf({ lastCompletePassAtMs = NOW_MS - 1000 }: Partial<AccountStatus>): number | null {
  return lastCompletePassAtMs === null ? null : NOW_MS - lastCompletePassAtMs;
}
