/** What every Reader and Writer promises, whichever exchange stands behind it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cover, stopLegs, takeProfitLegs } from "../../src/assess/coverage.js";
import { dec } from "../../src/domain/decimal.js";
import type { Position, PositionIdx } from "../../src/domain/position.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { ExchangeFailure } from "../../src/exchange/failure.js";
import type { AttachRequest, Urgency } from "../../src/exchange/port.js";
import { VENUES, type Venue } from "./venues.js";

const NOW: Urgency = { priority: 1, veto: () => null };
const A = { category: "linear", symbol: "AUSDT" } as const;
const H = { category: "linear", symbol: "HUSDT" } as const;

function keyOf(symbol: string, positionIdx: PositionIdx) {
  return { account: "main", category: "linear", symbol, positionIdx } as const;
}

function stopAt(price: string) {
  return { stopLoss: { price: dec(price), triggerBy: "MarkPrice" } } as const;
}

function positionIn({ positions }: Snapshot, symbol: string, side = "long"): Position {
  const found = positions.find((one) => one.key.symbol === symbol && one.side === side);
  if (found === undefined) throw new RangeError(`no ${symbol} ${side} in the snapshot`);
  return found;
}

function stopIn(snapshot: Snapshot, symbol: string, side = "long") {
  const position = positionIn(snapshot, symbol, side);
  return cover(position, "stop-loss", stopLegs(position, snapshot.orders));
}

function takeProfitIn(snapshot: Snapshot, symbol: string, side = "long") {
  const position = positionIn(snapshot, symbol, side);
  return cover(position, "take-profit", takeProfitLegs(position, snapshot.orders));
}

async function causeOf(request: Promise<unknown>): Promise<string> {
  const error: unknown = await request.catch((reason: unknown) => reason);
  if (!(error instanceof ExchangeFailure)) throw new Error("the request did not fail as an ExchangeFailure");
  return `${error.facts.kind}/${error.facts.cause}`;
}

describe.each(VENUES)("$name", ({ start }) => {
  let venue: Venue;

  beforeEach(async () => {
    venue = await start();
  });

  afterEach(() => venue.end());

  test("shows an open position once, with its leg, side, size and entry, and its contract's tick and mark", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    const snapshot = await venue.reader.snapshot("account");
    const position = positionIn(snapshot, "AUSDT");
    expect(position).toMatchObject({ key: keyOf("AUSDT", 0), side: "long", state: "normal", fullStopLoss: null });
    expect([position.size, position.entryPrice].map(String)).toEqual(["2", "100"]);
    expect(snapshot.instruments.get("linear/AUSDT")?.tickSize.toFixed()).toBe("0.1");
    expect(snapshot.tickers.get("linear/AUSDT")?.markPrice?.toFixed()).toBe("100");
    expect(snapshot).toMatchObject({ scope: "account", gaps: [], unreadablePositions: [] });
  });

  test("shows both legs of a hedged contract under their own positionIdx", async () => {
    venue.open({ symbol: "HUSDT", side: "long", size: "1" });
    venue.open({ symbol: "HUSDT", side: "short", size: "3" });
    const { positions } = await venue.reader.snapshot([H]);
    const legs = positions.map(({ key, side, size }) => [key.positionIdx, side, String(size)]);
    expect(legs.toSorted(([one], [other]) => Number(one) - Number(other))).toEqual([
      [1, "long", "1"],
      [2, "short", "3"],
    ]);
  });

  test("shows no row for a contract without a position, asked for by name, and no gap", async () => {
    const snapshot = await venue.reader.snapshot([A]);
    expect(snapshot).toMatchObject({ positions: [], unreadablePositions: [], gaps: [] });
  });

  test("rests a Full stop for the whole size, at the price and trigger asked for", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    const { sentAtMs, acknowledgedAtMs } = await venue.writer.setTradingStop(
      { key: keyOf("AUSDT", 0), side: "long", ...stopAt("98") },
      NOW,
    );
    expect(acknowledgedAtMs).toBeGreaterThanOrEqual(sentAtMs);
    const snapshot = await venue.reader.snapshot([A]);
    expect(snapshot.requestedAtMs).toBeGreaterThanOrEqual(acknowledgedAtMs);
    const stop = stopIn(snapshot, "AUSDT");
    expect(stop).toMatchObject({ source: "full", triggerBy: "MarkPrice" });
    expect([stop?.price, stop?.coverage].map(String)).toEqual(["98", "1"]);
    expect(positionIn(snapshot, "AUSDT").fullStopLoss?.toFixed()).toBe("98");
  });

  test("leaves alone what a request does not name", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    const key = keyOf("AUSDT", 0);
    await venue.writer.setTradingStop({ key, side: "long", ...stopAt("98") }, NOW);
    const takeProfit = { price: dec("104"), triggerBy: "LastPrice" } as const;
    await venue.writer.setTradingStop({ key, side: "long", takeProfit }, NOW);
    const snapshot = await venue.reader.snapshot([A]);
    expect(String(stopIn(snapshot, "AUSDT")?.price)).toBe("98");
    expect(String(takeProfitIn(snapshot, "AUSDT")?.price)).toBe("104");
  });

  test("sets the stop of the named leg and leaves the other leg naked", async () => {
    venue.open({ symbol: "HUSDT", side: "long", size: "1" });
    venue.open({ symbol: "HUSDT", side: "short", size: "1" });
    await venue.writer.setTradingStop({ key: keyOf("HUSDT", 2), side: "short", ...stopAt("102") }, NOW);
    const snapshot = await venue.reader.snapshot([H]);
    expect(String(stopIn(snapshot, "HUSDT", "short")?.price)).toBe("102");
    expect(stopIn(snapshot, "HUSDT", "long")).toBeNull();
  });

  test("refuses a stop on the wrong side of the mark, and says that it is past", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    venue.price("AUSDT", "97");
    const request = { key: keyOf("AUSDT", 0), side: "long", ...stopAt("98") } as const;
    expect(await causeOf(venue.writer.setTradingStop(request, NOW))).toBe("refused/stop-loss-past");
    expect(stopIn(await venue.reader.snapshot([A]), "AUSDT")).toBeNull();
  });

  test("refuses a stop for a position that is not there", async () => {
    const request = { key: keyOf("AUSDT", 0), side: "long", ...stopAt("98") } as const;
    expect(await causeOf(venue.writer.setTradingStop(request, NOW))).toBe("refused/zero-position");
  });

  test("sends nothing once its sender has changed its mind", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    const request = { key: keyOf("AUSDT", 0), side: "long", ...stopAt("98") } as const;
    const vetoed: Urgency = { priority: 1, veto: () => "no longer wanted" };
    expect(await causeOf(venue.writer.setTradingStop(request, vetoed))).toBe("not-happened/vetoed");
    expect(stopIn(await venue.reader.snapshot([A]), "AUSDT")).toBeNull();
  });

  test("closes reduce-only, and the exits go with the position", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    const key = keyOf("AUSDT", 0);
    await venue.writer.setTradingStop({ key, side: "long", ...stopAt("98") }, NOW);
    await venue.writer.closePosition({ key, side: "long", quantity: dec("2"), orderLinkId: "contract-1" }, NOW);
    expect(await venue.reader.snapshot([A])).toMatchObject({ positions: [], orders: [] });
  });

  describe("an entry order that rests", () => {
    const order = { symbol: "AUSDT", side: "long", size: "2", price: "95" } as const;
    const attach = (orderId: string, stop: string, more: Partial<AttachRequest> = {}) =>
      venue.writer.attachExits({ key: keyOf("AUSDT", 0), side: "long", orderId, ...stopAt(stop), ...more }, NOW);

    test("takes exits, shows them, and brings them to the position that it opens", async () => {
      const orderId = venue.rest(order);
      const takeProfit = { price: dec("99"), triggerBy: "LastPrice" } as const;
      await attach(orderId, "93.1", { takeProfit });
      const before = await venue.reader.snapshot([A]);
      expect(before.orders).toMatchObject([{ orderId, kind: "plain", state: "resting", attachedMode: "full" }]);
      const [entry] = before.orders;
      expect([entry?.attachedStopLoss, entry?.attachedTakeProfit].map(String)).toEqual(["93.1", "99"]);
      venue.fill(orderId, order);
      const after = await venue.reader.snapshot([A]);
      expect(stopIn(after, "AUSDT")).toMatchObject({ source: "full", triggerBy: "MarkPrice" });
      expect(String(stopIn(after, "AUSDT")?.price)).toBe("93.1");
    });

    test("keeps the take-profit that a request does not name", async () => {
      const orderId = venue.rest(order);
      await attach(orderId, "93.1", { takeProfit: { price: dec("99"), triggerBy: "LastPrice" } });
      await attach(orderId, "94");
      const [entry] = (await venue.reader.snapshot([A])).orders;
      expect([entry?.attachedStopLoss, entry?.attachedTakeProfit].map(String)).toEqual(["94", "99"]);
    });

    test("refuses a stop at or beyond its own price", async () => {
      const orderId = venue.rest(order);
      expect(await causeOf(attach(orderId, "95"))).toBe("refused/stop-loss-past");
      expect((await venue.reader.snapshot([A])).orders[0]?.attachedStopLoss).toBeNull();
    });

    test("that is gone takes none", async () => {
      expect(await causeOf(attach("no-such-order", "93.1"))).toBe("refused/gone");
    });

    test("that has the very exits already leaves the outcome open", async () => {
      const orderId = venue.rest(order);
      await attach(orderId, "93.1");
      expect(await causeOf(attach(orderId, "93.1"))).toBe("unknown/not-modified");
    });
  });

  test("shows a position that was closed by another hand as gone, also in the whole list", async () => {
    venue.open({ symbol: "AUSDT", side: "long", size: "2" });
    venue.open({ symbol: "HUSDT", side: "long", size: "2" });
    await venue.reader.snapshot("account");
    venue.close({ symbol: "AUSDT", side: "long" });
    const { positions } = await venue.reader.snapshot("account");
    expect(positions.map(({ key }) => key.symbol)).toEqual(["HUSDT"]);
  });
});
