/** What is said of a key, a clock and an account's role. */
import { describe, expect, test } from "vitest";
import {
  type AccountFinding,
  clockFindings,
  copyTradingFindings,
  disconnectFindings,
  excessRights,
  furtherRights,
  furtherText,
  type KeyFacts,
  keyFindings,
  refusalFindings,
} from "../../src/assess/account.js";

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 24 * 3_600_000;
const options = { allowed: [], wantsToWrite: true, nowMs: NOW_MS };

/** A key that nothing is to be said of. */
function aKey(over: Partial<KeyFacts> = {}): KeyFacts {
  return {
    readOnly: false,
    permissions: { ContractTrade: ["Order", "Position"] },
    boundAddresses: ["192.0.2.1"],
    expiresAtMs: null,
    ...over,
  };
}

const codes = (found: readonly AccountFinding[]) => found.map(({ severity, code }) => `${severity} ${code}`);
const said = (found: readonly AccountFinding[]) => found.map(({ message }) => message).join();

describe("a key's rights", () => {
  const wide = { Wallet: ["Withdraw", "AccountTransfer", "SubMemberTransferList"], ContractTrade: ["Order"] };

  test("beyond trading are all that withdraw, and all that transfer but those named", () => {
    expect(excessRights(aKey({ permissions: wide }), [])).toEqual([
      "Withdraw",
      "AccountTransfer",
      "SubMemberTransferList",
    ]);
    expect(excessRights(aKey({ permissions: wide }), ["AccountTransfer", "SubMemberTransferList"])).toEqual([
      "Withdraw",
    ]);
    expect(excessRights(aKey(), [])).toEqual([]);
  });

  test("to withdraw cannot be allowed, however it is spelt", () => {
    const key = aKey({ permissions: { Wallet: ["withdraw", "WITHDRAW"] } });
    expect(excessRights(key, ["withdraw", "WITHDRAW"])).toEqual(["withdraw", "WITHDRAW"]);
    expect(excessRights(aKey({ permissions: { Wallet: ["accounttransfer"] } }), [])).toEqual(["accounttransfer"]);
  });

  test("that go too far are told one by one, with what would cure it", () => {
    const found = keyFindings(aKey({ permissions: { Wallet: ["Withdraw", "AccountTransfer"] } }), options);
    expect(codes(found)).toEqual(["warning key-can-withdraw", "warning key-can-transfer"]);
    expect(found.map(({ message }) => message)).toEqual([
      "the key has the right Withdraw, which this program never needs; make a key without it",
      "the key has the right AccountTransfer, which this program never needs; make a key without it, or name the right in allowPermissions",
    ]);
  });

  test("that protecting needs none of are named by group and right, but for what is refused or allowed already", () => {
    const permissions = {
      ContractTrade: ["Order", "Position"],
      Derivatives: ["DerivativesTrade"],
      Spot: ["SpotTrade"],
      Wallet: ["Withdraw", "AccountTransfer", "SubMemberTransferList"],
      Exchange: ["ExchangeHistory", "Convert"],
    };
    const allowed = ["SubMemberTransferList", "Exchange Convert"];
    expect(furtherRights(aKey({ permissions }), allowed)).toEqual(["Spot SpotTrade", "Exchange ExchangeHistory"]);
    expect(furtherRights(aKey(), [])).toEqual([]);
  });

  test("of a group that withdraws are told by the group's name as well", () => {
    const permissions = { WithdrawPlus: ["Fast"], Transfers: ["Inner"] };
    expect(excessRights(aKey({ permissions }), ["Transfers Inner"])).toEqual(["WithdrawPlus Fast"]);
    expect(furtherRights(aKey({ permissions }), ["Transfers Inner"])).toEqual([]);
  });

  test("beyond need are told in one sentence", () => {
    expect(furtherText(["Spot SpotTrade", "Exchange Convert"])).toBe(
      "the key may also do what protecting positions never needs (Spot SpotTrade, Exchange Convert); a key without it is the safer one",
    );
  });

  test("are well where they are those of trading", () => {
    expect(keyFindings(aKey(), options)).toEqual([]);
  });
});

describe("a key", () => {
  test("that may only read is told where something is to be written", () => {
    const key = aKey({ readOnly: true });
    expect(codes(keyFindings(key, options))).toEqual(["warning key-read-only"]);
    expect(said(keyFindings(key, options))).toMatch(/may only read.*Contract Orders and Positions/);
    expect(keyFindings(key, { ...options, wantsToWrite: false })).toEqual([]);
  });

  test("without an address is told", () => {
    const found = keyFindings(aKey({ boundAddresses: [] }), options);
    expect(codes(found)).toEqual(["warning key-without-ip"]);
    expect(said(found)).toMatch(/not bound to any IP address/);
  });

  test("is told from fourteen days before it expires", () => {
    const expiring = (inMs: number) => keyFindings(aKey({ expiresAtMs: NOW_MS + inMs }), options);
    expect(codes(expiring(14 * DAY_MS))).toEqual(["warning key-expiring"]);
    expect(expiring(14 * DAY_MS + 1)).toEqual([]);
  });

  test.each([
    [13.9, "expires in 13 days"],
    [1.9, "expires in 1 day;"],
    [0.5, "expires in 0 days"],
    [-3, "expires in 0 days"],
  ])("that expires in %d days says so in whole ones", (days, sentence) => {
    expect(said(keyFindings(aKey({ expiresAtMs: NOW_MS + days * DAY_MS }), options))).toContain(sentence);
  });
});

describe("what the exchange refuses", () => {
  test.each([
    ["key", ["key-refused critical"]],
    ["permission", ["key-refused critical"]],
    ["clock", ["clock-skew critical"]],
    ["network", []],
  ])("for its %s is told of the account as %j", (cause, told) => {
    const found = refusalFindings(cause, "no");
    expect(found.map(({ code, severity }) => `${code} ${severity}`)).toEqual(told);
    expect(found.every(({ message }) => message === "no")).toBe(true);
  });
});

describe("a clock", () => {
  test.each([
    [null, []],
    [0, []],
    [1_000, []],
    [-4_000, []],
    [1_000.6, ["this machine's clock is 1001 ms ahead of the exchange's; synchronise it (NTP)"]],
    [-4_001, ["this machine's clock is 4001 ms behind the exchange's; synchronise it (NTP)"]],
  ])("that differs by %j ms says %j", (skewMs, messages) => {
    const found = clockFindings(skewMs);
    expect(found.map(({ message }) => message)).toEqual(messages);
    expect(codes(found)).toEqual(messages.map(() => "critical clock-skew"));
  });
});

describe("an account's role", () => {
  test("as a copy-trading master is told until it is accepted by name", () => {
    expect(codes(copyTradingFindings(true, false))).toEqual(["warning copy-trading-master"]);
    expect(said(copyTradingFindings(true, false))).toMatch(/followers.*copyTradingMaster/);
    expect(copyTradingFindings(true, true)).toEqual([]);
    expect(
      [false, "unread", null].flatMap((role) => copyTradingFindings(role as boolean | "unread" | null, false)),
    ).toEqual([]);
  });

  test("with disconnect protection is told where it is known to be on", () => {
    expect(codes(disconnectFindings(true))).toEqual(["warning dcp-on"]);
    expect(said(disconnectFindings(true))).toMatch(/disconnect protection is on/);
    expect([...disconnectFindings(false), ...disconnectFindings(null)]).toEqual([]);
  });
});
