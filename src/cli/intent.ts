/** `backstop intent`: the levels that a person or a script wants for one position, kept in the ledger. */
import { randomUUID } from "node:crypto";
import type { Assessed } from "../assess/assess.js";
import { keyText, type Position, type PositionIdx, type PositionKey, type Side } from "../domain/position.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { FillHistory } from "../exchange/fills.js";
import { type IntentDocument, intentDocument } from "../intents/document.js";
import { keepIntent, type Kept, type Seen, waitingNote } from "../intents/keep.js";
import { openShelf, type Shelf } from "../intents/shelf.js";
import { viewOfIntent } from "../intents/view.js";
import { openLedger } from "../ledger/open.js";
import { recognised } from "../ledger/lives.js";
import { type Intent, type Ledger, LedgerError, type Life } from "../ledger/port.js";
import { readLedger } from "../ledger/reading.js";
import { compilePolicy } from "../policy/resolve.js";
import { type Log, scrubValue, systemClock } from "../runtime/index.js";
import type { AccountSettings } from "../settings/index.js";
import { intentEntry } from "../service/books/books.js";
import { readBooks } from "../service/books/reading.js";
import { readOpenPosition } from "../service/run/open-position.js";
import { intentFacts } from "../service/books/step-facts.js";
import { connectOne } from "../service/connect.js";
import type { Console } from "./console.js";
import { type CommonOptions, type Context, logFor, openContext, openOutline } from "./context.js";
import { Refusal } from "./exit.js";
import { intentLine, intentProblems, intentsTable, refusalText } from "./intent-text.js";
import { createIpBudget } from "../exchange/bybit/index.js";

export interface PlaceOptions extends CommonOptions {
  readonly symbol: string;
  readonly category: "linear" | "inverse";
  readonly positionIdx: PositionIdx;
}

export interface IntentSetOptions extends PlaceOptions {
  readonly side: Side;
  readonly stopLoss?: string;
  readonly takeProfit?: string;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly orderLinkId?: string;
  readonly allowLoosen: boolean;
  readonly reason?: string;
  readonly until?: string;
}

export interface IntentListOptions extends CommonOptions {
  readonly format?: "table" | "json";
}

/** How long a running sidecar may take to put it to the exchange and see it there, before we answer `pending`. */
const APPLIED_WITHIN_MS = 5_000;
const ASK_EVERY_MS = 200;

export async function intentSet(options: IntentSetOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  const document = documentOf(scrubValue(options));
  const account = oneAccount(context.settings.accounts);
  const key = placeOf(options, account.name);
  return withShelf(context.settings.ledger.url, context.log, async (shelf, store) => {
    await shelf.refresh(account.name);
    const lives = await store.openLives(account.name);
    const kept = await keepIntent(key, document, "cli", {
      shelf,
      now: () => systemClock.now(),
      newId: randomUUID,
      lifeOf: (position) => lives.findLast((life) => isIts(life, position))?.id ?? null,
      openPosition: (place, side) => openPosition(account, place, side, context),
    });
    if (kept.kind === "refused") {
      const { refusal } = kept;
      await store.append({
        kind: "intent-refused",
        ...key,
        side: document.side,
        body: intentFacts(document, refusal.message),
      });
      console.err(`backstop: refused: ${refusalText(refusal.message)}\n`);
      return 1;
    }
    const isApplied = kept.open !== null && (await appliedInTime(kept.intent, store));
    console.out(`${isApplied ? "applied" : "pending"}: ${intentLine(viewOfIntent(kept.intent))}\n`);
    if (!isApplied) console.err(pendingNote(kept));
    return 0;
  });
}

function isIts(life: Life, position: Position): boolean {
  return keyText(life.key) === keyText(position.key) && recognised(life, position) === "same";
}

function pendingNote({ open, isSeen }: Extract<Kept, { kind: "kept" }>): string {
  const note = waitingNote(isSeen);
  return open === null
    ? `${note[0]?.toUpperCase()}${note.slice(1)}, by a running sidecar or the next \`npx bybit-backstop protect\`.\n`
    : "No read has shown it at the exchange yet: a running sidecar, or the next `npx bybit-backstop protect`, puts it there, " +
        "as long as this position is open.\n";
}

export async function intentList(options: IntentListOptions, console: Console): Promise<number> {
  const { account: asked, ...config } = options;
  const { ledgerUrl } = await openOutline(config);
  return orRefusal(async () => {
    const reader = await readLedger(ledgerUrl);
    const found = (await reader?.intents({ states: ["pending", "bound"] })) ?? [];
    await reader?.close();
    const meant = found.filter(({ key }) => asked === undefined || asked.includes(key.account));
    const views = scrubValue(meant.map(viewOfIntent));
    const format = options.format ?? (console.outIsTerminal ? "table" : "json");
    console.out(format === "json" ? `${JSON.stringify({ intents: views }, null, 2)}\n` : intentsTable(views));
    return 0;
  });
}

