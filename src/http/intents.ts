/** What a bot or a person wants for one position: set, looked at, taken back. */
import * as z from "zod";
import { type IntentAnswer, type IntentView, intentDocument, legProblem } from "../intents/document.js";
import { type Ask, askAgainSoon, type ErrorCode, sendError, sendJson } from "./answers.js";
import type { Desk } from "./desk.js";
import { accountName, category, errorForm, failure, named, positionIdx, side, symbol } from "./operation.js";
import { unknownAccount } from "./place.js";
import { type Route, route } from "./route.js";

const PATH = "/v1/intents/{account}/{category}/{symbol}/{positionIdx}";
const place = z.object({ account: accountName, category, symbol, positionIdx });
const wanted = named("IntentDocument", intentDocument);

const view = named(
  "Intent",
  z.object({
    account: z.string(),
    category,
    symbol: z.string(),
    positionIdx,
    id: z.string(),
    side,
    stopLoss: z.string().nullable().describe('a decimal, "none", or null: config decides'),
    takeProfit: z.string().nullable(),
    waiver: z.object({ reason: z.string(), until: z.string() }).nullable(),
    orderLinkId: z.string().nullable(),
    ttlSeconds: z.number(),
    allowLoosen: z.boolean(),
    state: z.enum(["pending", "bound", "ended", "expired"]),
    createdAt: z.string(),
    expiresAt: z.string().nullable().describe("null: it does not wait any more"),
    endedHow: z.string().nullable(),
    who: z.string(),
  }) satisfies z.ZodType<IntentView>,
);

const taken = named(
  "IntentAnswer",
  z.object({
    status: z
      .enum(["applied", "pending"])
      .describe("applied: a read has shown it at the exchange; pending: it waits for the position, or for that read"),
    intent: view,
    message: z.string(),
  }),
);

const refusal = named(
  "IntentRefusal",
  z.object({
    status: z.literal("refused"),
    error: z.object({
      code: z.string(),
      message: z.string(),
      standing: z.string().exactOptional().describe("the stop that stands"),
      wanted: z.string().exactOptional().describe("the stop that was asked for"),
    }),
  }),
);

const cleared = named("Cleared", z.object({ cleared: z.literal(true) }));

type Refused = Extract<IntentAnswer, { status: "refused" }>;

export function intentRoutes(desk: Desk): readonly Route[] {
  return [setRoute(desk), getRoute(desk), clearRoute(desk)];
}

function setRoute(desk: Desk): Route {
  return route(
    {
      name: "setIntent",
      method: "PUT",
      path: PATH,
      summary: "Sets the levels wanted for one life of one position",
      place,
      body: wanted,
      answers: {
        200: { what: "taken, in place of the one before", form: taken },
        404: failure("no such account or contract, or the path names no position that there can be"),
        409: { what: "it would loosen the stop that stands", form: refusal },
        422: { what: "it makes no sense, or the mark is past a level", form: refusal },
        503: {
          what: "it has not been taken: nobody can look at the account just now, or the ledger takes nothing; ask again",
          form: z.union([refusal, errorForm]),
        },
      },
    },
    async (ask, input) => {
      const stranger = unknownAccount(ask, desk, [input.place.account]);
      if (stranger !== null) return stranger;
      const problem = legProblem({ ...input.place, ...input.body });
      if (problem !== null) return refuseForm(ask, problem);
      const answer = await desk.setIntent(input.place, input.body, ask.req.raw.signal);
      if (answer.status !== "refused") return sendJson(ask, 200, answer);
      if (answer.httpStatus === 404) return sendError(ask, 404, answer.code, answer.message);
      if (answer.httpStatus === 503) askAgainSoon(ask);
      return refuse(ask, answer);
    },
    refuseForm,
  );
}

function getRoute(desk: Desk): Route {
  return route(
    {
      name: "getIntent",
      method: "GET",
      path: PATH,
      summary: "The intent that waits for the position or belongs to it",
      place,
      answers: { 200: { what: "as it is now", form: view }, 404: failure("there is none, or no such account") },
    },
    async (ask, input) => {
      const stranger = unknownAccount(ask, desk, [input.place.account]);
      if (stranger !== null) return stranger;
      const found = await desk.intent(input.place);
      return found === null ? noIntent(ask) : sendJson(ask, 200, found);
    },
  );
}

function clearRoute(desk: Desk): Route {
  return route(
    {
      name: "clearIntent",
      method: "DELETE",
      path: PATH,
      summary: "Takes the intent back; what rests at the exchange stays there",
      place,
      answers: { 200: { what: "from now on config decides", form: cleared }, 404: failure("there was none") },
    },
    async (ask, input) => {
      const stranger = unknownAccount(ask, desk, [input.place.account]);
      if (stranger !== null) return stranger;
      return (await desk.clearIntent(input.place)) ? sendJson(ask, 200, { cleared: true }) : noIntent(ask);
    },
  );
}

function noIntent(ask: Ask): Response {
  return sendError(ask, 404, "not-found", "no intent is pending or bound there");
}

function refuseForm(ask: Ask, message: string): Response {
  return refuse(ask, { status: "refused", httpStatus: 422, code: "unprocessable", message });
}

function refuse(ask: Ask, { status, httpStatus, ...error }: Refused & { readonly code: ErrorCode }): Response {
  return sendJson(ask, httpStatus, { status, error });
}
