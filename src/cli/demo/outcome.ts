/** What the simulated exchange's own execution list says became of the demo's positions. */
import { type ExecutionV5, RestClientV5 } from "bybit-api";
import { type Decimal, dec, parseDecimal } from "../../domain/decimal.js";
import type { LegResult } from "./figures.js";
import { type Trade, TRADES } from "./trades.js";

export interface Credentials {
  readonly baseUrl: string;
  readonly key: string;
  readonly secret: string;
}

/** A closing execution; the SDK's type lacks the profit that the exchange states. */
type Closing = ExecutionV5 & { readonly execPnl?: string };

/** One result per leg that the bot opened, at what it closed for or is worth now. */
export async function legResults(credentials: Credentials): Promise<readonly LegResult[]> {
  const exchange = new RestClientV5(credentials, { timeout: 5_000 });
  const categories = ["linear", "inverse"] as const;
  const lists = await Promise.all(categories.map((category) => exchange.getExecutionList({ category, limit: 100 })));
  const closings: readonly Closing[] = lists
    .flatMap(({ result }) => result.list)
    .filter((row) => row.closedSize !== "");
  return Promise.all(
    TRADES.map(async (trade) => {
      const closing = closings.find((row) => row.symbol === trade.symbol && row.side !== trade.side);
      const side = trade.side === "Buy" ? "long" : "short";
      const result = closing === undefined ? await stillOpen(exchange, trade) : closed(closing, trade);
      return { symbol: trade.symbol, side, ...result };
    }),
  );
}

function closed(closing: Closing, { category }: Trade): Pick<LegResult, "profit" | "ending"> {
  const price = closing.execPrice;
  const isLiquidation = closing.execType === "BustTrade";
  const how = closing.stopOrderType === "TakeProfit" ? "take-profit" : "stop-loss";
  return {
    profit: inDollars(amount(closing.execPnl), category, price),
    ending: `${isLiquidation ? "liquidated" : how} at ${price}`,
  };
}

async function stillOpen(exchange: RestClientV5, trade: Trade): Promise<Pick<LegResult, "profit" | "ending">> {
  const { result } = await exchange.getPositionInfo({ category: trade.category, symbol: trade.symbol });
  const row = result.list.find(({ side }) => side === trade.side);
  const profit = inDollars(amount(row?.unrealisedPnl), trade.category, row?.markPrice);
  return { profit, ending: `still open at ${row?.markPrice ?? "?"}` };
}

/** An inverse contract pays in its coin. */
function inDollars(profit: Decimal, category: Trade["category"], price: string | undefined): Decimal {
  return category === "inverse" ? profit.times(amount(price)) : profit;
}

function amount(text: string | undefined): Decimal {
  return parseDecimal(text ?? "0") ?? dec("0");
}
