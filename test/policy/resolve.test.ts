/** Which rule applies to a position, and what it changes. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionKey, Side } from "../../src/domain/position.js";
import type { RuleMatch } from "../../src/policy/protection.js";
import { compilePolicy, override } from "../../src/policy/resolve.js";
import { aPolicy, aProtection, aRule, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";

const btc = aPosition().key;

function matches(match: RuleMatch, key: Partial<PositionKey> = {}, side: Side = "long"): boolean {
  const of = compilePolicy(aPolicy({ rules: [aRule({ match })] }));
  return of({ ...btc, ...key }, side).rule === "rules[0]";
}

describe("what a rule matches", () => {
  test.each<readonly [RuleMatch, Partial<PositionKey>, Side, boolean]>([
    [{}, {}, "long", true],
    [{ symbol: "BTCUSDT" }, {}, "long", true],
    [{ symbol: "BTC*" }, {}, "long", true],
    [{ symbol: "BTC*" }, { symbol: "BTC-24MAR23" }, "long", true],
    [{ symbol: "BTC*" }, { symbol: "ETHUSDT" }, "long", false],
    [{ symbol: "BTC" }, {}, "long", false],
    [{ symbol: "btcusdt" }, {}, "long", true],
    [{ account: "MAIN" }, {}, "long", true],
    [{ symbol: "*USDT" }, { symbol: "1000PEPEUSDT" }, "long", true],
    [{ symbol: "{BTC,ETH}USDT" }, { symbol: "ETHUSDT" }, "long", true],
    [{ symbol: "???USDT" }, {}, "long", true],
    [{ symbol: "???USDT" }, { symbol: "DOGEUSDT" }, "long", false],
    [{ side: "short" }, {}, "long", false],
    [{ side: "short" }, {}, "short", true],
    [{ category: "inverse" }, {}, "long", false],
    [{ category: "inverse" }, { category: "inverse" }, "long", true],
    [{ account: "ma*" }, {}, "long", true],
    [{ account: "other" }, {}, "long", false],
    [{ symbol: "BTC*", side: "short" }, {}, "long", false],
    [{ symbol: "BTC*", side: "long", category: "linear", account: "main" }, {}, "long", true],
  ])("%j on %j %s: %s", (match, key, side, expected) => {
    expect(matches(match, key, side)).toBe(expected);
  });
});

describe("resolution", () => {
  test("without rules the defaults apply to everything", () => {
    const found = compilePolicy(aPolicy())(btc, "long");
    expect(found).toEqual({ rule: "defaults", protection: aProtection(), ignored: false, inScope: true });
  });

  test("the first rule that matches wins, and later ones add nothing", () => {
    const rules = [
      aRule({ name: "rules[0]", match: { symbol: "ETH*" }, ignore: true }),
      aRule({ name: "rules[1]", match: { symbol: "BTC*" }, overrides: { pastStop: "close" } }),
      aRule({ name: "rules[2]", match: {}, overrides: { mode: "sync" } }),
    ];
    const found = compilePolicy(aPolicy({ rules }))(btc, "long");
    expect(found.rule).toBe("rules[1]");
    expect(found.protection).toEqual(aProtection({ pastStop: "close" }));
  });

  test("with scope listed only what a rule names is in scope", () => {
    const of = compilePolicy(aPolicy({ scope: "listed", rules: [aRule({ match: { symbol: "BTC*" } })] }));
    expect([of(btc, "long").inScope, of({ ...btc, symbol: "ETHUSDT" }, "long").inScope]).toEqual([true, false]);
  });

  test("a rule that ignores says so under its own name", () => {
    const of = compilePolicy(aPolicy({ rules: [aRule({ ignore: true })] }));
    expect(of(btc, "long")).toMatchObject({ rule: "rules[0]", ignored: true });
  });
});

describe("a rule overrides only what it names", () => {
  const defaults = aProtection({ takeProfit: takeProfitAt("0.04"), hedged: "alert" });

  test("a new distance keeps the trigger", () => {
    const base = { ...defaults, stopLoss: stopAt("0.02", "LastPrice") };
    expect(override(base, { stopLoss: { distance: dec("0.01") } }).stopLoss).toEqual(stopAt("0.01", "LastPrice"));
  });

  test("a new trigger keeps the distance", () => {
    expect(override(defaults, { takeProfit: { triggerBy: "MarkPrice" } }).takeProfit).toEqual(
      takeProfitAt("0.04", "MarkPrice"),
    );
  });

  test("null takes the take-profit away, and nothing else", () => {
    expect(override(defaults, { takeProfit: null })).toEqual({ ...defaults, takeProfit: null });
  });

  test("a take-profit where the defaults have none gets the usual trigger", () => {
    const found = override(aProtection(), { takeProfit: { distance: takeProfitInR("2").distance } });
    expect(found.takeProfit).toEqual(takeProfitInR("2", "LastPrice"));
  });

  test("a stop where the defaults have none triggers by mark price", () => {
    const found = override(aProtection({ stopLoss: null }), { stopLoss: { distance: dec("0.03") } });
    expect(found.stopLoss).toEqual(stopAt("0.03", "MarkPrice"));
  });

  test("a trigger alone makes no stop where no distance is known", () => {
    expect(override(aProtection({ stopLoss: null }), { stopLoss: { triggerBy: "LastPrice" } }).stopLoss).toBeNull();
  });

  test("nothing named changes nothing", () => {
    expect(override(defaults, {})).toEqual(defaults);
  });
});
