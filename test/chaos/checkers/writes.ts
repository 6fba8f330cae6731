/** Each write as it reaches the exchange, before it has an effect: its form, its leg, its price, its sender, its entry in the ledger. */
import { type Decimal, parseDecimal } from "../../../src/domain/decimal.js";
import { TICKS } from "../bot.js";
import type { SeenEntry } from "../journal.js";
import type { HeardRequest } from "../line.js";
import type { Instance } from "../processes.js";
import type { LegState, WriteAtExchange } from "../record.js";
import { count, type Notes } from "./notes.js";

const TRADING_STOP = "/v5/position/trading-stop";
const FIELDS = [
  "category",
  "symbol",
  "tpslMode",
  "positionIdx",
  "stopLoss",
  "slTriggerBy",
  "takeProfit",
  "tpTriggerBy",
];
/** A write may be decided from what was true so long ago, with every delay that a request may meet on these lines. */
const RACE_MS = 20_000;
/** A word of a process and a write of it come on two ways. */
const APART_MS = 2_000;

export interface WriteChecks {
  heard(request: HeardRequest<Instance>, alive: readonly Instance[]): void;
  arrived(write: WriteAtExchange): void;
  /** This one has been told, or has said, that it writes for the account. */
  writer(instance: Instance): void;
  /** It has said that it cannot tell whether another one writes. */
  unsure(instance: Instance): void;
  /** A process starts: only entries from now on are its own. */
  started(instance: Instance): void;
  /** Whether it can write its ledger, as it says itself. */
  ledger(instance: Instance, isWritable: boolean): void;
  /** Judges what had to wait for a word of its sender. */
  settle(): void;
  senderOf(signature: string): Instance | undefined;
}

interface Trouble {
  readonly fromMs: number;
  untilMs: number;
}

/** A write that had no entry as it came. */
interface Unwritten {
  readonly sender: Instance;
  readonly atMs: number;
  readonly what: string;
  readonly isUrgent: boolean;
}

export function checkWrites(notes: Notes): WriteChecks {
  const senders = new Map<string, Instance>();
  const writers = new Set<Instance>();
  const unsure = new Set<Instance>();
  const firstEntries = new Map<Instance, number>();
  const troubles = new Map<Instance, Trouble[]>();
  const unwritten: Unwritten[] = [];
  const { broken, record, journal } = notes;

  /** S15: whoever has written is the account's writer until it dies, also while it stands still. */
  function checkSingle(caller: Instance, alive: readonly Instance[]): void {
    const other = alive.find((one) => one !== caller && writers.has(one));
    if (other !== undefined && !unsure.has(caller))
      broken("S15", `${caller.name} writes, and the account's writer ${other.name} lives`);
    // Allowed where the lock's own file cannot be asked (docs/ledger.md): S1 to S3 still hold.
    if (other !== undefined && unsure.has(caller)) count(notes, "writes of two that could not tell");
    writers.add(caller);
  }

  function checkJournal(sender: Instance, leg: string, { body, atMs }: WriteAtExchange): void {
    const isWritten = journal
      .intended(String(body["symbol"]), firstEntries.get(sender) ?? 0)
      .some((entry) => isEntryOf(entry, body));
    if (isWritten) return;
    const isMissing = body["stopLoss"] !== undefined && record.everSince(leg, atMs - RACE_MS, isNaked);
    const isGivenBack = record.everSince(leg, atMs - RACE_MS, ({ stop }) => isAt(stop?.price, body["stopLoss"]));
    const what = `${leg}: ${JSON.stringify(body)} of ${sender.name} has no entry`;
    unwritten.push({ sender, atMs, what, isUrgent: isMissing || isGivenBack });
  }

  /**
   * S17, with its one exception: while nothing can be written down, or not within a second (docs/ledger.md), what a
   * naked position needs is sent all the same; and that it cannot be written must have been said.
   */
  function settle(): void {
    for (const { sender, atMs, what, isUrgent } of unwritten.splice(0)) {
      const isSaid = (troubles.get(sender) ?? []).some(
        ({ fromMs, untilMs }) => fromMs - APART_MS <= atMs && atMs <= untilMs + APART_MS,
      );
      if (!isSaid) broken("S17", what);
      else if (!isUrgent) broken("S17", `${what}, and it was not urgent`);
      else count(notes, "urgent stops without an entry");
    }
  }

  function ledger(instance: Instance, isWritable: boolean): void {
    const known = troubles.get(instance) ?? [];
    troubles.set(instance, known);
    const last = known.at(-1);
    if (isWritable && last !== undefined) last.untilMs = record.now();
    if (!isWritable) known.push({ fromMs: record.now(), untilMs: Number.POSITIVE_INFINITY });
  }

  return {
    heard: ({ caller, isWrite, signature }, alive) => {
      senders.set(signature, caller);
      if (isWrite) checkSingle(caller, alive);
    },
    arrived: (write) => {
      count(notes, "writes");
      const { body, path, signature } = write;
      const leg = `${String(body["symbol"])}/${String(body["positionIdx"])}`;
      const sender = senders.get(signature);
      notes.tell(`${sender?.name ?? "?"} writes ${leg} ${JSON.stringify(body)}`);
      checkForm(notes, path, body);
      checkLeg(notes, leg, write);
      if (sender === undefined) return broken("HARNESS", `nobody is known to have sent ${leg}`);
      for (const sentence of journal.look()) broken("LOST", sentence);
      checkJournal(sender, leg, write);
    },
    writer: (instance) => void writers.add(instance),
    unsure: (instance) => void unsure.add(instance),
    started: (instance) => void firstEntries.set(instance, journal.newestId),
    ledger,
    settle,
    senderOf: (signature) => senders.get(signature),
  };
}

