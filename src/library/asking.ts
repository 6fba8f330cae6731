/** What programs ask for a position, held against the same forms as what comes in over HTTP. */
import { z } from "zod";
import type { QuoteAnswer as Quoted, QuoteRequest } from "../http/desk.js";
import {
  type IntentAnswer as Answered,
  type IntentDocument,
  intentDocument,
  type IntentPlace,
  legProblem,
  positivePrice,
  contractSymbol,
} from "../intents/document.js";
import { formProblems } from "../intents/form-problems.js";

/** The levels wanted for one life of one position; prices are decimal strings. What is left out config decides. */
export type Intent = z.input<typeof intentDocument>;

type Taken = Exclude<Answered, { readonly status: "refused" }>;
type Refused = Extract<Answered, { readonly status: "refused" }>;

export type RefusalCode = "not-found" | "unprocessable" | "would-loosen" | "not-read-yet";

/** `applied`: a read has shown it at the exchange; `pending`: it waits for its position, or for that read. */
export type IntentAnswer = Taken | (Omit<Refused, "httpStatus" | "code"> & { readonly code: RefusalCode });

export type QuoteFields = Extract<Quoted, { readonly kind: "quoted" }>["fields"];

export type QuoteAnswer =
  /** To be merged into the body of `order/create` as they are. */
  | { readonly kind: "quoted"; readonly fields: QuoteFields }
  /** `not-read-yet`: send the order without; its exits follow when it fills. */
  | { readonly kind: "none"; readonly code: RefusalCode; readonly message: string };

const place = z.object({
  account: z.string(),
  category: z.enum(["linear", "inverse"], { error: "must be linear or inverse" }),
  symbol: contractSymbol,
  positionIdx: z.literal([0, 1, 2], { error: "must be 0 (one-way), 1 (long leg) or 2 (short leg)" }),
});

const quoteRequest = place.partial({ positionIdx: true }).extend({
  side: z.enum(["long", "short"], { error: "must be long or short" }),
  price: positivePrice.optional(),
});

export type Read<T> =
  | { readonly kind: "fit"; readonly value: T }
  | { readonly kind: "unfit"; readonly code: RefusalCode; readonly message: string };

/** `accounts`: those that there are. */
export function readPlace(given: IntentPlace, accounts: readonly string[]): Read<IntentPlace> {
  return ofAccount(readAs(place, given), accounts);
}

export function readIntent(given: Intent, { positionIdx }: IntentPlace): Read<IntentDocument> {
  const read = readAs(intentDocument, given);
  return read.kind === "unfit" ? read : onItsLeg(read, { positionIdx, side: read.value.side });
}

export function readQuote(given: QuoteRequest, accounts: readonly string[]): Read<QuoteRequest> {
  const read = ofAccount(readAs(quoteRequest, given), accounts);
  if (read.kind === "unfit") return read;
  const { price, positionIdx = 0, ...rest } = read.value;
  const value = { ...rest, positionIdx, ...(price === undefined ? {} : { price }) };
  return onItsLeg({ kind: "fit", value }, value);
}

function readAs<T extends z.ZodType>(form: T, given: unknown): Read<z.output<T>> {
  const parsed = form.safeParse(given);
  if (parsed.success) return { kind: "fit", value: parsed.data };
  const problems = formProblems(form, parsed.error, given);
  return { kind: "unfit", code: "unprocessable", message: problems.join("; ") };
}

function ofAccount<T extends { readonly account: string }>(read: Read<T>, accounts: readonly string[]): Read<T> {
  if (read.kind === "unfit" || accounts.includes(read.value.account)) return read;
  return { kind: "unfit", code: "not-found", message: `no such account; there are: ${accounts.join(", ")}` };
}

function onItsLeg<T>(read: Read<T>, leg: Parameters<typeof legProblem>[0]): Read<T> {
  const problem = legProblem(leg);
  return problem === null ? read : { kind: "unfit", code: "unprocessable", message: problem };
}

const CODES = { 404: "not-found", 422: "unprocessable", 503: "not-read-yet" } as const;

export function quoteAnswer(answer: Quoted): QuoteAnswer {
  if (answer.kind === "quoted") return answer;
  return { kind: "none", code: CODES[answer.httpStatus], message: answer.message };
}

export function intentAnswer(answer: Answered): IntentAnswer {
  if (answer.status !== "refused") return answer;
  const { httpStatus: _, ...rest } = answer;
  return rest;
}
