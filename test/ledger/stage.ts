/** Ledgers for tests: where they live, what is put into them, and processes that share them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { openLedger } from "../../src/ledger/open.js";
import type { Intent, Ledger, Life } from "../../src/ledger/port.js";

export const NOW_MS = Date.parse("2026-01-01T00:00:00.000Z");
export const KEY = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 } as const;

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "backstop-ledger-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export const fileUrl = (): string => `file:${join(folder(), "state", "backstop.db")}`;

export interface Opened {
  readonly ledger: Ledger;
  readonly clock: { nowMs: number };
  /** What was logged, in order. */
  readonly told: readonly string[];
}

/** Closed after the test. */
export async function opened(url: string): Promise<Opened> {
  const clock = { nowMs: NOW_MS };
  const told: string[] = [];
  const tell = (fields: object, message: string) => void told.push(`${message} ${JSON.stringify(fields)}`);
  const ledger = await openLedger({ url, log: { warn: tell, info: tell }, now: () => clock.nowMs });
  onTestFinished(() => ledger.close());
  return { ledger, clock, told };
}

export function life(over: Partial<Life> = {}): Life {
  const record = {
    rebased: true,
    movedForLiquidation: false,
    stopTriggered: false,
    closeSent: false,
    grown: false,
    ourStopLoss: dec("49000.50"),
    ourTakeProfit: null,
    learned: {
      stopLoss: { price: dec("48999.90"), triggerBy: "MarkPrice" },
      takeProfit: null,
      size: dec("0.50"),
    },
    metStopIntent: "intent-7",
    metTakeProfitIntent: null,
    loosenedFor: null,
    restoredAtMs: [NOW_MS - 1, NOW_MS],
  } as const;
  const usual = {
    id: "life-1",
    key: KEY,
    side: "long",
    openedAtMs: NOW_MS,
    firstSeenMs: NOW_MS + 5,
    ended: null,
    unproven: [],
  } as const;
  return { ...usual, record, ...over };
}

export function intent(over: Partial<Intent> = {}): Intent {
  return {
    id: "intent-1",
    key: KEY,
    side: "long",
    stopLoss: dec("0.00000012"),
    takeProfit: null,
    waiver: null,
    orderLinkId: null,
    ttlMs: 600_000,
    mayLoosenFrom: null,
    createdAtMs: NOW_MS,
    state: "pending",
    lifeId: null,
    endedHow: null,
    who: "http",
    setFor: { kind: "next", seenAtMs: NOW_MS },
    ...over,
  };
}

export interface Child {
  readonly process: ChildProcess;
  /** Every line that has come, also those that were on their way when it was killed. */
  readonly lines: readonly string[];
  /** Resolves with the line of this number, from 0. */
  line(index: number): Promise<string>;
  /** As nobody can refuse: SIGKILL. Resolves when it is gone and its last words have been read. */
  kill(): Promise<void>;
  ended(): Promise<void>;
}

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

export function child(act: "append" | "hold" | "look", url: string): Child {
  const running = spawn(process.execPath, [CHILD, act, url], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(running, "close");
  const lines: string[] = [];
  const heard = createInterface({ input: running.stdout });
  heard.on("line", (line) => lines.push(line));
  const kill = async () => {
    running.kill("SIGKILL");
    await closed;
  };
  onTestFinished(kill);
  return {
    process: running,
    lines,
    line: async (index) => {
      while (lines[index] === undefined) await Promise.race([once(heard, "line"), died(closed)]);
      return lines[index];
    },
    kill,
    ended: async () => void (await closed),
  };
}

/** The same in a thread of this process, which ends before the test does. */
export function inThread(act: "look", url: string): Worker {
  const thread = new Worker(CHILD, { argv: [act, url], stdout: true });
  onTestFinished(async () => void (await thread.terminate()));
  return thread;
}

async function died(closed: Promise<unknown>): Promise<never> {
  await closed;
  throw new Error("the child has ended before it said what was awaited");
}