export async function intentClear(options: PlaceOptions, console: Console): Promise<number> {
  const { ledgerUrl, accountNames } = await openOutline(options);
  const { name } = oneAccount((options.account ?? accountNames).map((one) => ({ name: one })));
  const key = placeOf(options, name);
  return withShelf(ledgerUrl, logFor(options.logLevel), async (shelf) => {
    await shelf.refresh(name);
    const isCleared = await shelf.clear(key);
    console.out(isCleared ? `cleared: ${keyText(key)}\n` : `There is no intent for ${keyText(key)}.\n`);
    return 0;
  });
}

function documentOf(options: IntentSetOptions): IntentDocument {
  const { side, stopLoss, takeProfit, ttl, orderLinkId, allowLoosen, reason, until } = options;
  const given = {
    side,
    stopLoss,
    takeProfit,
    orderLinkId,
    allowLoosen,
    reason,
    until,
    ...(ttl === undefined ? {} : { ttlSeconds: Math.ceil(ttl / 1_000) }),
  };
  const parsed = intentDocument.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Refusal(`the intent is not valid: ${intentProblems(parsed.error, given).join("; ")}`);
}

function placeOf({ category, symbol, positionIdx }: PlaceOptions, account: string): PositionKey {
  return { account, category, symbol, positionIdx };
}

function oneAccount<T extends { readonly name: string }>(accounts: readonly T[]): T {
  const [account, another] = accounts;
  if (account === undefined) throw new Refusal("the config has no account");
  if (another === undefined) return account;
  const names = accounts.map(({ name }) => name).join(", ");
  throw new Refusal(`an intent is for one account: name it with --account; there are: ${names}`);
}

async function withShelf(
  url: string,
  log: Log,
  work: (shelf: Shelf, store: Ledger) => Promise<number>,
): Promise<number> {
  return orRefusal(async () => {
    const now = () => systemClock.now();
    const store = await openLedger({ url, log, now });
    const noted: Promise<unknown>[] = [];
    try {
      // Which lives are over is for the account's writer to say.
      const isOver = () => false;
      const mayBind = () => false;
      const shelf = openShelf({
        ledger: store,
        now,
        isOver,
        mayBind,
        tell: (event) => void noted.push(store.append(intentEntry(event))),
      });
      return await work(shelf, store);
    } finally {
      await Promise.allSettled(noted);
      await store.close();
    }
  });
}

async function appliedInTime({ id, key, stopLoss, takeProfit }: Intent, store: Ledger): Promise<boolean> {
  const endMs = systemClock.monotonicMs() + APPLIED_WITHIN_MS;
  while (systemClock.monotonicMs() < endMs) {
    const lives = await store.openLives(key.account);
    const isMet = lives.some(
      ({ record }) =>
        (stopLoss === null || record.metStopIntent === id) &&
        (takeProfit === null || record.metTakeProfitIntent === id),
    );
    if (isMet && (stopLoss !== null || takeProfit !== null)) return true;
    const [kept] = await store.intents({ id });
    if (stopLoss === null && takeProfit === null && kept?.state === "bound") return true;
    await systemClock.sleep(ASK_EVERY_MS);
  }
  return false;
}

/** Where the exchange cannot be read the intent is kept all the same: nothing is ever loosened by it unseen. */
async function openPosition(
  account: AccountSettings,
  key: PositionKey,
  side: Side,
  { settings, log }: Context,
): Promise<Seen> {
  const { session } = connectOne(account, { settings, log }, "read", {
    ipBudget: createIpBudget(settings.budget.ipShare),
  });
  try {
    const memory = await readBooks(settings.ledger.url, [account.name], log);
    const sight = { reader: session.reader, policyOf: compilePolicy(settings.policy), memory };
    const found = await readOpenPosition(sight, key, side);
    if (found === "unread") log.warn({ account: account.name }, "the intent could not be held against the exchange");
    return found === null || typeof found === "string" ? found : await withOpening(found, session.fills);
  } finally {
    await session.close();
  }
}

/** It is for this life alone, which only its opening tells from the next: where the row states none the fills may. */
async function withOpening(found: Assessed, fills: FillHistory): Promise<Assessed> {
  const { position } = found;
  if (position.openedAtMs !== null) return found;
  try {
    return { ...found, position: { ...position, openedAtMs: await fills.openedAtMs(position) } };
  } catch (error) {
    if (error instanceof ExchangeFailure) return found;
    throw error;
  }
}

async function orRefusal(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerError) throw new Refusal(error.message, 1);
    throw error;
  }
}
