/** An intents file for tests, watched over a real shelf: what stands in it, when it was written, and each look. */
import { onTestFinished } from "vitest";
import type { Assessed } from "../../src/assess/assess.js";
import { keepFile } from "../../src/intents/file-keeper.js";
import { watchFile } from "../../src/intents/file-watch.js";
import { KEY, NOW_MS, openStage, type ShelfStage } from "./stage.js";

export interface FileStage extends ShelfStage {
  /** Null takes it away. */
  write(content: unknown): void;
  /** As the latest complete look, and a read at any moment, show it; `account` main, BTCUSDT. */
  open: Assessed | null;
  ours: readonly string[];
  /** Of the config. */
  accountNames: readonly string[];
  /** Why what was written while nobody looked is not for what is open; null: nothing tells. */
  missed: string | null;
  /** Why reading fails; null: it does not. */
  trouble: Error | null;
  /** The next look, and what is told of it. */
  look(): Promise<readonly string[]>;
  /** A new process over the same file and ledger. */
  restart(): Promise<readonly string[]>;
  /** Positions for which the open one was taken up. */
  readonly taken: string[];
}

export const LONG = { symbol: "BTCUSDT", side: "long", stopLoss: "90" };

export async function openFile(written: unknown = null): Promise<FileStage> {
  const stage = await openStage();
  const taken: string[] = [];
  const news: string[] = [];
  let file: { readonly text: string; readonly mtimeMs: number } | null = null;
  let shelf = stage.shelf;
  let due: (() => void) | null = null;
  let looked: () => void = () => undefined;
  let close = () => Promise.resolve();

  function start(): Promise<void> {
    const first = nextLook();
    const watch = watchFile({
      path: () => "state/intents.json",
      files: {
        stamp: () => {
          if (opened.trouble !== null) return Promise.reject(opened.trouble);
          if (file === null) return Promise.resolve(null);
          const { mtimeMs, text } = file;
          return Promise.resolve({ mtimeMs, size: text.length, text: `${mtimeMs}` });
        },
        read: () => Promise.resolve(file?.text ?? ""),
      },
      keeper: keepFile({
        shelf,
        ledger: stage.ledger,
        ours: () => opened.ours,
        openPosition: () => Promise.resolve(opened.open),
        seenSince: () => opened.open,
        missed: () => Promise.resolve(opened.missed),
        takeUp: ({ position }) => void taken.push(position.key.symbol),
        look: () => undefined,
        tell: (one) => void news.push(textOf(one)),
        now: () => stage.clock.nowMs,
        steadyMs: () => stage.clock.nowMs,
      }),
      accountNames: () => opened.accountNames,
      tell: (one) => void news.push(textOf(one)),
      now: () => stage.clock.nowMs,
      after: (ms, callback) => {
        due = () => {
          stage.clock.nowMs += ms;
          callback();
        };
        looked();
        return () => {
          due = null;
        };
      },
    });
    close = () => watch.close();
    return first;
  }

  function nextLook(): Promise<void> {
    return new Promise((resolve) => {
      looked = resolve;
    });
  }

  const opened: FileStage = {
    ...stage,
    get shelf() {
      return shelf;
    },
    open: null,
    ours: ["main"],
    accountNames: [KEY.account],
    missed: null,
    trouble: null,
    taken,
    write: (content) => {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      file = content === null ? null : { text, mtimeMs: stage.clock.nowMs };
    },
    look: async () => {
      const next = nextLook();
      due?.();
      await next;
      return news.splice(0);
    },
    restart: async () => {
      await close();
      shelf = stage.another();
      await shelf.refresh("main");
      news.length = 0;
      await start();
      return news.splice(0);
    },
  };
  stage.clock.nowMs = NOW_MS;
  opened.write(written);
  await start();
  onTestFinished(() => close());
  return opened;
}

function textOf(news: Parameters<Parameters<typeof keepFile>[0]["tell"]>[0]): string {
  switch (news.kind) {
    case "invalid":
      return `invalid: ${news.problems.join("; ")}`;
    case "read":
      return [`read ${news.intents}`, ...news.strangers.map(({ where }) => `for strangers: ${where}`)].join(
        ", of which ",
      );
    case "refused":
      return `refused ${news.entry.where}: ${news.refusal.message}`;
    case "over":
      return `over ${news.entry.where}: ${news.how}`;
    case "unwritten":
      return `unwritten: ${news.reason}`;
  }
}
