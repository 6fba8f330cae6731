/** Steps of lives that go on which were sent, or may have been, and were never judged, by what was written of them. */
import { parseDecimal } from "../domain/decimal.js";
import type { LearnedLevel, UnprovenStep } from "../domain/life.js";
import type { TriggerBy } from "../domain/position.js";
import { bindable } from "./codec.js";
import type { Database } from "./tables.js";

type Levels = Pick<UnprovenStep, "stopLoss" | "takeProfit">;
type Body = Readonly<Record<string, unknown>>;

const TRIGGERS: readonly TriggerBy[] = ["LastPrice", "MarkPrice", "IndexPrice"];

/** By life, each oldest first; who died before an answer was written, or a read had judged it, has left them. */
export async function unprovenSteps(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly UnprovenStep[]>> {
  // PostgreSQL knows no empty list.
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("entries")
    .select(["id", "life_id", "kind", "body"])
    .where("life_id", "in", ids.map(bindable))
    .where("kind", "in", ["step-intended", "step-answered", "step-judged"])
    .where("body", "like", '%"action":"set-trading-stop"%')
    .orderBy("id")
    .execute();
  const books = new Map<string, Map<number, Levels>>();
  for (const { id, life_id: lifeId, kind, body } of rows) {
    if (lifeId === null) continue;
    const book = books.get(lifeId) ?? new Map<number, Levels>();
    books.set(lifeId, book);
    const facts = factsOf(body);
    if (kind === "step-intended") book.set(id, levelsOf(facts));
    else if (kind === "step-answered") answered(book, facts);
    else judged(book, facts);
  }
  return new Map([...books].map(([lifeId, book]) => [lifeId, stepsOf(book)] as const));
}

/** A step may be sent again with less than was intended. */
function answered(book: Map<number, Levels>, facts: Body): void {
  const { intended, answer } = facts;
  if (typeof intended !== "number") return;
  if (answer === "refused" || answer === "not-sent") book.delete(intended);
  else book.set(intended, levelsOf(facts));
}

function judged(book: Map<number, Levels>, facts: Body): void {
  const { intended, outcome } = facts;
  if (typeof intended !== "number" || outcome === "uncertain") return;
  if (outcome === "confirmed") {
    const proven = levelsOf(facts);
    for (const [entryId, levels] of book) if (entryId <= intended) book.set(entryId, without(levels, proven));
  }
  book.delete(intended);
}

/** What is proven has taken the place of what was sent before it. */
function without({ stopLoss, takeProfit }: Levels, proven: Levels): Levels {
  return {
    stopLoss: proven.stopLoss === null ? stopLoss : null,
    takeProfit: proven.takeProfit === null ? takeProfit : null,
  };
}

function stepsOf(book: ReadonlyMap<number, Levels>): readonly UnprovenStep[] {
  return [...book].flatMap(([entryId, levels]) =>
    levels.stopLoss === null && levels.takeProfit === null ? [] : [{ entryId, ...levels }],
  );
}

function levelsOf(facts: Body): Levels {
  return {
    stopLoss: levelOf(facts["stopLoss"], facts["slTriggerBy"]),
    takeProfit: levelOf(facts["takeProfit"], facts["tpTriggerBy"]),
  };
}

/** What cannot be read proves nothing, and keeps no life from being read. */
function levelOf(price: unknown, trigger: unknown): LearnedLevel | null {
  const read = typeof price === "string" ? parseDecimal(price) : null;
  const triggerBy = TRIGGERS.find((one) => one === trigger);
  return read === null || triggerBy === undefined ? null : { price: read, triggerBy };
}

function factsOf(body: string): Body {
  try {
    const read: unknown = JSON.parse(body);
    return typeof read === "object" && read !== null ? { ...read } : {};
  } catch {
    return {};
  }
}
