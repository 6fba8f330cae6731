/** What comes first: a position without a stop does not wait behind what is only made better. */
import type { NewEntry } from "../../../src/ledger/port.js";
import type { Instance } from "../run-parts.js";
import type { Notes } from "./ledger.js";

/** What no whole stop stands for, and a stop that is put back for another hand, which goes its own way. */
const URGENT: readonly unknown[] = ["stop-missing", "stop-partial"];
const APART: readonly unknown[] = ["stop-replaced"];
/** The steps of one batch are handed to the ledger one behind the other, as each is durable, and leave in that order. */
const TOGETHER_MS = 10;
/** What has become naked since the batch was decided is no part of it. */
const LONG_NAKED_MS = 5_000;

const JOURNAL_TROUBLE_MS = 12_000;

export interface Order {
  /** A step is handed to the ledger. */
  intended(instance: Instance, entry: NewEntry): void;
}

export function watchOrder(notes: Notes): Order {
  const { run } = notes;
  const { graceMs, vanishMs } = run.story.protection;
  let lesser: { readonly name: string; readonly atMs: number; readonly symbol: string } | null = null;

  const isLongNaked = (leg: string): boolean => {
    const sinceMs = run.time.elapsedMs - LONG_NAKED_MS - graceMs - vanishMs;
    // Before its first change a leg was flat.
    const wasThere = run.venue.history.get(leg)?.some(({ atMs }) => atMs < sinceMs) === true;
    return wasThere && !notes.everSince(leg, sinceMs, ({ side, isWhole }) => side === null || isWhole);
  };

  return {
    intended: ({ name, stoppedUntilMs = Number.NEGATIVE_INFINITY }, { kind, category, symbol, positionIdx, body }) => {
      if (kind !== "step-intended") return;
      const atMs = run.time.elapsedMs;
      const { stopLoss, reason, action } = body as Record<string, unknown>;
      const isUrgent = stopLoss !== undefined && URGENT.includes(reason);
      // Where the ledger is slow, or the process stood still, the entries of several batches wait in one queue.
      const isSlow = atMs - Math.max(notes.journalTroubleMs, stoppedUntilMs) < JOURNAL_TROUBLE_MS;
      const isNext = lesser?.name === name && atMs - lesser.atMs <= TOGETHER_MS && !isSlow;
      if (isUrgent && isNext && isLongNaked(`${category}/${symbol}/${positionIdx}`))
        notes.broken("L6", `${symbol} has no stop, and ${lesser?.symbol} comes before it`);
      const isLesser = action === "set-trading-stop" && !isUrgent && !APART.includes(reason);
      if (isLesser || (isUrgent && isNext)) lesser = { name, atMs, symbol: String(symbol) };
    },
  };
}
