/** What frames become: every spelling of the exchange, nothing twice, nothing of the past, nothing of others. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { createPushReader, type PushReader } from "../../src/exchange/bybit/stream-pushes.js";

const SENT_AT_MS = 1_700_000_000_000;

const reader = (categories: readonly ("linear" | "inverse")[] = ["linear", "inverse"]): PushReader =>
  createPushReader({ account: "main", categories, nowMs: () => 7 });

const frame = (topic: string, ...data: readonly object[]) => ({ id: "1", topic, creationTime: SENT_AT_MS, data });

const position = (changes: object = {}): object => ({
  category: "linear",
  symbol: "BTCUSDT",
  positionIdx: 0,
  side: "Buy",
  size: "0.5",
  entryPrice: "50000",
  markPrice: "50100",
  liqPrice: "",
  leverage: "10",
  positionStatus: "Normal",
  stopLoss: "",
  takeProfit: "0",
  openTime: 1_699_999_999_000,
  seq: 100,
  ...changes,
});

const order = (changes: object = {}): object => ({
  category: "linear",
  symbol: "BTCUSDT",
  orderId: "o1",
  orderLinkId: "",
  positionIdx: 0,
  side: "Sell",
  orderType: "Market",
  orderStatus: "Untriggered",
  stopOrderType: "StopLoss",
  price: "",
  qty: "0.5",
  leavesQty: "0.5",
  cumExecQty: "0",
  triggerPrice: "49000",
  triggerBy: "MarkPrice",
  triggerDirection: 2,
  reduceOnly: true,
  stopLoss: "",
  takeProfit: "",
  ...changes,
});

/** Of a kind that opens: filled in part, with a stop attached. */
const entryOrder = (changes: object = {}): object =>
  order({
    side: "Buy",
    orderType: "Limit",
    orderStatus: "PartiallyFilled",
    stopOrderType: "",
    price: "50000",
    leavesQty: "0.4",
    cumExecQty: "0.1",
    triggerPrice: "",
    triggerBy: "",
    reduceOnly: false,
    stopLoss: "49500",
    ...changes,
  });

const execution = (changes: object = {}): object => ({
  category: "linear",
  symbol: "BTCUSDT",
  execId: "e1",
  orderId: "o1",
  side: "Sell",
  execTime: "1699999999500",
  execType: "Trade",
  stopOrderType: "UNKNOWN",
  createType: "CreateByUser",
  closedSize: "",
  ...changes,
});

