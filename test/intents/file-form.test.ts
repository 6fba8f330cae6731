/** The intents file as a bot writes it: read whole, or refused in words that name the entry and the key. */
import { describe, expect, test } from "vitest";
import { readIntentsFile } from "../../src/intents/file-form.js";

const LONG = { symbol: "BTCUSDT", side: "long", stopLoss: "49000" };

function read(content: unknown, accounts: readonly string[] = ["main"]) {
  return readIntentsFile(typeof content === "string" ? content : JSON.stringify(content), accounts);
}

function idOf(entry: Readonly<Record<string, unknown>>): string {
  const reading = read({ intents: [{ account: "main", ...entry }] }, ["main", "grid"]);
  if (reading.kind === "invalid") throw new RangeError(reading.problems.join());
  return reading.entries[0]?.id ?? "none";
}

describe("a valid file", () => {
  test("needs no more than symbol, side and a level where the config has one account", () => {
    expect(read({ intents: [LONG] })).toMatchObject({
      kind: "valid",
      entries: [
        {
          where: "intents[0]",
          key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
          wish: { side: "long", stopLoss: "49000", ttlSeconds: 600, allowLoosen: false },
        },
      ],
    });
  });

  test("may name all there is, for several accounts and both legs", () => {
    const whole = { id: "trade-7", account: "grid", category: "inverse", symbol: "BTCUSDH26", positionIdx: 2 };
    const short = { ...whole, side: "short", takeProfit: "1", ttlSeconds: 5, orderLinkId: "a", who: "bot" };
    expect(read({ intents: [{ ...LONG, account: "main" }, short] }, ["main", "grid"])).toMatchObject({
      kind: "valid",
      entries: [{ key: { account: "main" } }, { key: { account: "grid", positionIdx: 2 }, wish: { who: "bot" } }],
    });
  });

  test("may be without intents", () => {
    expect(read({ intents: [] })).toEqual({ kind: "valid", entries: [] });
  });
});

describe("an entry's id", () => {
  test("is the same for what means the same", () => {
    const same = { stopLoss: "49000.0", side: "long", symbol: "BTCUSDT", account: "main", ttlSeconds: 600 };
    expect(idOf(same)).toBe(idOf(LONG));
    expect(idOf(LONG)).toMatch(/^file:[0-9a-f]{32}$/);
  });

  test.each([
    ["id", { id: "again" }],
    ["account", { account: "grid" }],
    ["category", { category: "inverse" }],
    ["symbol", { symbol: "ETHUSDT" }],
    ["positionIdx", { positionIdx: 1 }],
    ["side", { side: "short" }],
    ["stopLoss", { stopLoss: "49000.1" }],
    ["takeProfit", { takeProfit: "52000" }],
    ["ttlSeconds", { ttlSeconds: 601 }],
    ["orderLinkId", { orderLinkId: "a" }],
    ["allowLoosen", { allowLoosen: true }],
    ["who", { who: "bot" }],
  ])("is another for another %s", (_key, change) => {
    expect(idOf({ ...LONG, ...change })).not.toBe(idOf(LONG));
  });
});

describe("refused is", () => {
  test.each([
    ["an empty file", "", "it is empty"],
    ["one that is half written", '{ "intents": [ { "sym', "it is no whole JSON: it may be half written"],
    ["a bare list", [LONG], 'it must be { "intents": [ … ] } and nothing else'],
    ["a key beside the intents", { intents: [], version: 1 }, 'it must be { "intents": [ … ] } and nothing else'],
    ["an entry that is no object", { intents: ["BTCUSDT"] }, "intents[0]: must be an object"],
    [
      "no symbol",
      { intents: [{ side: "long", stopLoss: "1" }] },
      "intents[0]: symbol: must be a contract as the exchange spells it, such as BTCUSDT",
    ],
    [
      "a price as a number",
      { intents: [LONG, { ...LONG, symbol: "ETHUSDT", stopLoss: 3000 }] },
      'intents[1]: stopLoss: must be a positive decimal in plain notation, such as "49000.5", or "none"; given: 3000',
    ],
    ["no level", { intents: [{ ...LONG, stopLoss: undefined }] }, "intents[0]: must name stopLoss, takeProfit or both"],
    [
      "spot",
      { intents: [{ ...LONG, category: "spot" }] },
      'intents[0]: category: must be linear or inverse; given: "spot"',
    ],
    [
      "a third leg",
      { intents: [{ ...LONG, positionIdx: 3 }] },
      "intents[0]: positionIdx: must be 0 (one-way), 1 (long leg) or 2 (short leg); given: 3",
    ],
    [
      "a misspelt key",
      { intents: [{ ...LONG, stoploss: "48000" }] },
      "intents[0]: stoploss: is an unknown key; allowed: id, account, category, symbol, positionIdx, side, stopLoss, takeProfit, ttlSeconds, orderLinkId, allowLoosen, reason, until, who",
    ],
    [
      "the other leg",
      { intents: [{ ...LONG, positionIdx: 2 }] },
      "intents[0]: side: positionIdx 2 is the short leg of hedge mode, and side says long",
    ],
    [
      "two for one side of a position",
      { intents: [LONG, { ...LONG, stopLoss: "48000" }] },
      "intents[1]: is for the same side of the same position as intents[0]",
    ],
  ])("%s", (_what, content, problem) => {
    expect(read(content)).toEqual({ kind: "invalid", problems: [problem] });
  });

  test("an entry without an account where the config has several", () => {
    const problem = "intents[0]: account: must be named, for the config has several";
    expect(read({ intents: [LONG] }, ["main", "grid"])).toEqual({ kind: "invalid", problems: [problem] });
  });

  test("the whole file for one bad entry, with the first problems of many", () => {
    const reading = read({ intents: [LONG, ...Array.from({ length: 9 }, () => 7)] });
    expect(reading).toMatchObject({ kind: "invalid", problems: expect.arrayContaining(["4 more"]) as unknown });
  });
});
