/** Keeps an account's books in step with the world: intents that others put there, and lives that ended unseen. */
import type { Assessment } from "../../assess/assess.js";
import { keyText, type Position } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { FillHistory } from "../../exchange/fills.js";
import { LedgerError } from "../../ledger/port.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import type { Log } from "../../runtime/index.js";
import type { Books } from "../books/books.js";
import { closingOf, UNWATCHED } from "../books/closed.js";
import { recogniseFilled } from "../books/recognise.js";
import type { StandbyBooks } from "../books/standby.js";
import { keyFacts } from "../books/step-facts.js";

const REFRESH_EVERY_MS = 1_000;
const RETRY_EVERY = 5;

export interface Upkeep {
  close(): void;
}

/** `look`: an intent has come in for this contract. */
export function keepIntents(
  account: string,
  { books, standby }: { readonly books: Books; readonly standby: StandbyBooks },
  look: (contract: Contract) => void,
): Upkeep {
  const { ledger } = books;
  let rounds = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function refresh(): Promise<void> {
    await standby.refresh();
    try {
      for (const { key } of (await ledger?.shelf.refresh(account)) ?? []) look(key);
    } catch (error) {
      // That the ledger cannot be read is told where it hinders: nothing is known anew, and nothing is forgotten.
      if (!(error instanceof LedgerError)) throw error;
    }
    rounds += 1;
    if (rounds % RETRY_EVERY === 0 && books.trouble() !== null) await tryToWrite();
    again();
  }

  /** What waits because nothing can be written must not wait for something to be written. */
  async function tryToWrite(): Promise<void> {
    books.retry(account);
    await ledger?.memory.flush();
  }

  function again(): void {
    if (!isClosed && ledger !== null) timer = setTimeout(() => void refresh(), REFRESH_EVERY_MS);
  }

  again();
  return {
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

export interface Sight {
  readonly latest: (account: string) => Assessment | null;
  /** Null: the account is not open any more. */
  readonly fillsOf: (account: string) => FillHistory | null;
}

/**
 * A position has opened, and an intent waits for an order that may have done it: where the stream has not told, the
 * fills are asked, and what they tell calls for a look.
 */
export function findFills(
  { ledger }: Books,
  { fillsOf }: Pick<Sight, "fillsOf">,
  look: (account: string, contract: Contract) => void,
): (event: SidecarEvent) => void {
  return (event) => {
    if (event.kind !== "life" || ledger === null || !["opened", "seen", "grew"].includes(event.change)) return;
    const { key, side } = event;
    const fills = fillsOf(key.account);
    if (fills === null || !ledger.shelf.isAwaited({ key, side })) return;
    void recogniseFilled({ account: key.account, fills, shelf: ledger.shelf }).then(() => look(key.account, key));
  };
}

/**
 * The exchange does not state when some positions were opened: their fills are asked while nobody waits for it, once,
 * and again when the stream was down, for they may have closed and opened anew meanwhile.
 */
export function recoverOpenings(
  { ledger }: Books,
  { latest, fillsOf }: Sight,
  { log, look }: { readonly log: Log; readonly look: (account: string, contract: Contract) => void },
): (event: SidecarEvent) => void {
  const asked = new Set<string>();
  return (event) => {
    if (event.kind === "stream" && event.state === "down") ledger?.memory.doubt(event.account);
    if (event.kind !== "pass" || !event.whole || ledger === null) return;
    const fills = fillsOf(event.account);
    for (const { position } of latest(event.account)?.positions ?? []) {
      if (position.openedAtMs !== null || fills === null) continue;
      const life = ledger.memory.lifeOf(position);
      const isDoubted = ledger.memory.isDoubted(position);
      if (!isDoubted && (life.openedAtMs !== null || asked.has(life.id))) continue;
      asked.add(life.id);
      void recover(position, fills).catch(notRead);
    }
  };

  async function recover(position: Position, fills: FillHistory): Promise<void> {
    const openedAtMs = await fills.openedAtMs(position);
    if (openedAtMs === null) return;
    const wasDoubted = ledger?.memory.isDoubted(position) ?? false;
    ledger?.memory.lifeOf({ ...position, openedAtMs });
    if (wasDoubted) look(position.key.account, position.key);
    log.debug({ ...keyFacts(position.key), openedAtMs }, "its fills tell when the position was opened");
  }
}

/** Ends the lives of positions that two complete looks at everything, one after the other, have not shown. */
export function endUnseenLives(books: Books, { latest, fillsOf }: Sight): (event: SidecarEvent) => void {
  const missing = new Map<string, ReadonlySet<string>>();
  return (event) => {
    if (event.kind !== "pass" || !event.whole || event.result !== "complete") return;
    const assessment = latest(event.account);
    if (assessment === null) return;
    const before = missing.get(event.account) ?? new Set();
    missing.set(event.account, endUnseen(event.account, assessment, before, { books, fills: fillsOf(event.account) }));
  };
}

/** Answers with the lives that this look has not shown. */
function endUnseen(
  account: string,
  { snapshot, positions, unseen }: Assessment,
  missing: ReadonlySet<string>,
  { books, fills }: { readonly books: Books; readonly fills: FillHistory | null },
): ReadonlySet<string> {
  const { ledger } = books;
  if (ledger === null || snapshot.gaps.length > 0 || unseen.length > 0) return missing;
  const open = new Set(positions.map(({ position }) => `${keyText(position.key)}/${position.side}`));
  const gone = ledger.memory.openLives(account).filter(({ key, side }) => !open.has(`${keyText(key)}/${side}`));
  for (const life of gone.filter(({ id }) => missing.has(id))) {
    ledger.memory.end(life.key, UNWATCHED);
    books.noteComing(closingOf(life, fills));
  }
  return new Set(gone.map(({ id }) => id));
}

function notRead(error: unknown): null {
  if (error instanceof ExchangeFailure) return null;
  throw error;
}
