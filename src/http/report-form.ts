/** The report's form for openapi.json: `bybit-backstop/report@1`, field by field. */
import * as z from "zod";
import type { Report } from "../report/report.js";
import { named } from "./operation.js";

const text = z.string();
const decimal = z.string().describe("a decimal number in plain notation");
const source = z.enum(["full", "partial", "conditional", "limit"]);
const side = z.enum(["long", "short"]);

const finding = named(
  "Finding",
  z.object({
    code: text.describe("documented with its cure in docs/findings.md"),
    severity: z.enum(["critical", "warning", "info"]),
    message: text,
  }),
);

const exit = named(
  "Exit",
  z.object({
    price: decimal.describe("where the last covered unit exits"),
    triggerBy: text.nullable(),
    coverage: decimal.describe('covered quantity divided by size, at most "1"'),
    source,
    origin: z.enum(["ours", "foreign", "unknown"]),
    distancePct: decimal.describe("from the entry, in percent; negative where the exit would lose"),
    lossQuote: decimal.describe(
      "what the whole size would lose at this price, before fees, in the settle coin; negative is a gain",
    ),
    covers: z.array(
      z.object({ source, price: decimal, quantity: decimal, triggerBy: text.nullable(), orderId: text.nullable() }),
    ),
  }),
);

const step = named(
  "Step",
  z.object({
    action: z.enum(["set-trading-stop", "amend-order", "close-position"]),
    stopLoss: decimal.exactOptional(),
    takeProfit: decimal.exactOptional(),
    lossQuote: decimal.exactOptional(),
    reason: text,
    outcome: z.enum(["planned", "confirmed", "refused", "uncertain", "skipped"]),
    detail: text.exactOptional(),
  }),
);

const STATUSES = [
  "protected",
  "unprotected",
  "underprotected",
  "misplaced",
  "unprotectable",
  "unknown",
  "ignored",
  "closed",
] as const;

const position = named(
  "Position",
  z.object({
    account: text,
    category: text,
    symbol: text.nullable(),
    positionIdx: z.int().nullable(),
    side: side.nullable(),
    size: decimal.nullable(),
    entryPrice: decimal.nullable(),
    markPrice: decimal.nullable(),
    liquidationPrice: decimal.nullable(),
    leverage: decimal.nullable(),
    marginMode: z.enum(["isolated", "cross", "portfolio"]).nullable(),
    notional: decimal.nullable(),
    status: z.enum(STATUSES).describe("of the stop-loss, at the time of the report"),
    nakedForMs: z.number().nullable(),
    rule: text.nullable(),
    intent: z
      .object({
        stopLoss: z.string().nullable(),
        takeProfit: z.string().nullable(),
        waiver: z.object({ reason: z.string(), until: z.string() }).nullable(),
        who: z.string(),
      })
      .nullable(),
    stopLoss: exit.nullable(),
    takeProfit: exit.nullable(),
    findings: z.array(finding),
    steps: z.array(step),
  }),
);

const account = z.object({
  name: text,
  complete: z.boolean(),
  readable: z.boolean().describe("false: nothing of this account could be judged"),
  gaps: z.array(z.object({ category: text, what: text, reason: text })),
  findings: z.array(finding),
  notCovered: z.array(text),
});

const count = z.int().min(0);
const counts = Object.fromEntries(STATUSES.map((status) => [status, count])) as Record<
  (typeof STATUSES)[number],
  z.ZodInt
>;

export const reportForm = named(
  "Report",
  z.object({
    schema: z.literal("bybit-backstop/report@1"),
    generatedAt: z.iso.datetime(),
    command: z.enum(["audit", "protect", "run"]),
    complete: z.boolean().describe("true: everything was seen"),
    accounts: z.array(account),
    summary: z.object({ positions: count, ...counts, steps: count, confirmed: count }),
    positions: z.array(position).describe("most dangerous first"),
  }) satisfies z.ZodType<Report>,
);