describe("a position row", () => {
  it("is read as over REST, with its entry price and the mark of the push", () => {
    const [push] = reader().read(frame("position", position()));
    expect(push).toMatchObject({
      kind: "position-open",
      atMs: SENT_AT_MS,
      position: { side: "long", fullStopLoss: null },
    });
    expect(JSON.parse(JSON.stringify(push))).toMatchObject({ position: { entryPrice: "50000", markPrice: "50100" } });
  });

  it("that is flat names its leg", () => {
    const row = position({ positionIdx: 2, side: "", size: "0", entryPrice: "0" });
    expect(reader().read(frame("position", row))).toEqual([
      {
        kind: "position-flat",
        key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 2 },
        atMs: SENT_AT_MS,
      },
    ]);
  });

  it.each([[""], [" "], [null], [-1], ["none"], [{}]])(
    "whose sequence number is %j orders nothing: it is told, and what comes after it goes by the last number",
    (seq) => {
      const reading = reader();
      const kinds = (row: object) => reading.read(frame("position", row)).map(({ kind }) => kind);
      expect(kinds(position())).toEqual(["position-open"]);
      expect(kinds(position({ seq, size: "0", side: "" }))).toEqual(["position-flat"]);
      expect(kinds(position({ seq, size: "2" }))).toEqual(["position-open"]);
      expect(kinds(position({ seq: 99 }))).toEqual([]);
    },
  );

  it("that is flat and of an older sequence number is told as outdated: what is open now has opened since", () => {
    const reading = reader();
    const flatness = (row: object) =>
      reading.read(frame("position", row)).map((push) => (push.kind === "position-flat" ? push.isOutdated : null));
    expect(flatness(position())).toEqual([null]);
    expect(flatness(position({ seq: 99, size: "0", side: "" }))).toEqual([true]);
    expect(flatness(position({ seq: 101, size: "0", side: "" }))).toEqual([undefined]);
  });

  it.each([
    ["some minutes ago", 1_600_000_000_000, 1_600_000_000_000],
    ["at no time that can be told", "soon", null],
    ["at no time at all", undefined, null],
    ["in the time to come", 9_000_000_000_000, null],
  ])(
    "that is flat and was changed %s says so, where that was before it was told",
    (_what, updatedTime, changedAtMs) => {
      const told = reader().read(frame("position", position({ updatedTime, size: "0", side: "" })));
      const [fresh] = reader().read(frame("position", position({ updatedTime: undefined, size: "0", side: "" })));
      expect(told).toEqual([changedAtMs === null ? fresh : { ...fresh, changedAtMs }]);
    },
  );

  it("of an older sequence number is dropped; of the same number it is told, for stops change without a number", () => {
    const reading = reader();
    const kinds = (row: object) => reading.read(frame("position", row)).map(({ kind }) => kind);
    expect(kinds(position())).toEqual(["position-open"]);
    expect(kinds(position({ stopLoss: "49000" }))).toEqual(["position-open"]);
    expect(kinds(position({ seq: 99 }))).toEqual([]);
    expect(kinds(position({ seq: 101, size: "0", side: "" }))).toEqual(["position-flat"]);
    expect(kinds(position({ seq: 100 }))).toEqual([]);
    expect(kinds(position({ seq: 99, symbol: "ETHUSDT" }))).toEqual(["position-open"]);
    expect(kinds(position({ seq: 99, category: "inverse" }))).toEqual(["position-open"]);
    expect(kinds(position({ seq: 99, positionIdx: 1 }))).toEqual(["position-open"]);
    expect(kinds(position({ seq: -1 }))).toEqual(["position-open"]);
    expect(kinds(position({ seq: undefined }))).toEqual(["position-open"]);
    expect(kinds(position({ seq: 50 }))).toEqual([]);
  });

  it("counts as new on a new connection, for the numbers may have started anew", () => {
    const reading = reader();
    reading.read(frame("position", position()));
    reading.forgetPast();
    expect(reading.read(frame("position", position({ seq: 5 })))).toHaveLength(1);
  });

  it("that cannot be read says so with its contract, and spoils no other row", () => {
    const rows = [position({ side: "Odd" }), position({ symbol: "ETHUSDT", stopLoss: undefined }), position()];
    expect(reader().read(frame("position", ...rows))).toMatchObject([
      { kind: "unreadable", category: "linear", symbol: "BTCUSDT", reason: 'side is "Odd"' },
      { kind: "unreadable", category: "linear", symbol: "ETHUSDT", reason: "stopLoss is missing" },
      { kind: "position-open" },
    ]);
  });
});

describe("an order row", () => {
  it("that waits is open as it stands", () => {
    expect(reader().read(frame("order", order()))).toMatchObject([
      { kind: "order-open", atMs: SENT_AT_MS, order: { orderId: "o1", kind: "full-stop-loss", reducesOnly: true } },
    ]);
  });

  it.each([
    ["Filled", "filled"],
    ["Cancelled", "cancelled"],
    ["Deactivated", "cancelled"],
    ["Rejected", "rejected"],
    ["Triggered", "triggered"],
  ])("with status %s is gone: %s", (orderStatus, how) => {
    expect(reader().read(frame("order", order({ orderStatus })))).toEqual([
      {
        kind: "order-gone",
        contract: { category: "linear", symbol: "BTCUSDT" },
        orderId: "o1",
        how,
        carriedStop: null,
        atMs: SENT_AT_MS,
      },
    ]);
  });

  it.each([
    ["PartiallyFilled", {}],
    ["PartiallyFilledCanceled", {}],
    ["Cancelled", {}],
    ["Filled", { cumExecQty: "0" }],
  ])("of an entry that is %s tells of the stop that it has brought", (orderStatus, more) => {
    expect(reader().read(frame("order", entryOrder({ orderStatus, ...more })))).toMatchObject([
      { carriedStop: { positionIdx: 0, side: "long", price: dec("49500"), triggerBy: "LastPrice" } },
    ]);
  });

  it.each([
    ["of which nothing was filled", { orderStatus: "New", cumExecQty: "0" }],
    ["of which nothing was filled before it was cancelled", { orderStatus: "Cancelled", cumExecQty: "" }],
    ["that brings a leg of its own", { orderStatus: "PartiallyFilled", tpslMode: "Partial" }],
    ["that brings no stop", { orderStatus: "PartiallyFilled", stopLoss: "" }],
  ])("of an entry %s tells of no stop", (_what, more) => {
    expect(reader().read(frame("order", entryOrder(more)))).toMatchObject([{ carriedStop: null }]);
  });

  it("with a status nobody knows is unreadable, not gone", () => {
    expect(reader().read(frame("order", order({ orderStatus: "Odd" })))).toMatchObject([
      { kind: "unreadable", symbol: "BTCUSDT", reason: 'orderStatus is "Odd"' },
    ]);
  });
});

