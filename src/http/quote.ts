/** The exits for an entry order that a bot is about to send. */
import * as z from "zod";
import { legProblem, positivePrice } from "../intents/document.js";
import { askAgainSoon, type ErrorCode, sendError, sendJson } from "./answers.js";
import type { Desk } from "./desk.js";
import { accountName, category, failure, named, positionIdx, side, symbol } from "./operation.js";
import { unknownAccount } from "./place.js";
import { type Route, route } from "./route.js";

const request = named(
  "QuoteRequest",
  z.strictObject({
    account: accountName,
    category,
    symbol,
    side: side.describe("of the position that the order opens or grows"),
    price: positivePrice
      .exactOptional()
      .describe("the order's limit or trigger price; absent: a market order, measured from the mark"),
    positionIdx: positionIdx.exactOptional().describe("absent: 0"),
    reduceOnly: z.boolean().exactOptional().describe("true: an exit itself, for which there is nothing to add"),
  }),
);

const fields = named(
  "Quote",
  z
    .object({
      stopLoss: z.string().exactOptional(),
      takeProfit: z.string().exactOptional(),
      tpslMode: z.literal("Full").exactOptional(),
      slTriggerBy: z.string().exactOptional(),
      tpTriggerBy: z.string().exactOptional(),
    })
    .describe("fields for order/create as they are; an empty object for a reduce-only order"),
);

const NONE: Readonly<Record<404 | 422 | 503, ErrorCode>> = {
  404: "not-found",
  422: "unprocessable",
  503: "not-read-yet",
};

export function quoteRoutes(desk: Desk): readonly Route[] {
  const quote = route(
    {
      name: "quote",
      method: "POST",
      path: "/v1/quote",
      summary: "The exits to send with an entry order",
      detail: "Never looser than the stop that stands, which an attached Full stop would replace.",
      body: request,
      answers: {
        200: { what: "to be merged into the body of order/create", form: fields },
        404: failure("no such account or contract"),
        422: failure("the request makes no sense, or no level can be quoted"),
        503: failure("what is needed has not been read yet; ask again"),
      },
    },
    async (ask, { body: { reduceOnly = false, ...wish } }) => {
      const stranger = unknownAccount(ask, desk, [wish.account]);
      if (stranger !== null) return stranger;
      const problem = legProblem({ positionIdx: 0, ...wish });
      if (problem !== null) return sendError(ask, 422, "unprocessable", problem);
      if (reduceOnly) return sendJson(ask, 200, {});
      const answer = await desk.quote(wish, ask.req.raw.signal);
      if (answer.kind === "quoted") return sendJson(ask, 200, answer.fields);
      if (answer.httpStatus === 503) askAgainSoon(ask);
      return sendError(ask, answer.httpStatus, NONE[answer.httpStatus], answer.message);
    },
  );
  return [quote];
}