const isNaked = ({ side, stop }: LegState): boolean => side !== null && stop === null;

const isAt = (price: Decimal | undefined, text: unknown): boolean =>
  price !== undefined && typeof text === "string" && parseDecimal(text)?.eq(price) === true;

function isEntryOf(entry: SeenEntry, body: WriteAtExchange["body"]): boolean {
  if (entry.positionIdx !== body["positionIdx"]) return false;
  return (["stopLoss", "takeProfit"] as const).every(
    (name) => body[name] === undefined || entry.body[name] === body[name],
  );
}

/** S2, S7, S10, S12: nothing that could remove, no order at all, Full mode, whole ticks. */
function checkForm({ broken }: Notes, path: string, body: WriteAtExchange["body"]): void {
  if (path !== TRADING_STOP) return broken("S12", `a request to ${path}`);
  const strange = Object.keys(body).filter((name) => !FIELDS.includes(name));
  if (strange.length > 0) broken("S2", `a write with ${strange.join(", ")}`);
  if (body["tpslMode"] !== "Full") broken("S10", `a write with tpslMode ${String(body["tpslMode"])}`);
  for (const name of ["stopLoss", "takeProfit"] as const) {
    const text = body[name];
    if (text === undefined) continue;
    const price = typeof text === "string" ? parseDecimal(text) : null;
    if (price === null || !price.gt(0)) broken("S2", `${name} ${JSON.stringify(text)}`);
    const tick = TICKS.get(String(body["symbol"]));
    if (price !== null && tick !== undefined && !price.mod(tick).isZero())
      broken("S7", `${name} ${price.toFixed()} of ${String(body["symbol"])} is no multiple of ${tick.toFixed()}`);
  }
}

/** S8: the leg of a write has been open, on the side that its number says. */
function checkLeg({ broken, record }: Notes, leg: string, { body, atMs }: WriteAtExchange): void {
  const idx = body["positionIdx"];
  const side = idx === 1 ? "long" : idx === 2 ? "short" : null;
  const isKnown = record.everSince(leg, atMs - RACE_MS, (one) => one.side !== null && (side ?? one.side) === one.side);
  if (!isKnown) broken("S8", `a write to ${leg}, which has held no such position`);
}
