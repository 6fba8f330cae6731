/** The sidecar's bookkeeping: what it remembers and writes down, in the ledger where there is one, else in memory. */
import type { Position, PositionKey } from "../../domain/position.js";
import { type LedgerMemory, ledgerMemory } from "../../ledger/ledger-memory.js";
import { inMemory, type Memory } from "../../ledger/memory.js";
import { openLedger } from "../../ledger/open.js";
import { type Json, type Ledger, LedgerError, type NewEntry } from "../../ledger/port.js";
import type { Journal } from "../../pass/options.js";
import type { Step } from "../../plan/step.js";
import { type Log, systemClock } from "../../runtime/index.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import { deedFacts, keyFacts } from "./step-facts.js";

export interface Books {
  readonly memory: Memory;
  readonly journal: Journal;
  /** Why only missing stops may be sent; null: everything is written down. */
  trouble(): string | null;
  tell(event: SidecarEvent): void;
  /** Null: there is no ledger, and with it no lock and nothing to load. */
  readonly ledger: { readonly store: Ledger; readonly memory: LedgerMemory } | null;
  close(): Promise<void>;
}

/** Without a ledger positions are guarded all the same, by what the process itself remembers. */
export async function openBooks(url: string, log: Log): Promise<Books> {
  try {
    const store = await openLedger({ url, log, now: () => systemClock.now() });
    return withLedger(store, ledgerMemory({ ledger: store, now: () => systemClock.now() }), log);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    log.error({ code: "ledger-unwritable" }, `${error.message}; missing stops are set, everything else waits`);
    return withoutLedger(error.message);
  }
}

function withoutLedger(why: string): Books {
  return {
    memory: inMemory(),
    journal: { intended: () => Promise.resolve(), answered: () => undefined },
    trouble: () => `the ledger cannot be opened (${why})`,
    tell: () => undefined,
    ledger: null,
    close: () => Promise.resolve(),
  };
}

function withLedger(store: Ledger, memory: LedgerMemory, log: Log): Books {
  let wasWritable = true;
  let latest: Promise<void> = Promise.resolve();
  const trouble = (): string | null => {
    const why = store.writable() ?? memory.writable();
    return why === null ? null : `the ledger cannot be written (${why})`;
  };

  /** Never rejects: what the ledger does not take is said, and `trouble` holds back what can wait. */
  async function append(entry: NewEntry): Promise<void> {
    try {
      await store.append(entry);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
    }
    const why = trouble();
    if (why !== null && wasWritable) log.error({ code: "ledger-unwritable" }, `${why}; only missing stops are set`);
    if (why === null && !wasWritable) log.info("the ledger can be written again");
    wasWritable = why === null;
  }

  const appendLater = (entry: NewEntry): void => {
    latest = append(entry);
  };
  const placed = (step: Step, position: Position) => ({
    ...keyFacts(step.key),
    side: step.side,
    lifeId: memory.lifeOf(position).id,
  });
  return {
    memory,
    ledger: { store, memory },
    trouble,
    journal: {
      intended: (step, position) => append({ kind: "step-intended", ...placed(step, position), body: deedFacts(step) }),
      answered: ({ step, answer }, position) => {
        const detail = answer.kind === "acknowledged" ? {} : { detail: answer.detail };
        const body = { ...deedFacts(step), answer: answer.kind, ...detail };
        appendLater({ kind: "step-answered", ...placed(step, position), body });
      },
    },
    tell: (event) => {
      if (event.kind === "life" && event.change === "closed")
        memory.end(event.key, `closed by ${event.by ?? "somebody"}`);
      const entry = entryOf(event);
      if (entry !== null) appendLater(entry);
    },
    close: async () => {
      await memory.flush();
      await latest;
      await store.close();
    },
  };
}

/** What else is worth finding again: each change of a position, what a read made of a step, what was found. */
function entryOf(event: SidecarEvent): NewEntry | null {
  switch (event.kind) {
    case "life": {
      const { change, key, side, size, by } = event;
      return placedEntry(`life-${change}`, key, side, { size: size.toFixed(), ...(by === null ? {} : { by }) });
    }
    case "outcome": {
      const { step, outcome, detail } = event.record;
      const body = { ...deedFacts(step), outcome, ...(detail === null ? {} : { detail }) };
      return placedEntry("step-judged", step.key, step.side, body);
    }
    case "finding": {
      const { code, severity, message } = event.finding;
      return { kind: "finding", ...keyFacts(event.key), body: { code, severity, message } };
    }
    case "attach": {
      const { step, outcome, detail, orderId } = event.event;
      const body = { action: step.action, orderId, outcome, stopLoss: step.stopLoss.price.toFixed() };
      const kind = outcome === "sent" ? "step-intended" : "step-judged";
      return placedEntry(kind, step.key, step.side, { ...body, ...(detail === null ? {} : { detail }) });
    }
    default:
      return null;
  }
}

function placedEntry(kind: NewEntry["kind"], key: PositionKey, side: Step["side"], body: Json): NewEntry {
  return { kind, ...keyFacts(key), side, body };
}
