/** One of the exchange's lists of contracts: kept for an hour, and what it has shown while it cannot be had anew. */
import type { Instrument } from "../../domain/instrument.js";
import type { Category } from "../../domain/position.js";
import { ExchangeFailure } from "../failure.js";
import { oneAtATime, type Wait } from "./asking.js";
import type { Clock } from "./budget.js";
import type { Client } from "./client.js";
import { valueOf } from "./failures.js";
import { symbolIn } from "./fields.js";
import { readPages, type PagedList, symbolRowKey } from "./paging.js";
import { pageOfRows } from "./schemas.js";
import { readInstrument } from "./translate.js";

export const INSTRUMENTS_PATH = "/v5/market/instruments-info";

export interface ContractList {
  /** What it showed when it was read last. */
  shown(): Shown;
  /** Whether that was within the hour, and its rules are not in doubt since. */
  isFresh(): boolean;
  /** Whether it has ever been read. */
  isKnown(): boolean;
  /** Why it may hold more than it has shown; null: that was all within the hour. */
  lack(): string | null;
  /** Asks for it where that is due. */
  ask(): Wait;
  /** It is asked for anew at the next occasion: ticks may have changed. What is listed has not, as far as anybody knows. */
  expire(): void;
}

interface Shown {
  /** By symbol. */
  readonly instruments: ReadonlyMap<string, Instrument>;
  /** Of every row, whether or not the rest of it can be read. */
  readonly symbols: ReadonlySet<string>;
  /** Every coin that a contract names as the one it settles in, whether or not the rest of its row can be read. */
  readonly settleCoins: ReadonlySet<string>;
  /** Some rows do not name theirs. */
  readonly isNameless: boolean;
}

export interface ContractListOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly category: Category;
  /** Absent: contracts in normal trading. */
  readonly status?: string;
}

const LIFETIME_MS = 60 * 60_000;
/** It is renewed so long after, so that no look has to wait for it. */
const RENEWED_AFTER_MS = 50 * 60_000;
/** A list that brings what can mostly be done without, and one that is whole but for a coin, must not be asked for at each look. */
const AGAIN_MS = 30_000;
const PAGE_LIMIT = 1_000;
const NOTHING: Shown = { instruments: new Map(), symbols: new Set(), settleCoins: new Set(), isNameless: false };
const NOT_IN_TIME = new ExchangeFailure({
  kind: "not-happened",
  cause: "timeout",
  endpoint: `GET ${INSTRUMENTS_PATH}`,
});
const NOT_WAITED_FOR: Wait = () => Promise.resolve(true);

export function createContractList(options: ContractListOptions): ContractList {
  const { client, clock, category, status } = options;
  const isExtra = status !== undefined;
  let shown = NOTHING;
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  let isKnown = false;
  let isInDoubt = false;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let failure: ExchangeFailure | null = null;

  const askAnew = oneAtATime(async () => {
    triedAtMs = clock.monotonicMs();
    const read = await readList(client, category, status);
    failure = read.complete ? null : read.failure;
    // An extra list that the exchange refuses holds nothing; one that it failed to give may hold a coin of its own.
    if (isExtra && failure?.facts.kind === "refused") failure = null;
    if (failure !== null) return;
    shown = read.complete ? shownBy(category, read.rows) : NOTHING;
    isKnown = true;
    isInDoubt = false;
    loadedAtMs = clock.monotonicMs();
  });

  const ageMs = (): number => clock.monotonicMs() - loadedAtMs;
  const isRecent = (): boolean => ageMs() < LIFETIME_MS;
  const isFresh = (): boolean => isRecent() && !isInDoubt;

  function isDue(): boolean {
    const isRested = clock.monotonicMs() - triedAtMs >= AGAIN_MS;
    if (isFresh()) return isRested && (shown.isNameless || ageMs() >= RENEWED_AFTER_MS);
    return failure === null || !isExtra || isRested;
  }

  return {
    shown: () => shown,
    isFresh,
    isKnown: () => isKnown,
    lack: () => {
      if (!isRecent()) return (failure ?? NOT_IN_TIME).message;
      return shown.isNameless ? "a contract does not say in which coin it settles" : null;
    },
    ask: () => {
      if (!isDue()) return NOT_WAITED_FOR;
      const wait = askAnew();
      return isFresh() || (isExtra && failure !== null) ? NOT_WAITED_FOR : wait;
    },
    expire: () => {
      isInDoubt = true;
    },
  };
}

function shownBy(category: Category, rows: readonly unknown[]): Shown {
  const instruments = rows.map((row) => readInstrument(category, row)).filter((row) => row !== null);
  const coins = rows.map((row) => valueOf(row, "settleCoin"));
  const isNamed = (coin: unknown): coin is string => typeof coin === "string" && coin !== "";
  return {
    instruments: new Map(instruments.map((instrument) => [instrument.symbol, instrument])),
    symbols: new Set(rows.map(symbolIn).filter((symbol) => symbol !== null)),
    settleCoins: new Set(coins.filter(isNamed)),
    isNameless: !coins.every(isNamed),
  };
}

function readList(client: Client, category: Category, status: string | undefined): Promise<PagedList> {
  return readPages({
    endpoint: `GET ${INSTRUMENTS_PATH}`,
    limit: PAGE_LIMIT,
    keyOf: symbolRowKey,
    fetchPage: async (cursor) => {
      const answer = await client.read({
        method: "GET",
        path: INSTRUMENTS_PATH,
        params: {
          category,
          limit: PAGE_LIMIT,
          ...(status === undefined ? {} : { status }),
          ...(cursor === undefined ? {} : { cursor }),
        },
        limitClass: "market",
        schema: pageOfRows,
      });
      return { rows: answer.result.list, nextCursor: answer.result.nextPageCursor ?? "" };
    },
  });
}
