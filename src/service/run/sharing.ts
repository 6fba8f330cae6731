/** What all accounts of the sidecar share, and who hears of what happens to them. */
import { print } from "../../domain/decimal.js";
import { createIpBudget } from "../../exchange/bybit/index.js";
import type { IntentEvent } from "../../intents/shelf.js";
import type { NewEntry } from "../../ledger/port.js";
import type { Log } from "../../runtime/index.js";
import type { Contract } from "../../domain/snapshot.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import { type Books, type BooksParts, booksInMemory, openBooks } from "../books/books.js";
import { readBooks } from "../books/reading.js";
import { keyFacts } from "../books/step-facts.js";
import type { Ground } from "../ground.js";
import type { Current, Shared } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Hub } from "./desk-events.js";
import { noteEvents } from "./notes.js";
import type { Operations } from "./operations.js";
import { endUnseenLives, findFills, recoverOpenings } from "./upkeep.js";

/** A dry run is nobody's writer: it remembers what the ledger holds, and adds nothing to it. */
export async function booksFor(
  isDryRun: boolean,
  { settings, log }: Ground,
  parts: Pick<BooksParts, "policyOf" | "onIntent">,
): Promise<Books> {
  const { url } = settings.ledger;
  if (!isDryRun) return openBooks({ url, log, ...parts });
  const names = settings.accounts.map(({ name }) => name);
  const memory = await readBooks(url, names, log);
  // It ends no life, so what closes would be asked for by name for ever.
  return { ...booksInMemory(), memory: { ...memory, openContracts: () => [] } };
}

export function intentTold(event: IntentEvent, hub: Hub, log: Log): void {
  hub.tellIntent(event);
  const { key, side, stopLoss, takeProfit, waiver, who, endedHow } = event.intent;
  const levels = { stopLoss: stopLoss && print(stopLoss), takeProfit: takeProfit && print(takeProfit), waiver };
  log.info(
    { ...keyFacts(key), side, ...levels, who, ...(endedHow === null ? {} : { how: endedHow }) },
    `intent ${event.change}`,
  );
}

/** What happens to an account is written down once: by its writer, and by none of those that stand by. */
function asWriter(books: Books, isWriter: (account: string) => boolean): Books {
  const isOurs = ({ account }: NewEntry) => account === undefined || isWriter(account);
  return {
    ...books,
    note: (entry) => (isOurs(entry) ? books.note(entry) : undefined),
    noteComing: (entry) => books.noteComing(entry.then((one) => (one !== null && isOurs(one) ? one : null))),
  };
}

export interface Making {
  readonly current: Current;
  readonly books: Books;
  readonly operations: Pick<Operations, "tell">;
  readonly hub: Pick<Hub, "tell">;
  readonly isDryRun: boolean;
  /** Null until it has started. */
  readonly sidecar: () => Sidecar | null;
  readonly accounts: () => Accounts | null;
}

export function sharedBy({ settings, log, pauses }: Omit<Ground, "progress">, making: Making): Shared {
  const { current, books, operations, hub, isDryRun, sidecar, accounts } = making;
  const sight = {
    latest: (account: string) => sidecar()?.latest().get(account)?.assessment ?? null,
    fillsOf: (account: string) => accounts()?.fillsOf(account) ?? null,
  };
  const look = (account: string, contract: Contract) => sidecar()?.look(account, contract);
  const noted = asWriter(books, (account) => accounts()?.written().includes(account) ?? true);
  const listeners = [
    (event: SidecarEvent) => operations.tell(event),
    noteEvents(noted),
    (event: SidecarEvent) => hub.tell(event),
    endUnseenLives(noted, sight),
    recoverOpenings(books, sight, { log, look }),
    findFills(books, sight, look),
  ];
  return {
    current,
    pauses,
    log,
    ipBudget: createIpBudget(settings.budget.ipShare),
    books,
    isDryRun,
    tell: (event) => {
      for (const listener of listeners) listener(event);
    },
    onNews: (account, contract) => sidecar()?.look(account, contract),
  };
}
