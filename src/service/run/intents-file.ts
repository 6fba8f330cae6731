/** The intents file beside the running sidecar: looked at each second, told in log, events and ledger. */
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { seenAtMs } from "../../domain/picture.js";
import { keyText, type PositionKey, type Side } from "../../domain/position.js";
import { type FileNews, keepFile } from "../../intents/file-keeper.js";
import { type FileReader, type FileWatch, watchFile } from "../../intents/file-watch.js";
import { type Log, systemClock } from "../../runtime/index.js";
import type { GuardParts } from "../../sidecar/parts.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import type { Books } from "../books/books.js";
import { missedBy } from "../books/recognise.js";
import { intentFacts, keyFacts } from "../books/step-facts.js";
import type { Current } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Hub } from "./desk-events.js";
import { readOpenPosition } from "./open-position.js";

export interface IntentsFileParts {
  readonly current: Current;
  readonly books: Books;
  readonly accounts: Accounts;
  readonly sidecar: Sidecar;
  readonly hub: Hub;
  readonly log: Log;
}

/** Null: there is no ledger to keep intents in. */
export function watchIntentsFile(parts: IntentsFileParts): FileWatch | null {
  const { current, books, accounts, sidecar, log } = parts;
  const path = () => current.settings.intents?.file ?? null;
  if (books.ledger === null) {
    if (path() !== null) log.warn({ file: path() }, "the intents file is not watched: this run keeps no intents");
    return null;
  }
  const { shelf, store } = books.ledger;
  const tell = (news: FileNews) => tellNews(news, path(), parts);
  const guardOf = (account: string) => accounts.guards().find(({ name }) => name === account) ?? null;
  const keeper = keepFile({
    shelf,
    ledger: store,
    ours: () => accounts.written(),
    openPosition: async (key, side) => {
      const guard = guardOf(key.account);
      return guard === null ? "unread" : readOpenPosition(guard.pass, key, side);
    },
    seenSince: (key, side, sinceMs) => seenSince(sidecar, key, side, sinceMs),
    missed: async (intent, position) => {
      const fills = accounts.fillsOf(intent.key.account);
      return fills === null ? null : missedBy(intent, position?.position ?? null, fills);
    },
    takeUp: ({ position }) => takeUp(guardOf(position.key.account), position),
    look: (key) => sidecar.look(key.account, key),
    tell,
    now: () => systemClock.now(),
    steadyMs: () => systemClock.steadyMs(),
  });
  return watchFile({
    path,
    files,
    keeper,
    accountNames: () => current.settings.accountNames,
    tell,
    now: () => systemClock.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
}

/** An intent is in force from its recall on. */
function takeUp(guard: GuardParts | null, position: Parameters<GuardParts["pass"]["memory"]["recall"]>[0]): void {
  guard?.pass.memory.recall(position);
}

const files: FileReader = {
  stamp: async (path) => {
    try {
      const { mtimeNs, ctimeNs, mtimeMs, size, ino } = await stat(path, { bigint: true });
      return { mtimeMs: Number(mtimeMs), size: Number(size), text: [mtimeNs, ctimeNs, size, ino].join("/") };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
  },
  read: async (path) => {
    // Non-blocking, so that a pipe without a writer is refused instead of waited for.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) throw new Error("it is no plain file");
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  },
};

function seenSince(sidecar: Sidecar, key: PositionKey, side: Side, sinceMs: number) {
  const latest = sidecar.latest().get(key.account);
  if (latest === undefined || seenAtMs(latest.picture, key) <= sinceMs) return undefined;
  const { snapshot, positions, unseen } = latest.assessment;
  if (snapshot.gaps.length > 0 || unseen.length > 0) return undefined;
  const name = keyText(key);
  return positions.find(({ position }) => keyText(position.key) === name && position.side === side) ?? null;
}

function tellNews(news: FileNews, file: string | null, { books, hub, log }: IntentsFileParts): void {
  switch (news.kind) {
    case "read":
      for (const { where, key } of news.strangers)
        log.warn(
          { file, entry: where, account: key.account },
          "an entry of the intents file is for an account that the config has not",
        );
      return log.info({ file, intents: news.intents }, "the intents file was read");
    case "invalid": {
      const { problems } = news;
      hub.tellFile({ change: "file-invalid", file, problems });
      return log.warn({ file, problems }, "the intents file is not valid, and changes nothing");
    }
    case "refused": {
      const { entry, refusal } = news;
      const { where, key, wish } = entry;
      const placed = { ...keyFacts(key), side: wish.side };
      const { code, message } = refusal;
      books.note({ kind: "intent-refused", ...placed, body: intentFacts({ who: "file", ...wish }, message) });
      hub.tellFile({ change: "refused", ...placed, file, where, code, message });
      return log.warn({ ...placed, file, where, code }, `an intent of the file was refused: ${message}`);
    }
    case "over": {
      const { where, key, wish } = news.entry;
      const facts = { ...keyFacts(key), side: wish.side, file, where, how: news.how };
      hub.tellFile({ change: "over", ...facts });
      return log.info(
        facts,
        "an entry of the intents file has had its time; to want the same again, give it another id",
      );
    }
    case "unwritten":
      return log.error({ file, reason: news.reason }, "an intent of the file could not be kept; it is tried again");
  }
}
