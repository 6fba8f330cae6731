/** Planted in what is written. */
import { dec, print } from "../../../src/domain/decimal.js";
import { ExchangeFailure } from "../../../src/exchange/failure.js";
import type { Plant } from "../planted.js";
import { aroundWriter, atTheLine, atTradingStop, busy, isLong } from "./wrapping.js";

const TRADING_STOP = "/v5/position/trading-stop";
const CREATE = "/v5/order/create";

const closing: Plant["story"] = (story) => {
  const base = busy(story);
  const market = { ...story.market, gapChance: 0.05, gapPercent: 6, everySeconds: 10 };
  const protection = { ...story.protection, ...base.protection, pastStop: "close" as const, stopPercent: 0.5 };
  return { ...base, market, protection };
};

/** Much is in doubt: answers get lost, after the effect or before. */
const doubtful: Plant["story"] = (story) => ({
  ...busy(story),
  faults: { writeTimeoutAfter: 0.2, writeServerErrorBefore: 0.2, writeResetAfter: 0.2 },
});

export const WRITE_PLANTS: readonly Plant[] = [
  {
    name: "a take-profit is sent with the standing stop, a tick looser",
    breaks: ["S1"],
    story: busy,
    ...atTradingStop((params, run) => {
      const state = run.venue
        .states()
        .find((one) => one.symbol === params["symbol"] && one.positionIdx === params["positionIdx"]);
      const tick = run.venue.ticks(String(params["symbol"])).at(-1);
      if (params["takeProfit"] === undefined || state?.stop == null || tick === undefined) return;
      const { price } = state.stop;
      params["stopLoss"] = print(state.side === "long" ? price.minus(tick) : price.plus(tick));
      params["slTriggerBy"] = state.stop.triggerBy;
    }),
  },
  {
    name: "every stop lands five ticks further from the mark than asked",
    breaks: ["S1", "S7", "L2", "S17"],
    story: busy,
    ...aroundWriter((writer, run) => ({
      setTradingStop: (request, urgency) => {
        const tick = run.venue.ticks(request.key.symbol).at(-1) ?? dec("1");
        const { stopLoss } = request;
        if (stopLoss === undefined) return writer.setTradingStop(request, urgency);
        const price =
          request.side === "long" ? stopLoss.price.minus(tick.times(5)) : stopLoss.price.plus(tick.times(5));
        return writer.setTradingStop({ ...request, stopLoss: { ...stopLoss, price } }, urgency);
      },
    })),
  },
  {
    name: "a stop is sent with takeProfit 0",
    breaks: ["S2"],
    story: busy,
    ...atTradingStop((params) => {
      if (params["takeProfit"] === undefined) params["takeProfit"] = "0";
    }),
  },
  {
    name: "a stop is taken away before it is set anew",
    breaks: ["S2"],
    story: busy,
    ...atTheLine(async (outgoing, carry) => {
      if (outgoing.path !== TRADING_STOP || outgoing.params["stopLoss"] === undefined) return carry(outgoing);
      const { category, symbol, positionIdx } = outgoing.params;
      const away = { category, symbol, positionIdx, tpslMode: "Full", stopLoss: "0" } as typeof outgoing.params;
      await carry({ ...outgoing, params: away }).catch(() => undefined);
      return carry(outgoing);
    }),
  },
  {
    name: "a trailing stop is sent along",
    breaks: ["S2"],
    story: busy,
    ...atTradingStop((params) => {
      params["trailingStop"] = "0";
    }),
  },
  {
    name: "stops are added as Partial legs",
    breaks: ["S10", "S2"],
    story: busy,
    ...atTradingStop((params) => {
      params["tpslMode"] = "Partial";
    }),
  },
  {
    name: "all open orders are cancelled before a stop is set",
    breaks: ["S2"],
    story: busy,
    ...atTheLine(async (outgoing, carry) => {
      const { category, symbol } = outgoing.params;
      if (outgoing.path === TRADING_STOP && category !== undefined && symbol !== undefined)
        await carry({ ...outgoing, path: "/v5/order/cancel-all", params: { category, symbol } }).catch(() => undefined);
      return carry(outgoing);
    }),
  },
  {
    name: "the two legs of a hedge are mixed up",
    breaks: ["S8", "S6", "S17"],
    story: (story) => ({ ...busy(story), hedge: true, symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT"] }),
    ...atTradingStop((params) => {
      if (params["positionIdx"] !== 0) params["positionIdx"] = params["positionIdx"] === 1 ? 2 : 1;
    }),
  },
  {
    name: "a price is off the tick",
    breaks: ["S7"],
    story: busy,
    ...atTradingStop((params, run) => {
      const tick = run.venue.ticks(String(params["symbol"])).at(-1) ?? dec("1");
      if (params["stopLoss"] !== undefined)
        params["stopLoss"] = print(dec(String(params["stopLoss"])).plus(tick.times("0.3")));
    }),
  },
  {
    name: "a price is sent with an exponent",
    breaks: ["S2"],
    story: busy,
    ...atTradingStop((params) => {
      if (params["stopLoss"] !== undefined) params["stopLoss"] = Number(params["stopLoss"]).toExponential();
    }),
  },
  {
    name: "a stop is put on the profit side",
    breaks: ["S6", "S17"],
    story: busy,
    ...atTradingStop((params, run) => {
      const symbol = String(params["symbol"]);
      const mark = run.venue.marks(symbol, run.time.elapsedMs).at(-1)?.mark;
      const tick = run.venue.ticks(symbol).at(-1);
      if (params["stopLoss"] === undefined || mark === undefined || tick === undefined) return;
      const steps = mark
        .times(isLong(run, symbol, params["positionIdx"]) ? 1.02 : 0.98)
        .div(tick)
        .toDecimalPlaces(0);
      params["stopLoss"] = print(steps.times(tick));
    }),
  },
  {
    name: "a write in doubt is sent again at once",
    breaks: ["S9"],
    story: doubtful,
    ...aroundWriter((writer) => ({
      setTradingStop: (request, urgency) =>
        writer.setTradingStop(request, urgency).catch(() => writer.setTradingStop(request, urgency)),
    })),
  },
  {
    name: "each write is sent twice",
    breaks: ["S9"],
    story: busy,
    ...aroundWriter((writer) => ({
      setTradingStop: async (request, urgency) => {
        await writer.setTradingStop(request, urgency);
        return writer.setTradingStop(request, urgency);
      },
    })),
  },
  {
    name: "the write budget is passed by",
    breaks: ["S14", "S9"],
    story: busy,
    ...atTheLine((outgoing, carry) => {
      if (outgoing.path === TRADING_STOP)
        for (let copy = 0; copy < 9; copy += 1) carry(outgoing).catch(() => undefined);
      return carry(outgoing);
    }),
  },
  {
    name: "a close is not reduce-only",
    breaks: ["S12"],
    story: closing,
    ...atTheLine((outgoing, carry) =>
      carry(outgoing.path === CREATE ? { ...outgoing, params: { ...outgoing.params, reduceOnly: false } } : outgoing),
    ),
  },
  {
    name: "a close is for three times the position",
    breaks: ["S12"],
    story: closing,
    ...aroundWriter((writer) => ({
      closePosition: (request, urgency) =>
        writer.closePosition({ ...request, quantity: request.quantity.times(3) }, urgency),
    })),
  },
  {
    name: "a position without a stop is closed, although nobody has configured that",
    breaks: ["S12"],
    story: (story) => ({
      ...busy(story),
      protection: { ...story.protection, ...busy(story).protection, pastTakeProfit: "skip" },
    }),
    ...aroundWriter((writer) => ({
      setTradingStop: ({ key, side }, urgency) =>
        writer.closePosition({ key, side, quantity: dec("1"), orderLinkId: "planted" }, urgency),
    })),
  },
  {
    name: "writes are taken for acknowledged and never sent",
    breaks: ["L1"],
    story: busy,
    ...aroundWriter((_writer, run) => ({
      setTradingStop: () => {
        const atMs = run.time.exchangeNowMs();
        return Promise.resolve({ sentAtMs: atMs, acknowledgedAtMs: atMs });
      },
    })),
  },
  {
    name: "every write fails before it is sent",
    breaks: ["L1"],
    story: busy,
    ...aroundWriter(() => ({
      setTradingStop: () =>
        Promise.reject(
          new ExchangeFailure({ kind: "not-happened", cause: "network", endpoint: `POST ${TRADING_STOP}` }),
        ),
    })),
  },
  {
    name: "a bug in the writer is thrown into the pass",
    breaks: ["F46"],
    story: busy,
    ...aroundWriter(() => ({ setTradingStop: () => Promise.reject(new TypeError("planted")) })),
  },
  {
    name: "nobody is asked once more before a write leaves",
    breaks: ["S22", "S1", "S5", "S15", "S6", "S8", "S9"],
    story: (story) => ({
      ...busy(story),
      latencyMs: 150,
      symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"],
      botEverySeconds: 8,
      personEverySeconds: 10,
      faults: { suspend: 300, stall: 60, handInWrite: 0.3, networkDown: 300, writeRateLimit: 0.6 },
    }),
    ...aroundWriter((writer) => ({
      setTradingStop: (request, urgency) => writer.setTradingStop(request, { ...urgency, veto: () => null }),
    })),
  },
];
