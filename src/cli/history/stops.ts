/** Every stop that was set, put together from what was intended, answered and judged of it. */
import type { Entry, Ledger } from "../../ledger/port.js";
import { bodyOf } from "./body.js";
import { type Choice, type Found, matcher, pagesOf } from "./choice.js";

export interface SetStop {
  /** What was meant, written before it was sent; where that is missing, the first that was written of it. */
  readonly entry: Entry;
  /** False: the ledger took no writes when it was sent. */
  readonly isIntentWritten: boolean;
  /** Null: none was written. */
  readonly answer: Entry | null;
  /** The one that proves it, else the latest; null: none was written. */
  readonly judgement: Entry | null;
}

interface Later {
  answer: Entry | null;
  judgement: Entry | null;
}

const STEPS = ["step-intended", "step-answered", "step-judged"];

export async function findStops(
  ledger: Pick<Ledger, "history">,
  choice: Choice,
  limit: number,
): Promise<Found<SetStop>> {
  const book = openStopBook(matcher({ ...choice, kinds: [] }));
  for await (const page of pagesOf(ledger, { ...choice, kinds: STEPS })) {
    for (const entry of page) book.add(entry);
    if (book.count() > limit) break;
  }
  const stops = book.stops();
  return { shown: stops.slice(0, limit), isCut: stops.length > limit };
}

export interface StopBook {
  /** Newest first: what became of a step is read before the step itself. */
  add(entry: Entry): void;
  /** How many were found so far whose intention was written. */
  count(): number;
  /** Newest first. */
  stops(): readonly SetStop[];
}

function openStopBook(isWanted: (entry: Entry) => boolean): StopBook {
  const stops: SetStop[] = [];
  const laterOf = new Map<string, Later>();

  function add(entry: Entry): void {
    if (bodyOf(entry).text("stopLoss") === null) return;
    if (entry.kind !== "step-intended") return note(laterOf, entry);
    const later = take(laterOf, entry);
    if (isWanted(entry)) stops.push({ entry, isIntentWritten: true, ...later });
  }

  return {
    add,
    count: () => stops.length,
    stops: () => [...stops, ...unwritten(laterOf, isWanted)].toSorted((one, other) => other.entry.id - one.entry.id),
  };
}

/** Kept under the step's number where it was written with it, else under what it did to which position. */
function note(laterOf: Map<string, Later>, entry: Entry): void {
  const key = bodyOf(entry).text("intended") ?? sameDeed(entry);
  const later = laterOf.get(key) ?? { answer: null, judgement: null };
  laterOf.set(key, later);
  if (entry.kind === "step-answered") later.answer ??= entry;
  else if (later.judgement === null || (!isProof(later.judgement) && isProof(entry))) later.judgement = entry;
}

export function isProof(entry: Entry): boolean {
  return bodyOf(entry).text("outcome") === "confirmed";
}

/** What names the step is its own; only where nothing does, the same deed on the same position is meant. */
function take(laterOf: Map<string, Later>, intended: Entry): Later {
  const key = [String(intended.id), sameDeed(intended)].find((one) => laterOf.has(one));
  const later = key === undefined ? undefined : laterOf.get(key);
  if (key !== undefined) laterOf.delete(key);
  return later ?? { answer: null, judgement: null };
}

function sameDeed(entry: Entry): string {
  const body = bodyOf(entry);
  const { account, category, symbol, positionIdx, side } = entry;
  const deed = ["action", "stopLoss", "takeProfit", "orderId"].map((name) => body.text(name));
  return JSON.stringify([account, category, symbol, positionIdx, side, ...deed]);
}

/** Sent while the ledger took no writes. What names a step that lies farther back belongs to that one. */
function unwritten(laterOf: Map<string, Later>, isWanted: (entry: Entry) => boolean): readonly SetStop[] {
  return [...laterOf].flatMap(([key, { answer, judgement }]) => {
    const entry = answer ?? judgement;
    if (entry === null || !key.startsWith("[") || !isWanted(entry) || !wasSent(entry)) return [];
    return [{ entry, isIntentWritten: false, answer, judgement }];
  });
}

function wasSent(entry: Entry): boolean {
  const body = bodyOf(entry);
  return body.text("outcome") !== "skipped" && body.text("answer") !== "not-sent";
}
