/** Each checker fires where its promise is broken, and stays silent where it is kept: what happened is planted, no process runs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import { expect, onTestFinished, test } from "vitest";
import { openLedger } from "../../src/ledger/open.js";
import type { Ledger } from "../../src/ledger/port.js";
import { bench, signedRequest } from "../simulator/client.js";
import { createCheckers } from "./checkers/index.js";
import { viewJournal } from "./journal.js";
import type { Instance } from "./processes.js";
import { keepRecord } from "./record.js";

const SECRET = "cAnArY/sEcReT";
const SIGNATURE = "x-bapi-sign";
const TRADING_STOP = "/v5/position/trading-stop";
const STOP = { category: "linear", symbol: "BTCUSDT", tpslMode: "Full", positionIdx: 0, slTriggerBy: "MarkPrice" };
const SAID = { category: "linear", symbol: "BTCUSDT", positionIdx: 0, side: "long" };
const PROTECTED = { level: "info", msg: "a stop for the whole position rests at the exchange" };

function instance(name: string): Instance {
  return { name, slot: name, pid: 1, startedAtMs: 0, diedAtMs: null, pause: null };
}

/** A long of BTC at 64250.5, a ledger, and a process that writes. */
async function scene() {
  const { exchange, clock } = bench();
  const folder = mkdtempSync(join(tmpdir(), "backstop-checkers-"));
  const file = join(folder, "backstop.db");
  const now = () => clock.nowMs;
  const sleep = () => Promise.resolve();
  const log = { warn: () => undefined, info: () => undefined };
  const ledger: Ledger = await openLedger({ url: `file:${file}`, log, now, sleep });
  onTestFinished(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const record = keepRecord(exchange, "main", now);
  const checkers = createCheckers({
    record,
    journal: viewJournal(file),
    badLineMs: () => 0,
    secrets: [SECRET],
  });
  const writer = instance("a1");
  record.act("bot", () => exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" }));
  checkers.started(writer);

  /** `caller` sends it now, the exchange has it at once. */
  function send(body: object, caller = writer, alive: readonly Instance[] = [caller], path = TRADING_STOP): void {
    const request = signedRequest(clock.nowMs, "POST", path, JSON.stringify(body));
    const signature = request.headers[SIGNATURE] ?? "";
    checkers.heard({ caller, isWrite: true, signature, atMs: clock.nowMs }, alive);
    exchange.handle(request);
  }

  async function writeDown({ stopLoss = "" }): Promise<number> {
    const place = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0, side: "long" } as const;
    return ledger.append({ kind: "step-intended", ...place, body: { action: "set-trading-stop", stopLoss } });
  }

  async function protect(stopLoss = "63000"): Promise<void> {
    await writeDown({ stopLoss });
    send({ ...STOP, stopLoss });
  }

  const broken = () => {
    checkers.lookAtJournal();
    return [...new Set(checkers.notes.violations.map(({ check }) => check))];
  };
  return { exchange, clock, record, checkers, file, folder, writer, send, writeDown, protect, broken };
}

test("a stop that is written down, set, told and kept breaks nothing", async () => {
  const { protect, checkers, writer, broken, clock } = await scene();
  await protect();
  checkers.said(writer, { ...PROTECTED, ...SAID, stopLoss: "63000" });
  clock.nowMs += 60_000;
  await protect("63500");
  checkers.lookAtJournal(true);
  checkers.ended(writer, "SIGKILL", true);
  checkers.ended(instance("a2"), "0", true);
  expect(broken()).toEqual([]);
});

test("a stop that is loosened long after it was set breaks S1, and a race of a moment does not", async () => {
  const { protect, record, clock, broken } = await scene();
  const { category: _category, ...byHand } = STOP;
  const handSets = (stopLoss: string) =>
    expect(record.act("bot", (exchange) => exchange.tradingStop({ ...byHand, stopLoss }))).toBe(true);
  await protect();
  handSets("63500");
  clock.nowMs += 500;
  await protect("63100");
  expect(broken()).toEqual([]);
  handSets("63500");
  clock.nowMs += 30_000;
  await protect("63100");
  expect(broken()).toEqual(["S1"]);
});

test("a stop that is taken away breaks S2", async () => {
  const { protect, send, writeDown, broken } = await scene();
  await protect();
  await writeDown({ stopLoss: "0" });
  send({ ...STOP, stopLoss: "0" });
  expect(broken()).toEqual(["S2"]);
});

test("a write that is not Full breaks S10", async () => {
  const { send, writeDown, broken } = await scene();
  await writeDown({ stopLoss: "63000" });
  send({ ...STOP, tpslMode: "Partial", stopLoss: "63000" });
  expect(broken()).toContain("S10");
});

test("a price between two ticks breaks S7", async () => {
  const { protect, broken } = await scene();
  await protect("63000.05");
  expect(broken()).toEqual(["S7"]);
});

test("a write for a leg that is not open breaks S8", async () => {
  const { send, writeDown, broken } = await scene();
  await writeDown({ stopLoss: "66000" });
  send({ ...STOP, positionIdx: 2, stopLoss: "66000" });
  expect(broken()).toContain("S8");
});

test("a position that a process closes breaks S12", async () => {
  const { send, writer, broken } = await scene();
  const order = { category: "linear", symbol: "BTCUSDT", side: "Sell", orderType: "Market", qty: "0.1" };
  send({ ...order, positionIdx: 0 }, writer, [writer], "/v5/order/create");
  expect(broken()).toContain("S12");
});

test("two that write while both live break S15, and a successor of a dead one does not", async () => {
  const { protect, send, writeDown, writer, broken } = await scene();
  await protect();
  const other = instance("b2");
  await writeDown({ stopLoss: "63100" });
  send({ ...STOP, stopLoss: "63100" }, other, [other]);
  expect(broken()).toEqual([]);
  send({ ...STOP, stopLoss: "63100" }, other, [writer, other]);
  expect(broken()).toEqual(["S15"]);
});

test("a write without its entry breaks S17", async () => {
  const { send, broken } = await scene();
  send({ ...STOP, stopLoss: "63000" });
  expect(broken()).toEqual(["S17"]);
});

test("while the ledger cannot be written, and that is said, a missing stop needs no entry, and a move does", async () => {
  const { send, checkers, writer, clock, broken } = await scene();
  checkers.said(writer, { level: "error", msg: "the ledger cannot be written (the disk is full); only missing stops" });
  send({ ...STOP, stopLoss: "63000" });
  expect(broken()).toEqual([]);
  clock.nowMs += 60_000;
  send({ ...STOP, stopLoss: "63500" });
  expect(broken()).toEqual(["S17"]);
});

test("protected or confirmed, said of a position without that stop, breaks S11", async () => {
  const { checkers, writer, broken } = await scene();
  checkers.said(writer, { ...PROTECTED, ...SAID, stopLoss: "63000" });
  expect(broken()).toEqual(["S11"]);
  const confirmed = { level: "info", msg: "confirmed", action: "set-trading-stop" };
  checkers.said(writer, { ...confirmed, ...SAID, stopLoss: "63000" });
  expect(checkers.notes.violations).toHaveLength(2);
});

test.each(["gone", "changed"])("an entry that was seen and is %s breaks LOST", async (fate) => {
  const { protect, checkers, file, broken } = await scene();
  await protect();
  checkers.lookAtJournal();
  expect(broken()).toEqual([]);
  const database = new Libsql(file);
  database.exec(fate === "gone" ? "delete from entries" : "update entries set at_ms = at_ms + 1");
  database.close();
  checkers.lookAtJournal();
  expect(broken()).toEqual(["LOST"]);
});

test("a secret in an output, also cut in two, and a signature in a file break S16", async () => {
  const { protect, checkers, writer, folder, broken } = await scene();
  await protect();
  checkers.wrote(writer, `said ${SECRET.slice(0, 6)}`);
  expect(broken()).toEqual([]);
  checkers.wrote(writer, SECRET.slice(6));
  expect(broken()).toEqual(["S16"]);
  const signature = "0a".repeat(32);
  checkers.heard({ caller: writer, isWrite: false, signature, atMs: 0 }, [writer]);
  writeFileSync(join(folder, "trace"), `sent with ${signature}`);
  checkers.files(folder);
  expect(checkers.notes.violations).toHaveLength(2);
});

test.each([
  ["70", true],
  ["SIGKILL", false],
  ["SIGBUS", false],
  ["0", false],
])("a process that ends with %s, by our doing: %s, breaks F46", async (how, isWanted) => {
  const { checkers, writer, broken } = await scene();
  checkers.ended(writer, how, isWanted);
  expect(broken()).toEqual(["F46"]);
});
