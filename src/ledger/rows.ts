/** Rows of the tables and the values of the port, each made from the other. */
import * as z from "zod";
import type { Learned, LearnedLevel } from "../domain/life.js";
import {
  bindableRow,
  fromDecimal,
  fromJson,
  oneOf,
  toCategory,
  priceOf,
  toDecimal,
  toJson,
  toPositionIdx,
  toSide,
  toTriggerBy,
} from "./codec.js";
import { LedgerError } from "./error.js";
import {
  type Entry,
  type Intent,
  INTENT_STATES,
  type Life,
  type NewEntry,
  type SavedRecord,
  type SetFor,
} from "./port.js";
import type { EntryColumns, EntryRow, IntentColumns, LifeColumns } from "./tables.js";

export function entryColumns(entry: NewEntry, nowMs: number): Omit<EntryColumns, "id"> {
  return bindableRow({
    at_ms: entry.atMs ?? nowMs,
    kind: entry.kind,
    account: entry.account ?? null,
    category: entry.category ?? null,
    symbol: entry.symbol ?? null,
    position_idx: entry.positionIdx ?? null,
    side: entry.side ?? null,
    life_id: entry.lifeId ?? null,
    body: fromJson(entry.body),
  });
}

export function toEntry(row: EntryRow): Entry {
  return {
    id: row.id,
    atMs: row.at_ms,
    kind: row.kind,
    account: row.account,
    category: row.category === null ? null : toCategory(row.category),
    symbol: row.symbol,
    positionIdx: row.position_idx === null ? null : toPositionIdx(row.position_idx),
    side: row.side === null ? null : toSide(row.side),
    lifeId: row.life_id,
    body: toJson(row.body),
  };
}

type Placed = Pick<Life, "key" | "side">;
type PlaceColumns = Pick<LifeColumns, "account" | "category" | "symbol" | "position_idx" | "side">;

function placeColumns({ key, side }: Placed): PlaceColumns {
  return { account: key.account, category: key.category, symbol: key.symbol, position_idx: key.positionIdx, side };
}

function toPlaced(row: PlaceColumns): Placed {
  const { account, symbol } = row;
  const key = { account, category: toCategory(row.category), symbol, positionIdx: toPositionIdx(row.position_idx) };
  return { key, side: toSide(row.side) };
}

export function lifeColumns(life: Life): LifeColumns {
  return bindableRow({
    ...placeColumns(life),
    id: life.id,
    opened_at_ms: life.openedAtMs,
    first_seen_ms: life.firstSeenMs,
    ended_ms: life.ended?.atMs ?? null,
    ended_how: life.ended?.how ?? null,
    record: recordColumn(life.record),
  });
}

function recordColumn({ ourStopLoss, ourTakeProfit, learned, ...plain }: SavedRecord): string {
  return fromJson({
    ...plain,
    ourStopLoss: fromDecimal(ourStopLoss),
    ourTakeProfit: fromDecimal(ourTakeProfit),
    learned: learned === null ? null : { ...learned, size: fromDecimal(learned.size), ...fromLevels(learned) },
  });
}

function fromLevels({ stopLoss, takeProfit }: Learned) {
  const level = (one: LearnedLevel | null) => one && { price: fromDecimal(one.price), triggerBy: one.triggerBy };
  return { stopLoss: level(stopLoss), takeProfit: level(takeProfit) };
}

const savedLevel = z.object({ price: z.string(), triggerBy: z.string() }).nullable();

/** What a version before did not know was not set by it. */
const savedRecord = z.object({
  rebased: z.boolean().default(false),
  movedForLiquidation: z.boolean().default(false),
  stopTriggered: z.boolean().default(false),
  closeSent: z.boolean().default(false),
  grown: z.boolean().default(false),
  ourStopLoss: z.string().nullable().default(null),
  ourTakeProfit: z.string().nullable().default(null),
  learned: z.object({ stopLoss: savedLevel, takeProfit: savedLevel, size: z.string() }).nullable().default(null),
  metStopIntent: z.string().nullable().default(null),
  metTakeProfitIntent: z.string().nullable().default(null),
  loosenedFor: z.string().nullable().default(null),
  restoredAtMs: z.array(z.number()).default([]),
});

