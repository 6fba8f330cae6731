/** What the running sidecar reports: what it knows at this moment, and never more. */
import { expect, onTestFinished, test, vi } from "vitest";
import type { AccountFinding } from "../../src/assess/account.js";
import { keyText } from "../../src/domain/position.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { ExchangeFailure } from "../../src/exchange/failure.js";
import { systemClock } from "../../src/runtime/index.js";
import type { KeyReading } from "../../src/service/accounts.js";
import { latestReport } from "../../src/service/run/latest.js";
import { fullStop } from "../builders/order.js";
import { play } from "../builders/pass.js";
import { aPosition } from "../builders/position.js";

type Given = Parameters<typeof latestReport>;

const stands = aPosition({ fullStop: "98" });

const SAFE_KEY = {
  readOnly: false,
  permissions: { ContractTrade: ["Order", "Position"] },
  boundAddresses: ["192.0.2.1"],
  expiresAtMs: null,
  isMaster: false,
};

interface Shown {
  readonly trouble: string | null;
  readonly refusal?: AccountFinding;
  readonly reachable: boolean;
  readonly nakedForMs?: ReadonlyMap<string, number>;
}

interface Known {
  readonly key?: KeyReading;
  readonly snapshot?: Partial<Snapshot>;
  /** Of the last look; default: as the scene has it. */
  readonly requestedAtMs?: number;
  /** What stands at the exchange; default: a position with its stop. */
  readonly scene?: Parameters<typeof play>[0];
}

async function reported(
  status: Shown | null,
  {
    key = SAFE_KEY,
    snapshot = {},
    requestedAtMs,
    scene = { positions: [stands], orders: [fullStop(stands, "98")] },
  }: Known = {},
) {
  const played = await play(scene);
  const { assessment } = played.result;
  const { picture } = played.result;
  const latest = { ...picture.latest, ...(requestedAtMs === undefined ? {} : { requestedAtMs }) };
  const result = {
    ...played.result,
    picture: { ...picture, latest },
    assessment: { ...assessment, snapshot: { ...assessment.snapshot, ...snapshot } },
  };
  const sidecar = {
    latest: () => new Map(status === null ? [] : [["main", result]]),
    status: () => ({ accounts: [{ name: "main", trouble: null, reachable: true, ...status }] }),
  };
  const books = { trouble: () => null };
  return latestReport(
    new Map([
      [
        "main",
        {
          account: { name: "main", allowPermissions: [], copyTradingMaster: false },
          guard: { pass: { writer: {} } },
          keyReading: () => key,
        },
      ],
    ]) as unknown as Given[0],
    sidecar as unknown as Given[1],
    books as unknown as Given[2],
  );
}

test("what the last pass has seen is told as it was", async () => {
  const report = await reported({ trouble: null, reachable: true });
  expect(report).toMatchObject({ complete: true, summary: { positions: 1, protected: 1 } });
});

test.each([true, false])(
  "while nothing can be looked at, every position is unknown and told (reachable: %s)",
  async (reachable) => {
    const report = await reported({ trouble: "no answer in time", reachable });
    expect(report).toMatchObject({ complete: false, summary: { positions: 1, protected: 0, unknown: 1 } });
    expect(report.accounts[0]?.gaps).toEqual([{ category: "account", what: "positions", reason: "no answer in time" }]);
    expect(report.positions[0]?.findings.map(({ code }) => code)).toContain("unreadable");
    expect(report.positions[0]?.stopLoss).toBeNull();
  },
);

test("it is of the time of the look, and of this moment where nothing can be looked at", async () => {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const asked = Date.now();
  const requestedAtMs = systemClock.steadyMs() - 20_000;
  const told = await reported({ trouble: null, reachable: true }, { requestedAtMs });
  expect(Date.parse(told.generatedAt)).toBe(asked - 20_000);
  const lost = await reported({ trouble: "no answer in time", reachable: false }, { requestedAtMs });
  expect(Date.parse(lost.generatedAt)).toBe(asked);
});

test("what speaks of the account as a whole is told as an audit tells it", async () => {
  const key = { ...SAFE_KEY, readOnly: true, boundAddresses: [] };
  const snapshot = { disconnectProtection: true, copyTradingMaster: true, clockSkewMs: 60_000 };
  const report = await reported({ trouble: null, reachable: true }, { key, snapshot });
  expect(report.accounts[0]?.findings.map(({ code }) => code).sort()).toEqual([
    "clock-skew",
    "copy-trading-master",
    "dcp-on",
    "key-read-only",
    "key-without-ip",
  ]);
});

test("a key that the exchange refuses is a finding and a gap", async () => {
  const key = new ExchangeFailure({ kind: "refused", cause: "key", endpoint: "GET /v5/user/query-api" });
  const report = await reported({ trouble: null, reachable: true }, { key });
  expect(report).toMatchObject({ complete: false, accounts: [{ findings: [{ code: "key-refused" }] }] });
  expect(report.accounts[0]?.gaps).toMatchObject([{ what: "key" }]);
});

test("a key that is refused since the sidecar runs is a finding, and told once", async () => {
  const refusal = { code: "key-refused", severity: "critical", message: "10003 API key is invalid" } as const;
  const status = { trouble: "GET /v5/position/list was refused", reachable: false, refusal };
  const report = await reported(status, { snapshot: { clockSkewMs: 60_000 } });
  expect(report.accounts[0]?.findings).toMatchObject([refusal, { code: "clock-skew" }]);
  const skewed = { code: "clock-skew", severity: "critical", message: "10002" } as const;
  const both = await reported({ ...status, refusal: skewed }, { snapshot: { clockSkewMs: 60_000 } });
  expect(both.accounts[0]?.findings).toEqual([skewed]);
});

test("before the first look nothing is told but that", async () => {
  const report = await reported(null);
  expect(report).toMatchObject({ complete: false, positions: [], accounts: [{ readable: false }] });
});

test("an account that is being opened anew is one of the report, and nothing of it is taken as seen", () => {
  const sidecar = { latest: () => new Map(), status: () => ({ accounts: [] }) } as unknown as Given[1];
  const books = { trouble: () => null } as unknown as Given[2];
  const report = latestReport(new Map([["main", null]]), sidecar, books);
  expect(report).toMatchObject({ complete: false, positions: [], accounts: [{ name: "main", readable: false }] });
  expect(report.accounts[0]?.gaps).toMatchObject([{ category: "account", reason: "it is being opened anew" }]);
});

test("how long a stop has been missing is told as it was watched, else at most since the position opened", async () => {
  const naked = aPosition({ openedAtMs: 0 });
  const scene = { positions: [naked], writes: false } as const;
  const calm = { trouble: null, reachable: true };
  const watched = await reported({ ...calm, nakedForMs: new Map([[keyText(naked.key), 1_500.6]]) }, { scene });
  expect(watched.positions[0]?.nakedForMs).toBe(1_500);
  const unwatched = await reported(calm, { scene });
  expect(unwatched.positions[0]?.nakedForMs).toBe(Date.parse(unwatched.generatedAt));
});

test("how long a stop has been missing that cannot be seen is not told: it may have stood all the time", async () => {
  const beforeRead = () => [{ category: "linear", what: "orders", reason: "timeout" } as const];
  const scene = { positions: [aPosition({ openedAtMs: 0 })], writes: false, beforeRead } as const;
  const { positions } = await reported({ trouble: null, reachable: true }, { scene });
  expect(positions).toMatchObject([{ status: "unknown", nakedForMs: null }]);
});
