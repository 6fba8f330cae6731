/** Which entries somebody wants to see, and how to walk through a ledger until enough of them are found. */
import type { Entry, HistoryFilter, Ledger } from "../../ledger/port.js";
import { glob } from "../../policy/resolve.js";

export interface Choice {
  /** Empty: all, also those that are not in the config any more. */
  readonly accounts: readonly string[];
  /** Symbols, or globs such as BTC*; empty: all. */
  readonly symbols: readonly string[];
  /** Kinds, or groups of them; empty: all. */
  readonly kinds: readonly string[];
  /** Wall clock, milliseconds since 1970; null: from the beginning. */
  readonly sinceMs: number | null;
}

/** By the beginning of their kinds, so that kinds which come later belong to them too. */
const GROUPS: Readonly<Record<string, string>> = {
  steps: "step-",
  lives: "life-",
  intents: "intent-",
  findings: "finding",
};

export function matcher({ accounts, symbols, kinds, sinceMs }: Choice): (entry: Entry) => boolean {
  const globs = symbols.map((symbol) => glob(symbol));
  const isKind = kindMatcher(kinds);
  return ({ account, symbol, kind, atMs }) =>
    (accounts.length === 0 || (account !== null && accounts.includes(account))) &&
    (globs.length === 0 || (symbol !== null && globs.some((matches) => matches(symbol)))) &&
    isKind(kind) &&
    (sinceMs === null || atMs >= sinceMs);
}

function kindMatcher(kinds: readonly string[]): (kind: string) => boolean {
  if (kinds.length === 0) return () => true;
  return (kind) =>
    kinds.some((wanted) => {
      const beginning = GROUPS[wanted];
      return kind === wanted || (beginning !== undefined && kind.startsWith(beginning));
    });
}

const PAGE = 1000;

/** Every page that may hold something of the choice, newest first; a page may hold other entries too. */
export async function* pagesOf(ledger: Pick<Ledger, "history">, choice: Choice): AsyncGenerator<readonly Entry[]> {
  const filter = filterOf(choice);
  let beforeId: number | undefined;
  for (;;) {
    const page = await ledger.history({ ...filter, limit: PAGE, ...(beforeId === undefined ? {} : { beforeId }) });
    if (page.length > 0) yield page;
    beforeId = page.at(-1)?.id;
    const { sinceMs } = choice;
    // Clocks are set back at times: only a whole page of older ones is the end.
    const isPast = sinceMs !== null && page.every(({ atMs }) => atMs < sinceMs);
    if (page.length < PAGE || isPast) return;
  }
}

/** What the ledger can look for by itself; `matcher` looks for the rest. */
function filterOf({ accounts, kinds }: Choice): Omit<HistoryFilter, "limit"> {
  const [account] = accounts;
  const isExact = kinds.length > 0 && kinds.every((kind) => GROUPS[kind] === undefined);
  return {
    ...(account !== undefined && accounts.length === 1 ? { account } : {}),
    ...(isExact ? { kinds } : {}),
  };
}

export interface Found<T> {
  /** Newest first. */
  readonly shown: readonly T[];
  /** There are older ones that fit. */
  readonly isCut: boolean;
}

export async function findEntries(
  ledger: Pick<Ledger, "history">,
  choice: Choice,
  limit: number,
): Promise<Found<Entry>> {
  const isWanted = matcher(choice);
  const found: Entry[] = [];
  for await (const page of pagesOf(ledger, choice)) {
    found.push(...page.filter(isWanted));
    if (found.length > limit) break;
  }
  return { shown: found.slice(0, limit), isCut: found.length > limit };
}
