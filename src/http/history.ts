/** The journal, page by page. */
import * as z from "zod";
import type { Entry } from "../ledger/port.js";
import { sendJson } from "./answers.js";
import type { Desk } from "./desk.js";
import { failure, named } from "./operation.js";
import { type Route, route } from "./route.js";

const DEFAULT_LIMIT = 100;
const MOST_ENTRIES = 1000;

const LIMIT = `must be a whole number, 1 to ${MOST_ENTRIES}`;
const BEFORE = "must be the id of an entry, a whole number above 0";
const word = (allowed: string) => z.string({ error: allowed }).min(1, { error: allowed });

const query = z.strictObject({
  account: word("must be the name of one account").exactOptional().describe("also one that is no longer in the config"),
  symbol: word("must be one symbol, such as BTCUSDT").exactOptional(),
  kind: z
    .array(word("must be a kind such as step-judged"), { error: "must be a kind such as step-judged" })
    .exactOptional()
    .describe("such as step-judged; may be given more than once"),
  limit: z.int({ error: LIMIT }).min(1, { error: LIMIT }).max(MOST_ENTRIES, { error: LIMIT }).default(DEFAULT_LIMIT),
  before: z
    .int({ error: BEFORE })
    .min(1, { error: BEFORE })
    .exactOptional()
    .describe("only entries older than the one with this id"),
});

const entryForm = named(
  "Entry",
  z.object({
    id: z.int().describe("later entries have higher ones"),
    at: z.iso.datetime(),
    kind: z.string(),
    account: z.string().nullable(),
    category: z.string().nullable(),
    symbol: z.string().nullable(),
    positionIdx: z.int().nullable(),
    side: z.string().nullable(),
    lifeId: z
      .string()
      .nullable()
      .describe(
        "the same for all entries of one life of one position; null: of none, or written before that was known",
      ),
    body: z.unknown().describe("as it was written; depends on kind"),
  }),
);

const page = named(
  "HistoryPage",
  z.object({
    entries: z.array(entryForm).describe("newest first"),
    next: z.int().nullable().describe("ask with before=NEXT for the page after this one; null: this is the last"),
  }),
);

export function historyRoutes(desk: Desk): readonly Route[] {
  const history = route(
    {
      name: "getHistory",
      method: "GET",
      path: "/v1/history",
      summary: "What was seen, intended, done and verified",
      query,
      answers: {
        200: { what: "one page", form: page },
        400: failure("a parameter does not fit"),
        503: failure("the ledger cannot be read"),
      },
    },
    async (ask, { query: { kind, before, limit, ...rest } }) => {
      const filter = { ...rest, limit, ...(kind && { kinds: kind }), ...(before && { beforeId: before }) };
      const entries = await desk.history(filter);
      const next = entries.length < limit ? null : (entries.at(-1)?.id ?? null);
      return sendJson(ask, 200, { entries: entries.map(told), next });
    },
  );
  return [history];
}

function told({ atMs, ...entry }: Entry): z.output<typeof entryForm> {
  return { ...entry, at: new Date(atMs).toISOString() };
}
