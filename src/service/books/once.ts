/** The books for one pass over each account: with the account's lock where it can be had, else only to read. */
import type { Picture } from "../../domain/picture.js";
import { inMemory } from "../../ledger/memory.js";
import { compilePolicy } from "../../policy/resolve.js";
import type { AccountBooks } from "../accounts.js";
import type { Connected } from "../connect.js";
import type { Ground } from "../ground.js";
import { systemClock } from "../../runtime/index.js";
import { type Books, openBooks } from "./books.js";
import { endClosedLives } from "./closed.js";
import { recogniseLives } from "./recognise.js";
import { readBooks, readOnlyBooks } from "./reading.js";
import { type Claim, claim, letGo, STANDING_BY } from "./writer.js";

export interface OpenAccountBooks {
  of(account: string): AccountBooks;
  /** Before the first pass. */
  recognise(connected: Connected): Promise<void>;
  /** After the last; `last` is what it has looked at then. */
  endClosed(connected: Connected, last: Picture, isOver: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** `read`: the accounts are only looked at; the books are not taken from whoever writes for them now. */
export async function openAccountBooks({ settings, log }: Ground, access: "read" | "write"): Promise<OpenAccountBooks> {
  const names = settings.accounts.map(({ name }) => name);
  const { url } = settings.ledger;
  if (access === "read") {
    const books = readOnlyBooks(await readBooks(url, names, log));
    const nothing = () => Promise.resolve();
    return { of: () => books, recognise: nothing, endClosed: nothing, close: () => Promise.resolve() };
  }
  const books = await openBooks({ url, log, policyOf: compilePolicy(settings.policy) });
  const claims = new Map<string, Claim>();
  for (const name of names) claims.set(name, await claim(name, books));
  const elsewhere = names.filter((name) => claims.get(name) === null);
  for (const account of elsewhere) log.warn({ account }, STANDING_BY);
  const known = elsewhere.length === 0 ? inMemory() : await readBooks(url, elsewhere, log);
  return {
    of: (account) => (claims.get(account) === null ? readOnlyBooks(known, STANDING_BY) : writtenBooks(books)),
    recognise: async ({ account, session: { reader, fills } }) => {
      const { ledger } = books;
      const isOurs = claims.get(account.name) !== null;
      if (ledger !== null && isOurs)
        await recogniseLives({ reader, fills, memory: ledger.memory, shelf: ledger.shelf });
    },
    endClosed: async ({ account, session: { reader, fills } }, last, isOver) => {
      const { ledger } = books;
      const isOurs = claims.get(account.name) !== null;
      if (ledger !== null && isOurs) {
        await endClosedLives(
          { reader, fills, memory: ledger.memory, books, sleep: (ms) => systemClock.sleep(ms), isOver },
          last,
        );
      }
    },
    close: async () => {
      // Whoever takes a lock next reads what was done before it.
      await books.flush();
      await Promise.all([...claims.values()].map(letGo));
      await books.close();
    },
  };
}

function writtenBooks(books: Books): AccountBooks {
  const { memory, journal } = books;
  return { memory, journal, frozen: null, trouble: () => books.trouble() };
}
