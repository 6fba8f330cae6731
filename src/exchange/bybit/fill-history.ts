/** Reads fills backwards, a week at a time, until they tell when a position was opened or what ended it. */
import {
  type Closing,
  closingOf,
  type Fill,
  type LegSize,
  legSize,
  type OddFill,
  openingOf,
  openingsSince,
} from "../../domain/fills.js";
import { dec } from "../../domain/decimal.js";
import type { PositionKey } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import type { FillHistory } from "../fills.js";
import type { Clock } from "./budget.js";
import type { Client } from "./client.js";
import { type Endpoint, readPositionsOf, readRowsOf } from "./lists.js";
import { executionRowKey } from "./paging.js";
import { readFill } from "./translate-fill.js";

export interface FillHistoryParts {
  readonly account: string;
  readonly client: Client;
  readonly clock: Clock;
}

/** All fills of a contract from `sinceMs` on, as far as they are needed. */
interface AtHand {
  readonly fills: readonly (Fill | OddFill)[];
  readonly sinceMs: number;
}

/** docs/v5/order/execution: the longest stretch of time that one question may be about. */
const WINDOW_MS = 7 * 24 * 3_600_000;
/** Half a year: a position that is older than that is not worth more requests. */
const MOST_WINDOWS = 26;
const MOST_PAGES = 60;
/** How far the exchange's clock may be ahead of what we think it is: the newest fills must not be cut off. */
const CLOCK_SPARE_MS = 60_000;

const EXECUTIONS = {
  path: "/v5/execution/list",
  limitClass: "fills",
  limit: 100,
  keyOf: executionRowKey,
} as const;

export function createFillHistory(parts: FillHistoryParts): FillHistory {
  return {
    account: parts.account,
    openedAtMs: async ({ key, side, size }) => {
      const leg = legSize(key.positionIdx, side, size);
      const isTold = ({ fills }: AtHand): boolean => openingOf(leg, fills).kind !== "further-back";
      const read = await readBack(parts, key, isTold);
      const opening = read === null ? null : openingOf(leg, read.fills);
      if (opening?.kind !== "opened") return null;
      return (await isStill(parts, key, leg)) ? opening.atMs : null;
    },
    closedSince: async (key, side, sinceMs): Promise<Closing | null> => {
      const leg = await legNow(parts, key);
      if (leg === null) return null;
      const read = await readBack(parts, key, (atHand) => atHand.sinceMs <= sinceMs);
      const closing = read === null ? null : closingOf(leg, side, sinceMs, read.fills);
      return closing !== null && (await isStill(parts, key, leg)) ? closing : null;
    },
    filledSince: async (contract, sinceMs) => {
      const read = await readBack(parts, contract, (atHand) => atHand.sinceMs <= sinceMs);
      return read === null ? null : filledOrders(read.fills, sinceMs);
    },
    firstOpeningSince: async (key, side, sinceMs) => {
      const leg = await legNow(parts, key);
      if (leg === null) return null;
      const read = await readBack(parts, key, (atHand) => atHand.sinceMs <= sinceMs);
      const openings = read === null ? null : openingsSince(leg, side, sinceMs, read.fills);
      return openings !== null && (await isStill(parts, key, leg)) ? (openings.at(-1) ?? null) : null;
    },
    stopFilledSince: async (contract, side, sinceMs) => {
      const read = await readBack(parts, contract, (atHand) => atHand.sinceMs <= sinceMs);
      const closing = side === "long" ? "sell" : "buy";
      const isStop = (fill: Fill | OddFill) =>
        fill.kind === "fill" && fill.by === "its stop" && fill.direction === closing && fill.atMs >= sinceMs;
      return read === null ? null : read.fills.some(isStop);
    },
  };
}

function filledOrders(fills: AtHand["fills"], sinceMs: number): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const fill of fills) {
    if (fill.kind !== "fill" || fill.atMs < sinceMs || fill.orderLinkId === "" || fill.closed.eq(fill.quantity))
      continue;
    first.set(fill.orderLinkId, Math.min(fill.atMs, first.get(fill.orderLinkId) ?? fill.atMs));
  }
  return first;
}

/** A fill between the two reads would make one speak of another size than the other. */
async function isStill(parts: FillHistoryParts, key: PositionKey, leg: LegSize): Promise<boolean> {
  return (await legNow(parts, key))?.size.eq(leg.size) ?? false;
}

