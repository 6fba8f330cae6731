/** The Writer: sets Full-mode exits, of positions and of orders, and closes reduce-only; it has no way to remove a stop or to open anything. */
import { type Decimal, print } from "../../domain/decimal.js";
import type { PositionKey, Side } from "../../domain/position.js";
import { ExchangeFailure } from "../failure.js";
import type {
  Acknowledged,
  AttachRequest,
  CloseRequest,
  ExitLevel,
  TradingStopRequest,
  Urgency,
  Writer,
} from "../port.js";
import type { Client } from "./client.js";
import { passedTrigger } from "./failures.js";
import { namedOrder, tradingStopResult } from "./schemas.js";

const TRADING_STOP = "/v5/position/trading-stop";
const AMEND_ORDER = "/v5/order/amend";
const CREATE_ORDER = "/v5/order/create";
/** docs/v5/order/create-order */
const ORDER_LINK_ID = /^[A-Za-z0-9_-]{1,36}$/;

export function createWriter(account: string, client: Client): Writer {
  return {
    account,
    setTradingStop: async (request, urgency) => {
      const params = tradingStopParams(account, request);
      return await send(client, TRADING_STOP, params, urgency).catch((error: unknown) => {
        throw namedPast(error, request.side);
      });
    },
    attachExits: async (request, urgency) => {
      const params = attachParams(account, request);
      return send(client, AMEND_ORDER, params, urgency);
    },
    closePosition: async (request, urgency) => {
      const params = closeParams(account, request);
      return send(client, CREATE_ORDER, params, urgency);
    },
  };
}

/** Which exit the price has passed, its code tells only together with the side of the position. */
function namedPast(error: unknown, side: Side): unknown {
  const cause = error instanceof ExchangeFailure ? passedTrigger(error.facts.retCode, side) : null;
  return error instanceof ExchangeFailure && cause !== null ? new ExchangeFailure({ ...error.facts, cause }) : error;
}

/** A field that is left out is left alone by the exchange; "0" would remove and can not be said here. */
function tradingStopParams(account: string, request: TradingStopRequest): Record<string, string | number> {
  const { key, side, stopLoss, takeProfit } = request;
  assertAddressed(account, key, side, TRADING_STOP);
  assertThat(stopLoss !== undefined || takeProfit !== undefined, TRADING_STOP, "neither stop-loss nor take-profit");
  return {
    category: key.category,
    symbol: key.symbol,
    tpslMode: "Full",
    positionIdx: key.positionIdx,
    ...(stopLoss === undefined ? {} : stopParams(stopLoss, TRADING_STOP)),
    ...(takeProfit === undefined ? {} : takeProfitParams(takeProfit, TRADING_STOP)),
  };
}

/** An order that had no exits before takes none without mode and triggers (docs/v5/order/amend-order). */
function attachParams(account: string, request: AttachRequest): Record<string, string> {
  const { key, side, orderId, stopLoss, takeProfit } = request;
  assertAddressed(account, key, side, AMEND_ORDER);
  assertThat(orderId !== "", AMEND_ORDER, "the orderId is empty");
  return {
    category: key.category,
    symbol: key.symbol,
    orderId,
    tpslMode: "Full",
    ...stopParams(stopLoss, AMEND_ORDER),
    ...(takeProfit === undefined ? {} : takeProfitParams(takeProfit, AMEND_ORDER)),
  };
}

function stopParams({ price, triggerBy }: ExitLevel, path: string) {
  return { stopLoss: positiveText(price, path), slTriggerBy: triggerBy };
}

function takeProfitParams({ price, triggerBy }: ExitLevel, path: string) {
  return { takeProfit: positiveText(price, path), tpTriggerBy: triggerBy };
}

function closeParams(account: string, request: CloseRequest): Record<string, string | number | boolean> {
  const { key, side, quantity, orderLinkId } = request;
  assertAddressed(account, key, side, CREATE_ORDER);
  assertThat(ORDER_LINK_ID.test(orderLinkId), CREATE_ORDER, "orderLinkId must be 1 to 36 of A-Z a-z 0-9 - _");
  return {
    category: key.category,
    symbol: key.symbol,
    side: side === "long" ? "Sell" : "Buy",
    orderType: "Market",
    qty: positiveText(quantity, CREATE_ORDER),
    reduceOnly: true,
    positionIdx: key.positionIdx,
    orderLinkId,
  };
}

async function send(
  client: Client,
  path: string,
  params: Record<string, string | number | boolean>,
  { priority, veto }: Urgency,
): Promise<Acknowledged> {
  const schema = path === TRADING_STOP ? tradingStopResult : namedOrder;
  const answer = await client.write({ method: "POST", path, params, limitClass: "write", schema, priority, veto });
  return { sentAtMs: answer.sentAtMs, acknowledgedAtMs: answer.receivedAtMs };
}

function assertAddressed(account: string, key: PositionKey, side: Side, path: string): void {
  assertThat(key.account === account, path, `account ${key.account} is not ${account}`);
  assertThat(key.symbol !== "", path, "the symbol is empty");
  const fits = key.positionIdx === 0 || (key.positionIdx === 1) === (side === "long");
  assertThat(fits, path, `positionIdx ${key.positionIdx} is not the ${side} leg`);
}

function positiveText(value: Decimal, path: string): string {
  assertThat(value.isFinite() && value.gt(0), path, `${value.toString()} is not above zero`);
  return print(value);
}

function assertThat(holds: boolean, path: string, otherwise: string): void {
  if (!holds) throw new ExchangeFailure({ kind: "bug", cause: "other", endpoint: `POST ${path}`, retMsg: otherwise });
}
