/** The desk behind the HTTP window: what a bot or a person may ask of the running sidecar. */
import { randomUUID } from "node:crypto";
import type { Assessed } from "../../assess/assess.js";
import type { Side } from "../../domain/position.js";
import type { Desk, DeskEvent, QuoteAnswer, QuoteRequest } from "../../http/desk.js";
import type { IntentAnswer, IntentDocument, IntentPlace } from "../../intents/document.js";
import { keepIntent, waitingNote } from "../../intents/keep.js";
import { viewOfIntent } from "../../intents/view.js";
import { LedgerError } from "../../ledger/port.js";
import { addPauses, removePauses } from "../../ledger/pausing.js";
import type { Report } from "../../report/index.js";
import { systemClock } from "../../runtime/index.js";
import type { GuardParts } from "../../sidecar/parts.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import type { Current } from "./account.js";
import type { Accounts } from "./accounts.js";
import { OPENED_ANEW } from "./latest.js";
import type { Books, OpenLedger } from "../books/books.js";
import { BUSY, type DeskLine, openDeskLine } from "./desk-line.js";
import { readOpenPosition } from "./open-position.js";
import { quoteFrom } from "./quote.js";
import { intentFacts } from "../books/step-facts.js";
import { awaitLooks, type Waiting } from "./waiting.js";

export interface DeskParts {
  readonly current: Current;
  readonly books: Books;
  readonly accounts: Pick<Accounts, "names" | "guards">;
  /** The latest that is known of every account. */
  readonly report: () => Report;
  readonly sidecar: Sidecar;
  readonly events: EventHub;
  /** By which way wishes come in, for the history. */
  readonly who: string;
}

export interface EventHub {
  listen(listener: (event: DeskEvent) => void): () => void;
}

/** An intent for an open position is answered when a look has shown it, or after so long as pending. */
const APPLIED_WITHIN_MS = 4_000;
const SWEEP_WITHIN_MS = 60_000;

export function openDesk(parts: DeskParts): Desk {
  const { books, accounts, report, sidecar, current, events, who } = parts;
  const waiting = awaitLooks(events);
  const line = openDeskLine();
  const stateDir = () => current.settings.stateDir;
  return {
    accounts: () => accounts.names(),
    report,
    sweep: async () => {
      const looked = waiting.wholePasses(accounts.names(), SWEEP_WITHIN_MS);
      sidecar.sweep();
      await looked;
      return report();
    },
    listen: (listener) => events.listen(listener),
    setIntent: (place, wish, gone) => setIntent(place, wish, { ...parts, waiting, line }, gone),
    intent: async (place) => {
      const { shelf } = ledgerOf(books);
      await shelf.refresh(place.account);
      const [found] = shelf.at(place);
      return found === undefined ? null : viewOfIntent(found);
    },
    clearIntent: async (place) => {
      const { shelf } = ledgerOf(books);
      await shelf.refresh(place.account);
      const isCleared = await shelf.clear(place);
      if (isCleared) sidecar.look(place.account, place);
      return isCleared;
    },
    quote: async (request, gone) => {
      const answer = await line.serve(request.account, () => quote(request, parts), gone);
      return answer === "busy" ? { kind: "none", httpStatus: 503, message: BUSY } : answer;
    },
    pause: async (wish) => {
      const paused = await addPauses(stateDir(), wish, systemClock);
      books.note({ kind: "pause", body: { added: paused.added.map((pause) => ({ ...pause })), who } });
      return paused;
    },
    resume: async (scope) => {
      const resumed = await removePauses(stateDir(), scope, systemClock);
      books.note({ kind: "resume", body: { removed: resumed.removed.map((pause) => ({ ...pause })), who } });
      return resumed;
    },
    history: (filter) => ledgerOf(books).store.history(filter),
  };
}

function ledgerOf(books: Books): OpenLedger {
  const { ledger } = books;
  if (ledger === null) throw new LedgerError("closed", books.trouble() ?? "there is no ledger");
  return ledger;
}

async function setIntent(
  place: IntentPlace,
  wish: IntentDocument,
  parts: DeskParts & { readonly waiting: Waiting; readonly line: DeskLine },
  gone: AbortSignal | undefined,
): Promise<IntentAnswer> {
  const { books, sidecar, waiting, line } = parts;
  const { shelf, memory } = ledgerOf(books);
  const guard = guardOf(place.account, parts);
  if (guard === null)
    return { status: "refused", httpStatus: 503, code: "not-read-yet", message: openedAnew(place.account) };
  const keep = () =>
    keepIntent(place, wish, parts.who, {
      shelf,
      now: () => systemClock.now(),
      newId: randomUUID,
      openPosition: (key, side) => readOpenPosition(guard.pass, key, side),
      lifeOf: (position) => (books.writes.has(place.account) ? memory.lifeOf(position).id : null),
    });
  const kept = await line.serve(place.account, keep, gone);
  if (kept === "busy") return { status: "refused", httpStatus: 503, code: "not-read-yet", message: BUSY };
  if (kept.kind === "refused") {
    books.note({
      kind: "intent-refused",
      ...placeFacts(place, wish.side),
      body: intentFacts(wish, kept.refusal.message),
    });
    return kept.refusal;
  }
  const { intent, open, isSeen } = kept;
  sidecar.look(place.account, place);
  if (open === null) {
    return { status: "pending", intent: viewOfIntent(intent), message: waitingNote(isSeen) };
  }
  const recall = () => guard.pass.memory.recall(open.position);
  const isApplied = () => {
    const { intent: inForce, metStopIntent, metTakeProfitIntent } = recall();
    const isStopMet = intent.stopLoss === null || metStopIntent === intent.id;
    return inForce?.id === intent.id && isStopMet && (intent.takeProfit === null || metTakeProfitIntent === intent.id);
  };
  const applied = await waiting.until(isApplied, APPLIED_WITHIN_MS);
  const [latest = intent] = shelf.at(place).filter(({ id }) => id === intent.id);
  return applied
    ? { status: "applied", intent: viewOfIntent(latest), message: "a read has shown it at the exchange" }
    : { status: "pending", intent: viewOfIntent(latest), message: pendingReason(guard, open) };
}

function pendingReason({ pass }: GuardParts, { policy }: Assessed): string {
  if (pass.writer === undefined) return "this is a dry run, so nothing is written";
  if (policy.protection.mode === "report-only") return "the mode is report-only, so nothing is written";
  return "no read has shown it at the exchange yet; it is tried on";
}

async function quote(request: QuoteRequest, parts: DeskParts): Promise<QuoteAnswer> {
  const guard = guardOf(request.account, parts);
  if (guard === null) return { kind: "none", httpStatus: 503, message: openedAnew(request.account) };
  const { reader, policyOf, memory } = guard.pass;
  const { ledger } = parts.books;
  return quoteFrom(request, { reader, policyOf, memory, intentsAt: (key) => ledger?.shelf.at(key) ?? [] });
}

function placeFacts({ account, category, symbol, positionIdx }: IntentPlace, side: Side) {
  return { account, category, symbol, positionIdx, side };
}

/** Null: it is being opened anew. */
function guardOf(account: string, { accounts }: DeskParts): GuardParts | null {
  return accounts.guards().find(({ name }) => name === account) ?? null;
}

function openedAnew(account: string): string {
  return `the account ${account} cannot be asked now: ${OPENED_ANEW}`;
}
