/** Questions about the exits of one position that stays as it is. */
import { dec, print } from "../../domain/decimal.js";
import { Unsettled } from "./bench.js";
import { byCode, type Experiment, existing, farTakeProfit, fullStop, stoppedLong, understood } from "./experiment.js";
import { decimalIn, textIn } from "./wire.js";

export const ABOUT_STOPS: readonly Experiment[] = [
  {
    name: "rights",
    question: "Which rights of a key are enough to set a stop?",
    expected: "accepted",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      const stopLoss = print(await bench.level("-3"));
      const reply = await bench.exits({ stopLoss, slTriggerBy: "MarkPrice" });
      const has = Object.entries(bench.rights).filter(([, rights]) => rights.length > 0);
      const detail = `key: ${has.map(([group, rights]) => `${group} ${rights.join("+")}`).join(", ")}`;
      const isExpected = bench.rights["ContractTrade"]?.includes("Position") ?? false;
      const answer = reply.accepted ? "accepted" : `refused with ${reply.retCode}`;
      return { answer, detail, expected: isExpected ? "accepted" : "refused with 10005" };
    },
  },
  {
    name: "stop-visible",
    question: "When does a read show a stop that was acknowledged?",
    expected: "within 3 s",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      await bench.setExits({ stopLoss: print(await bench.level("-3")), slTriggerBy: "MarkPrice" });
      const sinceMs = bench.monotonicMs();
      existing(
        await bench.awaited(
          () => fullStop(bench),
          (row) => row !== null,
        ),
      );
      const tookMs = Math.round(bench.monotonicMs() - sinceMs);
      return { answer: tookMs <= 3_000 ? "within 3 s" : "later than 3 s", detail: `${tookMs} ms after the answer` };
    },
  },
  {
    name: "same-stop-again",
    question: "What is answered when a stop is set to where it stands?",
    expected: "refused as not-modified",
    run: async (bench) => {
      const row = await stoppedLong(bench, 1);
      return understood(await bench.exits({ stopLoss: textIn(row, "triggerPrice"), slTriggerBy: "MarkPrice" }));
    },
  },
  {
    name: "default-trigger",
    question: "What triggers a stop that names no trigger?",
    expected: "LastPrice",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      await bench.setExits({ stopLoss: print(await bench.level("-3")) });
      const row = existing(
        await bench.awaited(
          () => fullStop(bench),
          (found) => found !== null,
        ),
      );
      return { answer: textIn(row, "triggerBy"), detail: "" };
    },
  },
  {
    name: "off-tick",
    question: "Is a price between two ticks refused, cut or rounded?",
    expected: "cut",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      const { tickSize } = bench.contract;
      const below = await bench.level("-3");
      const asked = below.plus(tickSize.times("0.7"));
      const reply = await bench.exits({ stopLoss: print(asked), slTriggerBy: "MarkPrice" });
      if (!reply.accepted) return byCode(reply);
      const row = existing(
        await bench.awaited(
          () => fullStop(bench),
          (found) => found !== null,
        ),
      );
      const stands = decimalIn(row, "triggerPrice");
      const answers = [
        [below, "cut"],
        [below.plus(tickSize), "rounded up"],
        [asked, "kept"],
      ] as const;
      const answer = answers.find(([price]) => stands?.eq(price))?.[1] ?? "something else";
      return { answer, detail: `${print(asked)} became ${stands === null ? "none" : print(stands)}` };
    },
  },
  {
    name: "wrong-side",
    question: "How is a stop refused that the price has passed?",
    expected: "refused as stop-loss-past",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      return understood(await bench.exits({ stopLoss: print(await bench.level("3")), slTriggerBy: "MarkPrice" }));
    },
  },
  {
    name: "beyond-liquidation",
    question: "Is a stop beyond the liquidation price accepted?",
    expected: "accepted",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      const liquidation = decimalIn(await bench.position(), "liqPrice");
      if (liquidation === null) {
        throw new Unsettled("no liquidation price is stated: set the test account to isolated margin and ask again");
      }
      const beyond = liquidation.div(bench.contract.tickSize).floor().minus(2).times(bench.contract.tickSize);
      if (beyond.lte(0)) throw new Unsettled("nothing lies beyond the liquidation price");
      const reply = await bench.exits({ stopLoss: print(beyond), slTriggerBy: "MarkPrice" });
      const { answer, detail } = understood(reply);
      return { answer, detail: `stop ${print(beyond)}, liquidation ${print(liquidation)} ${detail}`.trim() };
    },
  },
  {
    name: "trailing-distance",
    question: "How near and how far may a trailing stop follow?",
    expected: "half the price accepted, one tick accepted",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      // The far one first: the near one may close the position at the next trade.
      const far = byCode(await bench.exits({ trailingStop: print(await bench.level("-50")) }));
      const near = byCode(await bench.exits({ trailingStop: print(bench.contract.tickSize) }));
      const detail = [far.detail, near.detail].filter((words) => words !== "").join("; ");
      return { answer: `half the price ${far.answer}, one tick ${near.answer}`, detail };
    },
  },
  {
    name: "amended-pair",
    question: "Are stop and take-profit still a pair after one was amended?",
    expected: "still a pair",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      const takeProfit = await farTakeProfit(bench);
      await bench.setExits({ stopLoss: print(await bench.level("-3")), slTriggerBy: "MarkPrice", takeProfit });
      const stop = existing(
        await bench.awaited(
          () => fullStop(bench),
          (row) => row !== null,
        ),
      );
      const orderId = textIn(stop, "orderId");
      const amended = await bench.amend({ orderId, triggerPrice: print(await bench.level("-4")) });
      if (!amended.accepted) throw new Unsettled(`the stop's order could not be amended: ${amended.words}`);
      await bench.calm();
      const cancelled = await bench.cancel({ orderId });
      if (!cancelled.accepted) throw new Unsettled(`the stop's order could not be cancelled: ${cancelled.words}`);
      await bench.calm();
      const left = (await bench.exitOrders()).map((row) => textIn(row, "stopOrderType"));
      const answer = left.length === 0 ? "still a pair" : "no pair any more";
      return { answer, detail: `the stop was cancelled; left: ${left.join(", ") || "nothing"}` };
    },
  },
  {
    name: "omitted-take-profit",
    question: "Is a take-profit left alone by a request that names only a stop?",
    expected: "left alone",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      await bench.setExits({ takeProfit: await farTakeProfit(bench) });
      await bench.setExits({ stopLoss: print(await bench.level("-3")), slTriggerBy: "MarkPrice" });
      await bench.calm();
      const row = await bench.position();
      const isLeft = (decimalIn(row, "takeProfit") ?? dec("0")).gt(0);
      return { answer: isLeft ? "left alone" : "removed", detail: "" };
    },
  },
];
