/** Planted in what is read, remembered and wanted. */
import type { Decimal } from "../../../src/domain/decimal.js";
import type { PositionIntent } from "../../../src/domain/intent.js";
import { keyText } from "../../../src/domain/position.js";
import type { FlatLeg, Snapshot } from "../../../src/domain/snapshot.js";
import { ExchangeFailure } from "../../../src/exchange/failure.js";
import type { Plant } from "../planted.js";
import type { Story } from "../story.js";
import { aroundReader, atTheLine, busy, policyAs, positionsAs, recalledAs, seenAs } from "./wrapping.js";

const NOTHING: Omit<Snapshot, "account" | "scope" | "requestedAtMs" | "receivedAtMs" | "flatLegs"> = {
  gaps: [],
  positions: [],
  unreadablePositions: [],
  orders: [],
  unreadableOrders: [],
  allOrders: true,
  instruments: new Map(),
  tickers: new Map(),
  marginMode: null,
  copyTradingMaster: null,
  disconnectProtection: null,
  notCovered: [],
  clockSkewMs: null,
  wentOnWithout: false,
  shownAtMs: new Map(),
};

const hedged: Plant["story"] = (story) => ({ ...busy(story), hedge: true, symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT"] });

const withSpoilt = (story: Story): Partial<Story> => ({
  ...busy(story),
  symbols: ["ETHUSDT", "BTCUSDT"],
  spoilt: "BTCUSDT",
});

export const READ_PLANTS: readonly Plant[] = [
  {
    name: "the short legs of a hedge are dropped",
    breaks: ["S4", "L1", "L5"],
    story: hedged,
    ...seenAs((snapshot) => ({
      ...snapshot,
      positions: snapshot.positions.filter(({ key }) => key.positionIdx !== 2),
      flatLegs: [
        ...snapshot.flatLegs,
        ...snapshot.positions.filter(({ key }) => key.positionIdx === 2).map(({ key }) => key),
      ],
    })),
  },
  {
    name: "a read that fails is taken for an empty account",
    breaks: ["S4"],
    story: (story) => ({ ...busy(story), faults: { networkDown: 120, readReset: 0.1 } }),
    ...aroundReader((reader, run) => {
      const seen = new Map<string, FlatLeg>();
      return async (scope) => {
        try {
          const snapshot = await reader.snapshot(scope);
          for (const { key } of snapshot.positions) seen.set(keyText(key), key);
          return snapshot;
        } catch (error) {
          if (!(error instanceof ExchangeFailure) || run.time.elapsedMs < 60_000) throw error;
          const atMs = run.time.exchangeNowMs();
          return {
            ...NOTHING,
            account: reader.account,
            scope,
            flatLegs: [...seen.values()],
            requestedAtMs: atMs,
            receivedAtMs: atMs,
          };
        }
      };
    }),
  },
  {
    name: "rows that cannot be read are taken for flat",
    breaks: ["S4", "S18"],
    story: withSpoilt,
    ...seenAs((snapshot) => {
      const taken = snapshot.unreadablePositions.flatMap(({ category, symbol, positionIdx }) =>
        symbol === null ? [] : [{ category, symbol, positionIdx: positionIdx ?? 0 }],
      );
      return {
        ...snapshot,
        gaps: [],
        unreadablePositions: [],
        unreadableOrders: [],
        // What is flat has no exits.
        orders: snapshot.orders.filter(({ symbol }) => !taken.some((leg) => leg.symbol === symbol)),
        flatLegs: [...snapshot.flatLegs, ...taken],
      };
    }),
  },
  {
    name: "a row that cannot be read stops the whole sweep",
    breaks: ["S19"],
    story: withSpoilt,
    ...seenAs((snapshot) => {
      if (snapshot.unreadablePositions.length === 0) return snapshot;
      throw new ExchangeFailure({ kind: "unknown", cause: "garbage", endpoint: "GET /v5/position/list" });
    }),
  },
  {
    name: "a word that nobody knows is guessed",
    breaks: ["S18"],
    story: withSpoilt,
    ...atTheLine(async (outgoing, carry) => {
      const body = await carry(outgoing);
      const { result } = body as { result?: { list?: Record<string, unknown>[] } };
      for (const row of result?.list ?? []) if (row["side"] === "Both") row["side"] = "Buy";
      return body;
    }),
  },
  {
    name: "what was read a minute ago is passed off as new",
    breaks: ["S1", "S5", "S6", "S8", "S9", "S4", "S11", "L1"],
    story: busy,
    ...aroundReader((reader, run) => {
      let kept: { snapshot: Snapshot; atMs: number } | null = null;
      return async (scope) => {
        const isOld = kept === null || run.time.elapsedMs - kept.atMs > 60_000;
        const snapshot = isOld || scope !== "account" ? await reader.snapshot(scope) : null;
        if (snapshot !== null && scope === "account") kept = { snapshot, atMs: run.time.elapsedMs };
        if (snapshot !== null || kept === null) return snapshot ?? reader.snapshot(scope);
        const lateMs = run.time.elapsedMs - kept.atMs;
        const { requestedAtMs, receivedAtMs } = kept.snapshot;
        return { ...kept.snapshot, requestedAtMs: requestedAtMs + lateMs, receivedAtMs: receivedAtMs + lateMs };
      };
    }),
  },
  {
    name: "whatever is looked at, what was read minutes ago is passed off as new",
    breaks: ["S5"],
    story: busy,
    ...aroundReader((reader, run) => {
      let kept: { snapshot: Snapshot; atMs: number } | null = null;
      return async (scope) => {
        if (kept === null || run.time.elapsedMs - kept.atMs > 300_000) {
          const snapshot = await reader.snapshot(scope);
          if (scope === "account") kept = { snapshot, atMs: run.time.elapsedMs };
          return snapshot;
        }
        const nowMs = kept.snapshot.requestedAtMs + run.time.elapsedMs - kept.atMs;
        return { ...kept.snapshot, requestedAtMs: nowMs, receivedAtMs: nowMs };
      };
    }),
  },
  {
    name: "standing stops are not seen",
    breaks: ["S1", "L2", "S14"],
    story: busy,
    ...seenAs((snapshot) => ({
      ...snapshot,
      positions: snapshot.positions.map((position) => ({ ...position, fullStopLoss: null })),
      orders: snapshot.orders.filter(({ kind }) => kind !== "full-stop-loss"),
    })),
  },
  {
    name: "stops are seen where none stand",
    breaks: ["S11", "L1"],
    story: busy,
    ...seenAs((snapshot) => {
      const [first] = snapshot.orders.filter(({ kind }) => kind === "full-stop-loss");
      if (first === undefined) return snapshot;
      const bare = snapshot.positions.filter(({ fullStopLoss }) => fullStopLoss === null);
      const invented = bare.map(({ key, side, entryPrice }) => ({
        ...first,
        category: key.category,
        symbol: key.symbol,
        positionIdx: key.positionIdx,
        direction: side === "long" ? ("sell" as const) : ("buy" as const),
        triggerPrice: entryPrice.times(side === "long" ? "0.98" : "1.02"),
        orderId: `invented-${keyText(key)}`,
      }));
      const positions = snapshot.positions.map((position) => ({
        ...position,
        fullStopLoss: position.fullStopLoss ?? position.entryPrice.times(position.side === "long" ? "0.98" : "1.02"),
      }));
      return { ...snapshot, positions, orders: [...snapshot.orders, ...invented] };
    }),
  },
  {
    name: "sides are mixed up",
    breaks: ["S6", "S8", "S4", "L1", "S17", "S12"],
    story: busy,
    ...positionsAs((position) =>
      position.key.positionIdx === 0 ? { ...position, side: position.side === "long" ? "short" : "long" } : position,
    ),
  },
  {
    name: "the entry price is read two per cent too far away",
    breaks: ["S7", "CONFIG"],
    story: busy,
    ...positionsAs((position) => ({
      ...position,
      entryPrice: position.entryPrice.times(position.side === "long" ? "0.98" : "1.02"),
    })),
  },
  {
    name: "ticks are read three times too small",
    breaks: ["S7"],
    story: busy,
    ...seenAs((snapshot) => ({
      ...snapshot,
      instruments: new Map(
        [...snapshot.instruments].map(([name, one]) => [
          name,
          { ...one, tickSize: one.tickSize.div(3).toDecimalPlaces(8) },
        ]),
      ),
    })),
  },
  {
    name: "half of the size is read",
    breaks: ["S12", "S11", "L5", "L1"],
    story: (story) => ({ ...busy(story), botEverySeconds: 60 }),
    ...positionsAs((position) => ({ ...position, size: position.size.div(2), fullStopLoss: position.fullStopLoss })),
  },
  {
    name: "a read never ends",
    breaks: ["L5"],
    story: busy,
    ...aroundReader(
      (reader, run) => (scope) =>
        run.time.elapsedMs > 600_000 ? new Promise(() => undefined) : reader.snapshot(scope),
    ),
  },
  {
    name: "nothing is remembered of a life",
    breaks: ["F28", "S14", "L2", "S12"],
    story: (story) => ({ ...busy(story), personEverySeconds: 60, botEverySeconds: 1_200, symbols: ["BTCUSDT"] }),
    ...recalledAs((record) => ({ ...record, restoredAtMs: [] })),
  },
  {
    name: "it is not remembered that a close was sent",
    breaks: ["S12"],
    story: (story) => ({
      ...busy(story),
      market: { ...story.market, gapChance: 0.05, gapPercent: 6, everySeconds: 10 },
      protection: { ...story.protection, ...busy(story).protection, pastStop: "close", stopPercent: 0.5 },
      faults: { writeLie: 0.8 },
    }),
    ...recalledAs((record) => ({ ...record, closeSent: false })),
  },
  {
    name: "an intent goes over to the next life",
    breaks: ["INTENT"],
    story: (story) => ({ ...busy(story), intents: true }),
    ...(() => {
      const latest = new Map<string, PositionIntent>();
      return recalledAs((record, { key }) => {
        if (record.intent !== null) latest.set(keyText(key), { ...record.intent, waiver: null });
        return { ...record, intent: record.intent ?? latest.get(keyText(key)) ?? null };
      });
    })(),
  },
  {
    name: "every intent may loosen",
    breaks: ["S1"],
    story: (story) => ({ ...busy(story), intents: true }),
    ...recalledAs((record, position) => {
      const { intent } = record;
      const from = position.fullStopLoss;
      if (intent === null || intent.stopLoss === null || from === null) return record;
      return { ...record, metStopIntent: null, intent: { ...intent, mayLoosenFrom: from } };
    }),
  },
  {
    name: "whatever stands may be loosened to the configured level",
    breaks: ["S1"],
    story: busy,
    ...recalledAs((record, position) => {
      const from = position.fullStopLoss;
      if (from === null) return record;
      const stopLoss = position.entryPrice.times(position.side === "long" ? "0.9" : "1.1").toSignificantDigits(3);
      const intent = {
        id: `planted-${stopLoss.toFixed()}`,
        stopLoss,
        takeProfit: null,
        waiver: null,
        mayLoosenFrom: from,
        who: "planted",
      };
      return { ...record, metStopIntent: null, intent };
    }),
  },
  {
    name: "it is not remembered that a stop was put at a distance from the mark",
    breaks: ["REBASE"],
    story: (story) => ({
      ...busy(story),
      personEverySeconds: 3_600,
      market: { ...story.market, gapChance: 0.1, gapPercent: 6, everySeconds: 10 },
      protection: {
        ...story.protection,
        ...busy(story).protection,
        stopPercent: 0.5,
        takeProfit: null,
        pastStop: "rebase",
      },
    }),
    ...recalledAs((record) => ({ ...record, rebased: false, stopTriggered: false, learned: null, ourStopLoss: null })),
  },
  {
    name: "the configured distance is doubled",
    breaks: ["CONFIG"],
    story: busy,
    ...policyAs((policy) => {
      const { stopLoss } = policy.protection;
      if (stopLoss === null) return policy;
      return {
        ...policy,
        protection: { ...policy.protection, stopLoss: { ...stopLoss, distance: stopLoss.distance.times(2) } },
      };
    }),
  },
  {
    name: "the rule that ignores a symbol is overlooked",
    breaks: ["S20"],
    story: (story) => ({ ...busy(story), symbols: ["BTCUSDT", "ETHUSDT"], ignored: "BTCUSDT" }),
    ...policyAs((policy) => ({ ...policy, ignored: false })),
  },
  {
    name: "report-only is taken for sync",
    breaks: ["S20"],
    story: (story) => ({ ...busy(story), protection: { ...story.protection, mode: "report-only" } }),
    ...policyAs((policy) => ({ ...policy, protection: { ...policy.protection, mode: "sync" } })),
  },
  {
    name: "a vanished stop is waited for without an end",
    breaks: ["L1"],
    story: busy,
    ...policyAs((policy) => ({
      ...policy,
      protection: { ...policy.protection, vanishMs: 86_400_000, graceMs: 86_400_000 },
    })),
  },
  {
    name: "stops are seen one per cent looser than they are",
    breaks: ["L2", "S14", "S11", "S7"],
    story: busy,
    ...seenAs((snapshot) => {
      const looser = (price: Decimal | null, isLong: boolean) => price?.times(isLong ? "0.99" : "1.01") ?? null;
      return {
        ...snapshot,
        positions: snapshot.positions.map((one) => ({
          ...one,
          fullStopLoss: looser(one.fullStopLoss, one.side === "long"),
        })),
        orders: snapshot.orders.map((one) =>
          one.kind === "full-stop-loss"
            ? { ...one, triggerPrice: looser(one.triggerPrice, one.direction === "sell") }
            : one,
        ),
      };
    }),
  },
];