function toRecord(column: string): SavedRecord {
  const read = savedRecord.safeParse(toJson(column));
  if (!read.success) throw new LedgerError("damaged", "the ledger holds a life's record that cannot be read");
  const { ourStopLoss, ourTakeProfit, learned, ...plain } = read.data;
  return {
    ...plain,
    ourStopLoss: toDecimal(ourStopLoss),
    ourTakeProfit: toDecimal(ourTakeProfit),
    learned: learned === null ? null : toLearned(learned),
  };
}

function toLearned({ stopLoss, takeProfit, size }: NonNullable<z.infer<typeof savedRecord>["learned"]>): Learned {
  return { stopLoss: toLevel(stopLoss), takeProfit: toLevel(takeProfit), size: priceOf(size) };
}

function toLevel(level: z.infer<typeof savedLevel>): LearnedLevel | null {
  return level === null ? null : { price: priceOf(level.price), triggerBy: toTriggerBy(level.triggerBy) };
}

export function toLife(row: LifeColumns): Life {
  const { id, ended_ms: endedMs, ended_how: how } = row;
  return {
    ...toPlaced(row),
    id,
    openedAtMs: row.opened_at_ms,
    firstSeenMs: row.first_seen_ms,
    ended: endedMs === null ? null : { how: how ?? "", atMs: endedMs },
    record: toRecord(row.record),
    unproven: [],
  };
}

export function intentColumns(intent: Intent): IntentColumns {
  return bindableRow({
    ...placeColumns(intent),
    id: intent.id,
    stop_loss: fromDecimal(intent.stopLoss),
    take_profit: fromDecimal(intent.takeProfit),
    waiver: intent.waiver === null ? null : fromJson({ ...intent.waiver }),
    order_link_id: intent.orderLinkId,
    ttl_ms: intent.ttlMs,
    may_loosen_from: fromDecimal(intent.mayLoosenFrom),
    created_at_ms: intent.createdAtMs,
    state: intent.state,
    life_id: intent.lifeId,
    ended_how: intent.endedHow,
    who: intent.who,
    set_for: intent.setFor === null ? null : fromJson({ ...intent.setFor }),
  });
}

const savedWaiver = z.object({ reason: z.string(), untilMs: z.number(), until: z.string() });

function toWaiver(column: string | null): Intent["waiver"] {
  if (column === null) return null;
  const read = savedWaiver.safeParse(toJson(column));
  if (!read.success) throw new LedgerError("damaged", "the ledger holds a waiver that cannot be read");
  return read.data;
}

const savedSetFor = z.union([
  z.object({ kind: z.literal("open"), openedAtMs: z.number().nullable(), seenAtMs: z.number() }),
  z.object({ kind: z.literal("next"), seenAtMs: z.number() }),
  z.object({ kind: z.literal("unseen") }),
]);

/** Undefined: the tables are of the first version, and are only read. */
function toSetFor(column: string | null | undefined): SetFor | null {
  if (column == null) return null;
  const read = savedSetFor.safeParse(toJson(column));
  if (!read.success) throw new LedgerError("damaged", "the ledger holds an intent of which it cannot be told for what");
  return read.data;
}

export function toIntent(row: IntentColumns): Intent {
  return {
    ...toPlaced(row),
    id: row.id,
    stopLoss: toDecimal(row.stop_loss),
    takeProfit: toDecimal(row.take_profit),
    waiver: toWaiver(row.waiver),
    orderLinkId: row.order_link_id,
    ttlMs: row.ttl_ms,
    mayLoosenFrom: toDecimal(row.may_loosen_from),
    createdAtMs: row.created_at_ms,
    state: oneOf(INTENT_STATES, row.state, "an intent's state"),
    lifeId: row.life_id,
    endedHow: row.ended_how,
    who: row.who,
    setFor: toSetFor(row.set_for),
  };
}