describe("an execution row", () => {
  it("carries the time of the fill by the exchange's clock", () => {
    expect(reader().read(frame("execution", execution()))).toEqual([
      {
        kind: "execution",
        contract: { category: "linear", symbol: "BTCUSDT" },
        execution: {
          execId: "e1",
          orderId: "o1",
          orderLinkId: "",
          direction: "sell",
          atMs: 1_699_999_999_500,
          fromStopLoss: false,
          closes: false,
        },
      },
    ]);
  });

  it.each([
    [
      { stopOrderType: "StopLoss", closedSize: "0.5" },
      { fromStopLoss: true, closes: true },
    ],
    [{ createType: "CreateByPartialStopLoss" }, { fromStopLoss: true }],
    [{ stopOrderType: "TrailingStop", createType: "CreateByTrailingStop" }, { fromStopLoss: false }],
    [
      { stopOrderType: "TakeProfit", closedSize: "0.1" },
      { fromStopLoss: false, closes: true },
    ],
    [{ stopOrderType: "Stop" }, { fromStopLoss: false }],
    [{ closedSize: "0" }, { closes: false }],
  ])("of %j is told as %j", (changes, wanted) => {
    expect(reader().read(frame("execution", execution(changes)))).toMatchObject([{ execution: wanted }]);
  });

  it("is told once, also after an interruption, and the memory for that stays small", () => {
    const reading = reader();
    const told = (execId: string) => reading.read(frame("execution", execution({ execId }))).length;
    expect([told("a"), told("a"), told("b")]).toEqual([1, 0, 1]);
    reading.forgetPast();
    expect(told("a")).toBe(0);
    for (let index = 0; index < 10_000; index += 1) told(`later ${index}`);
    expect(told("later 0")).toBe(0);
    expect(told("a")).toBe(1);
  });

  it("of funding is no fill", () => {
    expect(reader().read(frame("execution", execution({ execType: "Funding", side: "" })))).toEqual([]);
  });

  it("without an id is unreadable", () => {
    expect(reader().read(frame("execution", execution({ execId: "" })))).toMatchObject([
      { kind: "unreadable", category: "linear", symbol: "BTCUSDT" },
    ]);
  });
});

describe("topics and categories", () => {
  it("are understood in the topic as well as in the row", () => {
    const [push] = reader().read(frame("position.inverse", position({ category: undefined, symbol: "BTCUSD" })));
    expect(push).toMatchObject({ kind: "position-open", position: { key: { category: "inverse", symbol: "BTCUSD" } } });
    expect(reader().read(frame("execution.linear", execution({ category: "" })))).toHaveLength(1);
  });

  it("of options, spot and what is not watched are passed over", () => {
    expect(reader().read(frame("order", order({ category: "option" }), order({ category: "spot" })))).toEqual([]);
    expect(reader().read(frame("order.spot", order({ category: undefined })))).toEqual([]);
    expect(reader(["linear"]).read(frame("position", position({ category: "inverse" })))).toEqual([]);
  });

  it("that nobody knows make one look at everything", () => {
    expect(reader().read(frame("wallet", {}))).toEqual([
      { kind: "unreadable", category: null, symbol: null, reason: 'topic is "wallet"' },
    ]);
    expect(reader().read(frame("execution.fast", execution()))).toMatchObject([{ kind: "unreadable" }]);
    expect(reader().read(frame("position", position({ category: "" })))).toMatchObject([
      { kind: "unreadable", category: null, symbol: "BTCUSDT", reason: 'category is ""' },
    ]);
  });

  it("carry our own idea of the exchange's time where the frame has none", () => {
    const timeless = { topic: "position", data: [position()] };
    expect(reader().read(timeless)).toMatchObject([{ kind: "position-open", atMs: 7 }]);
  });
});

