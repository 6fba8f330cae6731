/** Pausing and resuming writes, as the commands do it. */
import * as z from "zod";
import * as words from "../ledger/pause-words.js";
import { type Pause, pauseText } from "../ledger/pauses.js";
import type { PauseScope } from "../ledger/pausing.js";
import { sendError, sendJson } from "./answers.js";
import type { Desk } from "./desk.js";
import { accountName, failure, named } from "./operation.js";
import { unknownAccount } from "./place.js";
import { type Route, route } from "./route.js";
import type { Timing } from "./timing.js";

const MOST_NAMES = 200;

const SYMBOL = `must be ${words.ALLOWED.symbol}`;
const oneSymbol = z.string({ error: SYMBOL }).refine(words.isSymbolOrGlob, SYMBOL);

function names(one: z.ZodString, what: string) {
  const allowed = `must be a list of 1 to ${MOST_NAMES} ${what}`;
  return z.array(one, { error: allowed }).min(1, { error: allowed }).max(MOST_NAMES, { error: allowed });
}

const scope = {
  // An empty list, which a program may make by mistake, must not mean all.
  accounts: names(accountName, "accounts").exactOptional().describe("absent: all"),
  symbols: names(oneSymbol, "symbols").exactOptional().describe(`each ${words.ALLOWED.symbol}; absent: all`),
};

const pauseWish = named(
  "PauseRequest",
  z
    .strictObject({
      ...scope,
      for: z
        .string({ error: `must be ${words.ALLOWED.duration}` })
        .regex(words.DURATION_FORM, `must be ${words.ALLOWED.duration}`)
        .transform(orIssue(words.durationMs, words.ALLOWED.duration))
        .exactOptional()
        .describe(`${words.ALLOWED.duration}; absent: until resumed`),
      reason: z
        .string({ error: `must be ${words.ALLOWED.reason}` })
        .min(1, `must be ${words.ALLOWED.reason}`)
        .max(words.LONGEST_REASON, `must be ${words.ALLOWED.reason}`)
        .transform(orIssue(words.reasonText, words.ALLOWED.reason))
        .exactOptional()
        .describe("shown beside every step that is held"),
    })
    .prefault({}),
);

const resumeScope = named("ResumeRequest", z.strictObject(scope).prefault({}));

const pauseForm = named(
  "Pause",
  z.object({
    account: z.string().nullable().describe("null: all"),
    symbol: z.string().nullable().describe("a symbol or a glob; null: all"),
    until: z.string().nullable().describe("null: until resumed"),
    since: z.string(),
    reason: z.string().nullable(),
  }),
);

const inForceForm = z.array(pauseForm).describe("everything that is paused now");
const pausedForm = named("Paused", z.object({ added: z.array(pauseForm), inForce: inForceForm }));
const resumedForm = named(
  "Resumed",
  z.object({
    removed: z.array(pauseForm),
    stillHolding: z.array(pauseForm).describe("reach farther than what was to be resumed, and were left"),
    inForce: inForceForm,
    damage: z.string().nullable().describe("what was wrong with the file, which was begun anew; null: nothing"),
  }),
);

export function pauseRoutes(desk: Desk, timing: Timing): readonly Route[] {
  return [pauseRoute(desk, timing), resumeRoute(desk)];
}

function pauseRoute(desk: Desk, timing: Timing): Route {
  return route(
    {
      name: "pause",
      method: "POST",
      path: "/v1/pause",
      summary: "No writes for a while, here or everywhere; audits and alerts go on",
      body: pauseWish,
      answers: {
        200: { what: "what was added, and all that is paused now", form: pausedForm },
        404: failure("no such account"),
        422: failure("a field does not fit"),
        500: failure("the file of the pauses is damaged or cannot be written"),
      },
    },
    async (ask, { body }) => {
      const wish = scopeOf(body);
      const stranger = unknownAccount(ask, desk, wish.accounts);
      if (stranger !== null) return stranger;
      const untilMs = body.for === undefined ? null : timing.now() + body.for;
      const { added, inForce } = await desk.pause({ ...wish, untilMs, reason: body.reason ?? null });
      return sendJson(ask, 200, { added: added.map(told), inForce: inForce.map(told) });
    },
  );
}

function resumeRoute(desk: Desk): Route {
  return route(
    {
      name: "resume",
      method: "POST",
      path: "/v1/resume",
      summary: "Ends the pauses that lie within what is named",
      body: resumeScope,
      answers: {
        200: { what: "what was removed, and all that is paused now", form: resumedForm },
        404: failure("no such account"),
        409: failure("nothing was resumed, because a pause that reaches farther holds it"),
        422: failure("a field does not fit"),
        500: failure("the file of the pauses is damaged or cannot be written"),
      },
    },
    async (ask, { body }) => {
      const wish = scopeOf(body);
      const stranger = unknownAccount(ask, desk, wish.accounts);
      if (stranger !== null) return stranger;
      const { removed, stillHolding, inForce, damage } = await desk.resume(wish);
      if (removed.length === 0 && stillHolding.length > 0) {
        const wider = stillHolding.map(pauseText).join("; ");
        const message = `nothing was resumed, because a pause that reaches farther holds it: ${wider}`;
        return sendError(ask, 409, "held-by-wider-pause", message);
      }
      const all = { removed: removed.map(told), stillHolding: stillHolding.map(told), inForce: inForce.map(told) };
      return sendJson(ask, 200, { ...all, damage });
    },
  );
}

function scopeOf({ accounts = [], symbols = [] }: Partial<PauseScope>): PauseScope {
  return { accounts, symbols };
}

function told({ account, symbol, untilMs, sinceMs, reason }: Pause): z.output<typeof pauseForm> {
  const until = untilMs === null ? null : new Date(untilMs).toISOString();
  return { account, symbol, until, since: new Date(sinceMs).toISOString(), reason };
}

function orIssue<T>(read: (text: string) => T | null, allowed: string) {
  return (text: string, context: z.RefinementCtx): T => {
    const value = read(text);
    if (value !== null) return value;
    context.addIssue(`must be ${allowed}`);
    return z.NEVER;
  };
}
