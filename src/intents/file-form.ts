/** The intents file: what a bot that can only write files wants, read whole or refused whole. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { dec } from "../domain/decimal.js";
import { keyText, type PositionKey } from "../domain/position.js";
import { scrubValue } from "../runtime/secrets.js";
import { formProblems } from "./form-problems.js";
import { contractSymbol, type IntentDocument, intentDocument, legProblem } from "./document.js";

/** What of an entry says for which position it is; everything else is the intent. */
const entryPlace = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, "must be 1 to 64 letters, digits or ._:-")
    .optional(),
  account: z.string().min(1).optional(),
  category: z.enum(["linear", "inverse"], { error: "must be linear or inverse" }).default("linear"),
  symbol: contractSymbol,
  positionIdx: z.literal([0, 1, 2], { error: "must be 0 (one-way), 1 (long leg) or 2 (short leg)" }).default(0),
});

const PLACE_KEYS = new Set(Object.keys(entryPlace.shape));
const MOST_PROBLEMS = 5;

export interface FileEntry {
  /** Where it stands, for people: `intents[0]`. */
  readonly where: string;
  /** Made of all that it says: the same entry has the same id, whenever and by whom it is read. */
  readonly id: string;
  readonly key: PositionKey;
  readonly wish: IntentDocument;
}

export type FileReading =
  | { readonly kind: "valid"; readonly entries: readonly FileEntry[] }
  /** Each names the entry and the key. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

const FROM_FILE = "file:";

export function isFromFile({ id }: { readonly id: string }): boolean {
  return id.startsWith(FROM_FILE);
}

/** `accounts`: all of the config; an entry that names none is for the only one. */
export function readIntentsFile(text: string, accounts: readonly string[]): FileReading {
  const listed = entriesIn(text);
  if (typeof listed === "string") return { kind: "invalid", problems: [listed] };
  const entries: FileEntry[] = [];
  const problems: string[] = [];
  for (const [index, raw] of listed.entries()) {
    const where = `intents[${index}]`;
    const read = readEntry(raw, where, accounts);
    if ("problems" in read) problems.push(...read.problems.map((problem) => `${where}: ${problem}`));
    else entries.push(read);
  }
  problems.push(...contradictions(entries));
  if (problems.length === 0) return { kind: "valid", entries };
  const left = problems.length - MOST_PROBLEMS;
  return { kind: "invalid", problems: [...problems.slice(0, MOST_PROBLEMS), ...(left > 0 ? [`${left} more`] : [])] };
}

/** A sentence: why there are none. */
function entriesIn(text: string): readonly unknown[] | string {
  let parsed: unknown;
  try {
    // What it says is written down, and shown later.
    parsed = scrubValue(JSON.parse(text) as unknown);
  } catch {
    return text.trim() === "" ? "it is empty" : "it is no whole JSON: it may be half written";
  }
  const form = z.strictObject({ intents: z.array(z.unknown()) }).safeParse(parsed);
  return form.success ? form.data.intents : 'it must be { "intents": [ … ] } and nothing else';
}

function readEntry(
  raw: unknown,
  where: string,
  accounts: readonly string[],
): FileEntry | { readonly problems: readonly string[] } {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return { problems: ["must be an object"] };
  const fields = Object.entries(raw);
  const place = entryPlace.safeParse(Object.fromEntries(fields.filter(([name]) => PLACE_KEYS.has(name))));
  const wish = intentDocument.safeParse(Object.fromEntries(fields.filter(([name]) => !PLACE_KEYS.has(name))));
  if (!place.success || !wish.success) return { problems: [...sentences(place, raw), ...sentences(wish, raw)] };
  const { id, account = onlyOf(accounts), ...rest } = place.data;
  if (account === null) return { problems: ["account: must be named, for the config has several"] };
  const key: PositionKey = { account, ...rest };
  const leg = legProblem({ ...key, ...wish.data });
  if (leg !== null) return { problems: [leg] };
  return { where, id: idOf(key, wish.data, id), key, wish: wish.data };
}

function onlyOf(accounts: readonly string[]): string | null {
  return accounts.length === 1 ? (accounts[0] ?? null) : null;
}

/** Of both forms together: an entry may have the keys of either. */
const entryForm = entryPlace.extend(intentDocument.shape);

function sentences({ error }: { readonly error?: z.ZodError | undefined }, raw: object): readonly string[] {
  return error === undefined ? [] : formProblems(entryForm, error, raw);
}

/** There is one intent for a side of a position; which of two is meant nobody can tell. */
function contradictions(entries: readonly FileEntry[]): readonly string[] {
  const seen = new Map<string, string>();
  const found: string[] = [];
  for (const { where, key, wish } of entries) {
    const name = `${keyText(key)}/${wish.side}`;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, where);
    else found.push(`${where}: is for the same side of the same position as ${first}`);
  }
  return found;
}

function idOf(key: PositionKey, wish: IntentDocument, id: string | undefined): string {
  const { account, category, symbol, positionIdx } = key;
  const { side, ttlSeconds, orderLinkId, allowLoosen, reason, until, who } = wish;
  const prices = [wish.stopLoss, wish.takeProfit].map((price) => samePrice(price));
  const plain = [ttlSeconds, orderLinkId, allowLoosen, reason, until, who, id].map((value) => value ?? null);
  const content = JSON.stringify([account, category, symbol, positionIdx, side, ...prices, ...plain]);
  return `${FROM_FILE}${createHash("sha256").update(content).digest("hex").slice(0, 32)}`;
}

/** `49000` and `49000.0` are one price. */
function samePrice(price: string | undefined): string | null {
  if (price === undefined || price === "none") return price ?? null;
  return dec(price).toFixed();
}