describe("any frame at all", () => {
  it("is read without throwing, and never tells a flat position from a row without a size of zero", () => {
    const row = fc.oneof(
      fc.anything(),
      fc.record(
        {
          category: fc.oneof(fc.constantFrom("linear", "inverse", "option", ""), fc.anything()),
          symbol: fc.oneof(fc.constant("BTCUSDT"), fc.anything()),
          positionIdx: fc.oneof(fc.constantFrom(0, 1, "2"), fc.anything()),
          size: fc.oneof(fc.constantFrom("", "0", "1", 0), fc.anything()),
          seq: fc.anything(),
          execId: fc.anything(),
          orderStatus: fc.oneof(fc.constantFrom("Filled", "New"), fc.anything()),
        },
        { requiredKeys: [] },
      ),
    );
    const topic = fc.oneof(fc.constantFrom("position", "order", "execution", "position.linear"), fc.anything());
    const frames = fc.oneof(fc.anything(), fc.record({ topic, data: fc.oneof(fc.array(row), fc.anything()) }));
    fc.assert(
      fc.property(frames, (any) => {
        const flat = reader()
          .read(any)
          .filter(({ kind }) => kind === "position-flat");
        const rows = flat.length === 0 ? [] : ((any as { data: { size?: unknown }[] }).data ?? []);
        expect(rows.filter((one) => one?.size === "0" || one?.size === 0).length).toBeGreaterThanOrEqual(flat.length);
      }),
      { numRuns: 1_000 },
    );
  });
});

const folder = "../shared/fixtures";

function recordedFrames(path: string): (readonly [string, unknown])[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) return recordedFrames(inner);
    if (!/(^ws|websocket_private)/i.test(entry.name) || !entry.name.endsWith(".json")) return [];
    return [[inner, JSON.parse(readFileSync(inner, "utf8")) as unknown] as const];
  });
}

const recordings = existsSync(folder) ? recordedFrames(folder) : [];

describe.skipIf(recordings.length === 0)("recorded frames (skipped where the recordings are not at hand)", () => {
  it.each(recordings)("%s is read without throwing", (_file, recorded) => {
    const list = Array.isArray(recorded) ? recorded : [recorded];
    for (const one of list) for (const push of reader().read(one)) expect(push.kind).toMatch(/^[a-z-]+$/);
  });

  const read = (name: string) => {
    const found = recordings.find(([file]) => file.endsWith(name));
    if (found === undefined) throw new Error(`no recording ${name}`);
    return reader().read(found[1]);
  };

  it("a recorded long without a stop is open and naked", () => {
    expect(read("gocryptotrader/wsAuth_line1_position.json")).toMatchObject([
      { kind: "position-open", atMs: 1_672_364_174_455, position: { side: "long", fullStopLoss: null } },
    ]);
  });

  it("a recorded closed hedge leg is flat", () => {
    expect(read("official_docs/websocket_private_position_2.json")).toMatchObject([
      { kind: "position-flat", key: { symbol: "BTCUSDT", positionIdx: 2 } },
    ]);
  });

  it("a recorded stop order is a stop, a recorded deleveraging closes", () => {
    expect(read("nautilus_trader/ws_account_order_stop_loss.json")).toMatchObject([
      { kind: "order-open", order: { kind: "full-stop-loss" } },
    ]);
    expect(read("nautilus_trader/ws_account_execution_adl.json")).toMatchObject([
      { kind: "execution", execution: { closes: true, direction: "sell" } },
    ]);
  });

  it("a recorded order of an option or of spot is passed over", () => {
    expect(read("gocryptotrader/wsAuth_line2_order.json")).toEqual([]);
    expect(read("nautilus_trader/ws_account_order_partially_filled_rejected.json")).toEqual([]);
  });
});
