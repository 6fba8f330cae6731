/** An intent as bots and people write it: one JSON object, checked in form before anybody looks at the market. */
import { z } from "zod";
import type { Category, PositionIdx, Side } from "../domain/position.js";

const DEFAULT_TTL_SECONDS = 600;
/** A month: who plans farther ahead sets it anew. */
const MOST_TTL_SECONDS = 2_678_400;
const TTL = `must be a whole number of seconds, 1 to ${MOST_TTL_SECONDS} (31 days)`;
const UNTIL = "must be a time with its zone as in ISO 8601, such as 2026-01-31T12:00:00Z";
const ORDER_LINK_ID = "must be 1 to 36 of A-Z a-z 0-9 - _";
const WHO = "must be 1 to 64 letters, digits, spaces or ._@-";
const REASON = "must be one line of plain text, 1 to 500 characters";

const PRICE = 'must be a positive decimal in plain notation, such as "49000.5"';

/** Plain notation, above zero. */
export const positivePrice = z
  .string({ error: PRICE })
  .max(40, PRICE)
  .regex(/^(?=.*[1-9])\d+(\.\d+)?$/, PRICE);

const SYMBOL = "must be a contract as the exchange spells it, such as BTCUSDT";
/** Also in scripts without capitals; without `\p`, which not every reader of a JSON Schema knows. */
export const contractSymbol = z.string({ error: SYMBOL }).regex(/^[A-Z0-9\u00a1-\uffff-]{1,64}$/, SYMBOL);

/** The rules between keys, as they are told to who writes keys. */
export const INTENT_RULES = {
  level: "must name stopLoss, takeProfit or both",
  waiver: 'stopLoss "none" needs reason and until',
  end: 'until belongs to stopLoss "none"; a level stays wanted until its position closes',
} as const;

export const intentDocument = z
  .strictObject({
    side: z
      .enum(["long", "short"], { error: "must be long or short" })
      .describe("the side of the position that is meant"),
    stopLoss: z
      .union([positivePrice, z.literal("none")], { error: `${PRICE}, or "none"` })
      .optional()
      .describe('the wanted stop; "none" is a waiver and needs reason and until; absent: config decides'),
    takeProfit: positivePrice.optional().describe("the wanted take-profit; absent: config decides"),
    ttlSeconds: z
      .int({ error: TTL })
      .min(1, { error: TTL })
      .max(MOST_TTL_SECONDS, { error: TTL })
      .default(DEFAULT_TTL_SECONDS)
      .describe("how long it waits for a position of that side to open"),
    orderLinkId: z
      .string({ error: ORDER_LINK_ID })
      .regex(/^[A-Za-z0-9_-]{1,36}$/, ORDER_LINK_ID)
      .optional()
      .describe("taken up by the position that this order opens, and by no other"),
    allowLoosen: z
      .boolean({ error: "must be true or false" })
      .default(false)
      .describe("true: the stop that stands may be moved away from the mark to stopLoss, once"),
    reason: z
      .string({ error: REASON })
      .min(1, { error: REASON })
      .max(500, { error: REASON })
      .refine((text) => !/\p{C}/u.test(text), REASON)
      .optional()
      .describe("why there is to be no stop"),
    until: z.iso.datetime({ offset: true, error: UNTIL }).optional().describe("when the waiver ends"),
    who: z
      .string({ error: WHO })
      .regex(/^[\w .@-]{1,64}$/, WHO)
      .optional()
      .describe("who asks, for the history"),
  })
  .refine((intent) => intent.stopLoss !== undefined || intent.takeProfit !== undefined, {
    message: INTENT_RULES.level,
  })
  .refine((intent) => intent.stopLoss !== "none" || (intent.reason !== undefined && intent.until !== undefined), {
    message: INTENT_RULES.waiver,
  })
  // Who names an end for a level, and for its loosening, would be misled: neither ends before the position does.
  .refine((intent) => intent.stopLoss === "none" || intent.until === undefined, {
    message: INTENT_RULES.end,
  })
  // The same once more for readers of the JSON Schema, which refinements do not reach.
  .meta({ anyOf: [{ required: ["stopLoss"] }, { required: ["takeProfit"] }] });

export type IntentDocument = z.infer<typeof intentDocument>;

/** The position that an intent is for, as a path or a command names it. */
export interface IntentPlace {
  readonly account: string;
  readonly category: Category;
  readonly symbol: string;
  readonly positionIdx: PositionIdx;
}

/** Why there can be no position of that side in that place; null: there can. */
export function legProblem({ positionIdx, side }: { positionIdx: PositionIdx; side: Side }): string | null {
  const leg = ([null, "long", "short"] as const)[positionIdx];
  if (leg === null || leg === side) return null;
  return `side: positionIdx ${positionIdx} is the ${leg} leg of hedge mode, and side says ${side}`;
}

/** An intent as it is told: what was asked for, and what has become of it. */
export interface IntentView extends IntentPlace {
  readonly id: string;
  readonly side: Side;
  /** Decimal string, "none", or null: config decides. */
  readonly stopLoss: string | null;
  readonly takeProfit: string | null;
  readonly waiver: { readonly reason: string; readonly until: string } | null;
  readonly orderLinkId: string | null;
  readonly ttlSeconds: number;
  readonly allowLoosen: boolean;
  readonly state: "pending" | "bound" | "ended" | "expired";
  readonly createdAt: string;
  /** When it is given up if no such position has opened; null: it does not wait any more. */
  readonly expiresAt: string | null;
  readonly endedHow: string | null;
  readonly who: string;
}

export type IntentAnswer =
  | {
      /** `applied`: a read has shown it at the exchange; `pending`: it waits for the position, or for that read. */
      readonly status: "applied" | "pending";
      readonly intent: IntentView;
      readonly message: string;
    }
  | {
      readonly status: "refused";
      /**
       * 404: there is no such contract. 409: it would loosen the stop that stands. 422: it makes no sense, or the price has
       * passed it. 503: nobody can look at the account just now, or too many wait to be looked at.
       */
      readonly httpStatus: 404 | 409 | 422 | 503;
      readonly code: "not-found" | "would-loosen" | "unprocessable" | "not-read-yet";
      /** Says both prices where two are compared. */
      readonly message: string;
      /** Decimal strings. */
      readonly standing?: string;
      readonly wanted?: string;
    };
