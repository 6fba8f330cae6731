/** Turns the frames of the private stream into pushes: one account's categories, without repetition, and of the past only that a position was flat. */
import { type Category, keyText, type PositionKey } from "../../domain/position.js";
import type { Push } from "../stream.js";
import { valueOf } from "./failures.js";
import { misshapen, symbolIn, timeOrNull, UnreadableField } from "./fields.js";
import { pushFrame } from "./schemas.js";
import { readPosition } from "./translate.js";
import { readExecution } from "./translate-execution.js";
import { readCarriedStop, readOrder, readOrderEnd } from "./translate-order.js";

export interface PushReader {
  /** What one frame tells, in its order; nothing of what was told before or concerns others. */
  read(frame: unknown): readonly Push[];
  /** For a new connection: what was missed in between is not known, so nothing counts as old. */
  forgetPast(): void;
}

export interface PushReaderOptions {
  readonly account: string;
  readonly categories: readonly Category[];
  /** The exchange's time as far as we know it, for frames that carry none. */
  readonly nowMs: () => number;
}

/** docs/v5/websocket/private: with a category in the topic, or in each row. */
const TOPIC = /^(position|order|execution)(?:\.(linear|inverse|option|spot))?$/;
const CATEGORIES: ReadonlyMap<string, Category> = new Map([
  ["linear", "linear"],
  ["inverse", "inverse"],
]);
const NOT_GUARDED: ReadonlySet<string> = new Set(["option", "spot"]);
const EXEC_IDS_KEPT = 10_000;

export function createPushReader(options: PushReaderOptions): PushReader {
  const executions = createMemory(EXEC_IDS_KEPT);
  const lastSeq = new Map<string, number>();

  function isOld(key: PositionKey, row: unknown): boolean {
    const seq = wholeNumberOf(row, "seq");
    if (seq === null) return false;
    const name = keyText(key);
    if (seq < (lastSeq.get(name) ?? 0)) return true;
    lastSeq.set(name, seq);
    return false;
  }

  function isNews(push: Push, row: unknown): boolean {
    switch (push.kind) {
      case "position-open":
        return !isOld(push.position.key, row);
      case "position-flat":
        return !isOld(push.key, row);
      case "execution":
        return executions.isNew(push.execution.execId);
      case "order-open":
      case "order-gone":
      case "unreadable":
        return true;
    }
  }

  return {
    read: (frame) => {
      const parsed = pushFrame.safeParse(frame);
      if (!parsed.success) return [unreadable(null, null, reasonOf(frame, misshapen(frame, parsed.error)))];
      const [, topic, topicCategory = ""] = TOPIC.exec(parsed.data.topic) ?? [];
      if (topic === undefined) {
        return [unreadable(null, null, new UnreadableField("topic", parsed.data.topic).message)];
      }
      const atMs = timeOrNull(parsed.data.creationTime) ?? options.nowMs();
      return parsed.data.data.flatMap((row) => {
        const push = readRow(options, { topic, topicCategory, atMs }, row);
        if (push === null || isNews(push, row)) return push ?? [];
        // That it was flat for a moment no later push tells.
        return push.kind === "position-flat" ? { ...push, isOutdated: true } : [];
      });
    },
    forgetPast: () => lastSeq.clear(),
  };
}

function reasonOf(frame: unknown, misfit: UnreadableField): string {
  return typeof frame === "object" && frame !== null ? misfit.message : "the frame is no JSON object";
}

interface FrameFacts {
  readonly topic: string;
  /** Empty for topics that hold all categories. */
  readonly topicCategory: string;
  readonly atMs: number;
}

/** Null: nothing that this account's owner asked us to watch. */
function readRow(options: PushReaderOptions, frame: FrameFacts, row: unknown): Push | null {
  const stated = valueOf(row, "category");
  const word = stated === undefined || stated === "" ? frame.topicCategory : stated;
  const category = typeof word === "string" ? CATEGORIES.get(word) : undefined;
  if (category === undefined) {
    if (typeof word === "string" && NOT_GUARDED.has(word)) return null;
    return unreadable(null, symbolIn(row), new UnreadableField("category", word).message);
  }
  if (!options.categories.includes(category)) return null;
  switch (frame.topic) {
    case "position":
      return positionPush(options.account, category, frame.atMs, row);
    case "order":
      return orderPush(category, frame.atMs, row);
    default:
      return executionPush(category, row);
  }
}

function positionPush(account: string, category: Category, atMs: number, row: unknown): Push {
  const read = readPosition(account, category, row);
  switch (read.kind) {
    case "open":
      return { kind: "position-open", position: read.position, atMs };
    case "flat": {
      const { symbol, positionIdx } = read;
      if (symbol === null || symbol === "" || positionIdx === null) {
        return unreadable(category, symbolIn(row), "a flat row that does not name its position");
      }
      const key = { account, category, symbol, positionIdx };
      const changedAtMs = wholeNumberOf(row, "updatedTime") ?? 0;
      const isRepeated = changedAtMs > 0 && changedAtMs < atMs;
      return { kind: "position-flat", key, ...(isRepeated ? { changedAtMs } : {}), atMs };
    }
    case "unreadable":
      return unreadable(category, read.row.symbol, read.row.reason);
  }
}

function orderPush(category: Category, atMs: number, row: unknown): Push {
  const end = readOrderEnd(row);
  if (end !== null) {
    const { symbol, orderId, how, carriedStop } = end;
    return { kind: "order-gone", contract: { category, symbol }, orderId, how, carriedStop, atMs };
  }
  const read = readOrder(category, row);
  switch (read.kind) {
    case "open":
      return { kind: "order-open", order: read.order, carriedStop: readCarriedStop(row), atMs };
    case "closed":
      return unreadable(category, symbolIn(row), "an ended order that does not name its contract");
    case "unreadable":
      return unreadable(category, read.row.symbol, read.row.reason);
  }
}

function executionPush(category: Category, row: unknown): Push | null {
  const read = readExecution(row);
  switch (read.kind) {
    case "execution":
      return { kind: "execution", contract: { category, symbol: read.symbol }, execution: read.execution };
    case "no-fill":
      return null;
    case "unreadable":
      return unreadable(category, symbolIn(row), read.reason);
  }
}

function unreadable(category: Category | null, symbol: string | null, reason: string): Push {
  return { kind: "unreadable", category, symbol, reason };
}

/** docs/v5/websocket/private/position: a `seq` of -1 where the symbol was never traded orders nothing; nor does blank text. */
function wholeNumberOf(row: unknown, field: string): number | null {
  const stated = valueOf(row, field) ?? "";
  const isBlank = typeof stated === "string" && stated.trim() === "";
  const number = isBlank ? Number.NaN : Number(stated);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** Remembers the newest names only. */
function createMemory(most: number): { isNew(name: string): boolean } {
  const names = new Set<string>();
  return {
    isNew: (name) => {
      if (names.has(name)) return false;
      names.add(name);
      if (names.size > most) for (const oldest of names) return names.delete(oldest);
      return true;
    },
  };
}