/** Null: its row does not tell. @throws ExchangeFailure */
async function legNow({ client, account }: FillHistoryParts, key: PositionKey): Promise<LegSize | null> {
  const { category, symbol, positionIdx } = key;
  const read = await readPositionsOf(client, account, { category, symbol });
  if (read.failure !== null) throw read.failure;
  if (read.unreadable.length > 0) return null;
  const open = read.positions.find((position) => position.key.positionIdx === positionIdx);
  if (open !== undefined) return legSize(positionIdx, open.side, open.size);
  const isFlat = read.flat.some((leg) => leg.symbol === symbol && leg.positionIdx === positionIdx);
  return isFlat ? { positionIdx, size: dec("0") } : null;
}

/** Null: not enough within the bounds, or the exchange does not keep to the times it is asked for. @throws ExchangeFailure */
async function readBack(
  parts: FillHistoryParts,
  contract: Contract,
  isEnough: (atHand: AtHand) => boolean,
): Promise<AtHand | null> {
  const nowMs = parts.clock.now() - (parts.client.skewMs() ?? 0);
  let window: Window = { fromMs: Math.ceil(nowMs) + CLOCK_SPARE_MS - WINDOW_MS, untilMs: null };
  let newer: readonly (Fill | OddFill)[] = [];
  let pagesLeft = MOST_PAGES;
  for (let windows = 0; windows < MOST_WINDOWS && pagesLeft > 0; windows += 1) {
    const read = await readWindow(parts.client, contract, window, pagesLeft, (atHand) =>
      isEnough({ ...atHand, fills: [...newer, ...atHand.fills] }),
    );
    if (read === null) return null;
    const atHand = { fills: [...newer, ...read.fills], sinceMs: read.sinceMs };
    if (isEnough(atHand)) return atHand;
    newer = atHand.fills;
    pagesLeft -= read.pages;
    window = { fromMs: window.fromMs - WINDOW_MS, untilMs: window.fromMs };
  }
  return null;
}

interface Window {
  readonly fromMs: number;
  /** Null: a week on, which is just ahead of now. */
  readonly untilMs: number | null;
}

async function readWindow(
  client: Client,
  contract: Contract,
  { fromMs, untilMs }: Window,
  pagesLeft: number,
  isEnough: (atHand: AtHand) => boolean,
): Promise<(AtHand & { readonly pages: number }) | null> {
  const fillsIn = translator();
  let partSinceMs: number | null = null;
  let pages = 1;
  const endpoint: Endpoint = {
    ...EXECUTIONS,
    isEnough: (rows) => {
      const part = newestOf(fillsIn(rows));
      const isDone = pages >= pagesLeft || (part !== null && isEnough(part));
      if (isDone) partSinceMs = part?.sinceMs ?? Number.MAX_SAFE_INTEGER;
      else pages += 1;
      return isDone;
    },
  };
  const times = { startTime: fromMs, ...(untilMs === null ? {} : { endTime: untilMs }) };
  const read = await readRowsOf(client, endpoint, contract, times);
  if (!read.complete) throw read.failure;
  const fills = fillsIn(read.rows);
  const isOutside = fills.some(({ atMs }) => atMs !== null && (atMs < fromMs || atMs > (untilMs ?? atMs)));
  return isOutside ? null : { ...since(fills, partSinceMs ?? fromMs), pages };
}

/** Of the first pages only what is surely whole: the oldest moment may go on on the next. Null: they are in no order. */
function newestOf(fills: readonly (Fill | OddFill)[]): AtHand | null {
  const times = fills.map(({ atMs }) => atMs ?? Number.NaN);
  const oldestMs = times.at(-1);
  const isOrdered = times.every((atMs, index) => index === 0 || atMs <= (times[index - 1] ?? Number.NaN));
  return oldestMs === undefined || !isOrdered ? null : since(fills, oldestMs + 1);
}

function since(fills: readonly (Fill | OddFill)[], sinceMs: number): AtHand {
  return { fills: fills.filter(({ atMs }) => atMs === null || atMs >= sinceMs), sinceMs };
}

/** Rows only become more, and each is read once. */
function translator(): (rows: readonly unknown[]) => readonly (Fill | OddFill)[] {
  const fills: (Fill | OddFill)[] = [];
  let count = 0;
  return (rows) => {
    fills.push(
      ...rows
        .slice(count)
        .map(readFill)
        .filter((fill) => fill !== null),
    );
    count = rows.length;
    return fills;
  };
}
