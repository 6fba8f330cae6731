/** Questions about orders and requests, most of which need no position. */
import { print } from "../../domain/decimal.js";
import { type Bench, mustBe } from "./bench.js";
import { byCode, type Experiment, farTakeProfit, understood } from "./experiment.js";
import { decimalIn, type Reply, textIn } from "./wire.js";

/** docs/v5/order/create-order: so many conditional orders per contract. */
const CONDITIONAL_CAP = 10;

export const ABOUT_ORDERS: readonly Experiment[] = [
  {
    name: "no-symbol",
    question: "How are all linear positions refused that name neither symbol nor settle coin?",
    expected: "refused with 10001",
    run: async ({ wire }) => byCode(await wire.get("/v5/position/list", { category: "linear" })),
  },
  {
    name: "stop-on-nothing",
    question: "How is a stop refused where there is no position?",
    expected: "refused as zero-position",
    run: async (bench) =>
      understood(await bench.exits({ stopLoss: print(await bench.level("-3")), slTriggerBy: "MarkPrice" })),
  },
  {
    name: "attach-to-resting",
    question: "Does a resting order show exits that were attached by an amendment, and how are the same refused?",
    expected: "shown; again: refused as not-modified",
    run: async (bench) => {
      const price = await bench.level("-5");
      const placed = await bench.order({
        side: "Buy",
        orderType: "Limit",
        price: print(price),
        qty: print(bench.contract.unit),
        timeInForce: "PostOnly",
      });
      const orderId = textIn(mustBe(placed), "orderId");
      const exits = { orderId, tpslMode: "Full", stopLoss: print(await bench.level("-10")), slTriggerBy: "MarkPrice" };
      mustBe(await bench.amend(exits));
      const shows = (rows: Awaited<ReturnType<Bench["openOrders"]>>) =>
        rows.some((row) => textIn(row, "orderId") === orderId && decimalIn(row, "stopLoss") !== null);
      const isShown = shows(await bench.awaited(() => bench.openOrders(), shows));
      const again = understood(await bench.amend(exits));
      return { answer: `${isShown ? "shown" : "not shown"}; again: ${again.answer}`, detail: again.detail };
    },
  },
  {
    name: "conditional-cap",
    question: "Do stop and take-profit of a position count among its ten conditional orders?",
    expected: "no: 10 beside them",
    run: async (bench) => {
      await bench.trade("Buy", 1);
      const takeProfit = await farTakeProfit(bench);
      await bench.setExits({ stopLoss: print(await bench.level("-3")), slTriggerBy: "MarkPrice", takeProfit });
      const { placed, refusal } = await fillConditionals(bench);
      const answer =
        placed === CONDITIONAL_CAP
          ? `no: ${placed} beside them`
          : placed > CONDITIONAL_CAP
            ? `more than ${CONDITIONAL_CAP} beside them`
            : `yes, or fewer are allowed: ${placed} beside them`;
      return { answer, detail: refusal === null ? `${placed} accepted` : refusal };
    },
  },
];

interface Filled {
  readonly placed: number;
  readonly refusal: string | null;
}

/** One more than the documented number, each reduce-only and far below the price. */
async function fillConditionals(bench: Bench): Promise<Filled> {
  for (let placed = 0; placed <= CONDITIONAL_CAP; placed += 1) {
    const reply: Reply = await bench.order({
      side: "Sell",
      orderType: "Market",
      qty: print(bench.contract.unit),
      triggerPrice: print(await bench.level(`-${10 + placed}`)),
      triggerDirection: 2,
      triggerBy: "MarkPrice",
      reduceOnly: true,
    });
    if (!reply.accepted) return { placed, refusal: reply.words };
  }
  return { placed: CONDITIONAL_CAP + 1, refusal: null };
}
