/** The memory that outlives the process: what it recalls of which life, and what it does while the ledger fails. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { ledgerMemory } from "../../src/ledger/ledger-memory.js";
import { LedgerError, type Life } from "../../src/ledger/port.js";
import { aPosition, aShort } from "../builders/position.js";
import { fileUrl, life as aLife, NOW_MS, opened } from "./stage.js";

const BLANK = { ...UNWRITTEN_LIFE, complete: true };
const long = aPosition({ openedAtMs: NOW_MS });
const reopened = aPosition({ openedAtMs: NOW_MS + 1_000 });
const short = aShort({ openedAtMs: NOW_MS + 2_000 });

/** A ledger whose lives are plain values, and that fails when it is told to. */
function stage(stored: readonly Life[] = []) {
  const saved = new Map(stored.map((life) => [life.id, life]));
  const order: string[] = [];
  const it = { nowMs: NOW_MS, broken: false, saved, order };
  const fail = () => Promise.reject(new LedgerError("full", "the disk is full"));
  const ledger = {
    openLives: (account: string) =>
      it.broken
        ? fail()
        : Promise.resolve([...saved.values()].filter(({ key, ended }) => key.account === account && ended === null)),
    saveLife: (life: Life) => {
      if (it.broken) return fail();
      saved.set(life.id, life);
      order.push(life.id);
      return Promise.resolve();
    },
    writable: () => null,
  };
  const memory = ledgerMemory({ ledger, now: () => it.nowMs });
  return { ...it, it, memory };
}

async function loaded(stored: readonly Life[] = []) {
  const staged = stage(stored);
  await staged.memory.load("main");
  return staged;
}

describe("what was sent and never judged", () => {
  const level = { price: dec("98"), triggerBy: "MarkPrice" } as const;
  const sent = { entryId: 7, stopLoss: level, takeProfit: { ...level, price: dec("104") } };

  test("is recalled of its life until a level is proven, and of no other life", async () => {
    const { memory } = await loaded([aLife({ openedAtMs: NOW_MS, unproven: [sent] })]);
    expect(memory.recall(long).unproven).toEqual([sent]);
    expect(memory.recall(reopened).unproven).toEqual([]);
    memory.remember(long, { ourStopLoss: dec("98") });
    expect(memory.recall(long).unproven).toEqual([{ ...sent, stopLoss: null }]);
    memory.remember(long, { ourTakeProfit: dec("104") });
    expect(memory.recall(long).unproven).toEqual([]);
  });
});

test("what the books hold open is the contract of every life that has not ended", async () => {
  const { memory } = await loaded([aLife({ openedAtMs: NOW_MS })]);
  const { category, symbol } = long.key;
  expect(memory.openContracts("main")).toMatchObject([{ category, symbol }]);
  expect(memory.openContracts("grid")).toEqual([]);
  memory.end(long.key, "closed");
  expect(memory.openContracts("main")).toEqual([]);
});

describe("what is remembered", () => {
  test("is recalled at once, and by the next process as well", async () => {
    const url = fileUrl();
    const first = await opened(url);
    const memory = ledgerMemory({ ledger: first.ledger, now: () => NOW_MS });
    await memory.load("main");
    expect(memory.recall(long)).toEqual(BLANK);
    memory.remember(long, { rebased: true });
    memory.remember(long, { ourStopLoss: dec("98.50") });
    const record = { ...BLANK, rebased: true, ourStopLoss: dec("98.5") };
    expect(memory.recall(long)).toEqual(record);
    await memory.flush();
    await first.ledger.close();

    const second = await opened(url);
    const later = ledgerMemory({ ledger: second.ledger, now: () => NOW_MS });
    expect(await later.load("main")).toBe(true);
    expect(later.recall(long)).toEqual(record);
    expect(later.recall(short)).toEqual(BLANK);
  });

  test("is written once, in the order of the first changes, and not at all where nothing changes", async () => {
    const { memory, order } = await loaded();
    memory.remember(long, { stopTriggered: true });
    memory.remember(aPosition({ symbol: "ETHUSDT" }), {});
    memory.remember(long, { closeSent: true });
    await memory.flush();
    expect(order).toEqual([`main/linear/BTCUSDT/0/long/${NOW_MS}`, "main/linear/ETHUSDT/0/long/1000"]);
    memory.remember(long, { closeSent: true });
    memory.remember(long, {});
    memory.recall(short);
    await memory.flush();
    expect(order).toHaveLength(2);
  });
});

describe("what a standby sees, for whom another process tells the ledger,", () => {
  const lives = Array.from({ length: 10 }, (_, nth) => aPosition({ openedAtMs: NOW_MS + nth * 1_000 }));

  test("is kept for the latest lives of a position only, for when it is its turn", async () => {
    const { memory, order } = stage();
    for (const life of lives) memory.remember(life, {});
    await memory.load("main");
    await memory.flush();
    expect(order).toEqual([7, 8, 9].map((nth) => `main/linear/BTCUSDT/0/long/${NOW_MS + nth * 1_000}`));
  });

  test("is not what waits while the ledger fails its writer, of which everything is written later", async () => {
    const { memory, it, order } = stage();
    it.broken = true;
    await memory.load("main");
    for (const life of lives) memory.remember(life, {});
    it.broken = false;
    await memory.load("main");
    await memory.flush();
    expect(new Set(order).size).toBe(10);
  });
});

describe("a life", () => {
  test("ends when the position is closed, and the next one knows nothing of it", async () => {
    const { memory, it } = await loaded();
    memory.remember(long, { rebased: true });
    it.nowMs += 5;
    memory.end(long.key, "closed");
    expect(memory.recall(reopened)).toEqual(BLANK);
    expect(memory.recall({ ...long, openedAtMs: null })).toEqual(BLANK);
    // Late news of the one that has ended still finds it.
    expect(memory.recall(long).rebased).toBe(true);
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ ended: { how: "closed", atMs: NOW_MS + 5 } }]);
  });

  test("does not end by the close of the one before, which is heard when the next is known already", async () => {
    const { memory, it } = await loaded();
    memory.remember(long, {});
    memory.remember(reopened, { rebased: true });
    memory.end(long.key, "closed", long.openedAtMs);
    expect(memory.recall(reopened).rebased).toBe(true);
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ ended: { how: "opened anew" } }, { ended: null }]);
  });

  test("of an account that another process writes for is neither over nor written, until it is read again", async () => {
    const { memory, it } = await loaded();
    memory.remember(long, { rebased: true });
    await memory.flush();
    memory.unload("main");
    expect(memory.isOver("main", "a life of the other")).toBe(false);
    expect(memory.recall(long).complete).toBe(false);
    memory.remember(long, { closeSent: true });
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ record: { rebased: true, closeSent: false } }]);
    await memory.load("main");
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ record: { rebased: true, closeSent: true } }]);
  });

  test.each([
    ["opens anew", reopened, "opened anew"],
    ["flips", short, "flipped"],
    ["flips, nobody says when", { ...short, openedAtMs: null }, "flipped"],
  ])("is over when the position %s unseen", async (_what, next, how) => {
    const { memory, it } = await loaded();
    memory.remember(long, { rebased: true });
    expect(memory.recall(next)).toEqual(BLANK);
    memory.lifeOf(next);
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ ended: { how } }, { ended: null, side: next.side }]);
  });

  test("is not ended by late news of the one before, which stays over", async () => {
    const { memory, it } = await loaded();
    memory.remember(reopened, { rebased: true });
    memory.remember(long, { closeSent: true });
    memory.remember(long, { stopTriggered: true });
    expect(memory.recall(long)).toEqual({ ...BLANK, closeSent: true, stopTriggered: true });
    expect(memory.recall(reopened)).toEqual({ ...BLANK, rebased: true });
    await memory.flush();
    expect([...it.saved.values()].map(({ ended }) => ended?.how ?? null)).toEqual([null, "opened anew"]);
  });

  test("whose opening was not known is the one that opened before it was first seen, and no later one", async () => {
    const { memory } = await loaded();
    const unknown = { ...long, openedAtMs: null };
    memory.remember(unknown, { rebased: true });
    const { id } = memory.lifeOf(unknown);
    expect(memory.lifeOf(long)).toMatchObject({ id, openedAtMs: NOW_MS });
    expect(memory.recall(unknown).rebased).toBe(true);

    const other = await loaded();
    other.memory.remember(unknown, { rebased: true });
    expect(other.memory.recall({ ...long, openedAtMs: NOW_MS + 3_600_000 }).rebased).toBe(false);
  });

  test("whose opening was not known is over after a flip, also where the clocks are apart", async () => {
    const { memory, it } = await loaded();
    it.nowMs += 3_600_000;
    memory.remember({ ...long, openedAtMs: null }, { rebased: true });
    memory.remember(short, { closeSent: true });
    await memory.flush();
    expect([...it.saved.values()].map(({ ended }) => ended?.how ?? null)).toEqual(["flipped", null]);
  });

  test("goes on where its end was a mistake", async () => {
    const { memory, it } = await loaded();
    memory.remember(long, { rebased: true });
    memory.end(long.key, "closed");
    memory.remember({ ...long }, { closeSent: true });
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ ended: null, record: { rebased: true, closeSent: true } }]);
  });

  test("is not begun anew, nor goes on, by what is answered to a row that was read before its end", async () => {
    const { memory, it } = await loaded();
    const row = { ...long, openedAtMs: null };
    const { id } = memory.lifeOf(row);
    memory.end(row.key, "closed");
    memory.remember(row, { closeSent: true });
    expect(memory.lifeOf(row)).toMatchObject({ id, ended: { how: "closed" } });
    expect(memory.openLives("main")).toEqual([]);
    it.nowMs += 60_000;
    expect(memory.lifeOf({ ...row })).toMatchObject({
      ended: null,
      firstSeenMs: it.nowMs,
      record: { closeSent: false },
    });
    await memory.flush();
    expect([...it.saved.values()].map(({ ended, record }) => [ended?.how, record.closeSent])).toEqual([
      ["closed", true],
      [undefined, false],
    ]);
  });
});

describe("after a restart, a position whose opening nobody states", () => {
  const untold = { ...long, openedAtMs: null };
  const HOUR_MS = 3_600_000;

  async function restarted(before: Parameters<typeof aPosition>[0] = {}) {
    const first = await loaded();
    const { id } = first.memory.lifeOf(aPosition({ openedAtMs: NOW_MS, ...before }));
    first.memory.remember(aPosition({ openedAtMs: NOW_MS, ...before }), { rebased: true, closeSent: true });
    await first.memory.flush();
    const staged = await loaded([...first.it.saved.values()]);
    staged.it.nowMs += HOUR_MS;
    return { ...staged, id };
  }

  test.each([
    ["was known", {}],
    ["was not known either", { openedAtMs: null }],
  ])(
    "is another life than the one before, whose opening %s; what was done once is not done again",
    async (_what, before) => {
      const { memory, it, id } = await restarted(before);
      const record = { ...BLANK, rebased: true, closeSent: true };
      expect(memory.recall(untold)).toEqual(record);
      const next = memory.lifeOf(untold);
      expect(next.id).not.toBe(id);
      expect(memory.recall(untold)).toEqual(record);
      // From now on this process watches it.
      memory.remember(untold, { stopTriggered: true });
      expect(memory.lifeOf(untold).id).toBe(next.id);
      await memory.flush();
      expect([...it.saved.values()]).toMatchObject([
        { id, ended: { how: "not proven to go on", atMs: NOW_MS + HOUR_MS } },
        { id: next.id, ended: null, record: { rebased: true, closeSent: true, stopTriggered: true } },
      ]);
    },
  );

  test("goes on with its life where its fills tell the opening, and then also without them", async () => {
    const { memory, id } = await restarted();
    expect(memory.lifeOf(long).id).toBe(id);
    expect(memory.lifeOf(untold).id).toBe(id);
    expect(memory.recall(untold).rebased).toBe(true);
  });

  test("is the one that was seen without an opening, if it has been open since well before", async () => {
    const { memory, id } = await restarted({ openedAtMs: null });
    const openedAtMs = NOW_MS - HOUR_MS;
    expect(memory.lifeOf({ ...long, openedAtMs })).toMatchObject({ id, openedAtMs });
  });

  test("is not the one that was seen without an opening only a moment before it opened itself", async () => {
    const { memory, id } = await restarted({ openedAtMs: null });
    expect(memory.lifeOf({ ...long, openedAtMs: NOW_MS + 30_000 }).id).not.toBe(id);
  });

  test("is told apart also where another process was the writer meanwhile", async () => {
    const { memory, it } = await loaded();
    const { id } = memory.lifeOf(long);
    expect(memory.lifeOf(untold).id).toBe(id);
    await memory.flush();
    it.nowMs += HOUR_MS;
    await memory.load("main");
    expect(memory.lifeOf(untold).id).not.toBe(id);
  });

  test("seen before the ledger could be read is another than the one in it, and knows what was done", async () => {
    const { it } = await restarted();
    const late = stage([...it.saved.values()]);
    late.it.nowMs += HOUR_MS;
    late.memory.remember(untold, { stopTriggered: true });
    const { id } = late.memory.lifeOf(untold);
    await late.memory.load("main");
    await late.memory.flush();
    expect(late.memory.recall(untold)).toEqual({ ...BLANK, rebased: true, closeSent: true, stopTriggered: true });
    expect([...late.it.saved.values()]).toMatchObject([{ ended: { how: "not proven to go on" } }, { id, ended: null }]);
  });
});

describe("while the ledger fails", () => {
  test("nothing throws, it says why, and what was remembered is written when it can be", async () => {
    const { memory, it } = await loaded();
    it.broken = true;
    memory.remember(long, { rebased: true });
    memory.remember(aPosition({ symbol: "ETHUSDT" }), { rebased: true });
    await memory.flush();
    expect(memory.writable()).toBe("the disk is full");
    expect(memory.recall(long).rebased).toBe(true);
    it.broken = false;
    await memory.flush();
    expect(memory.writable()).toBeNull();
    expect(it.order).toHaveLength(2);
  });

  test("at the start, records are not complete and nothing is overwritten; what was seen meanwhile is added", async () => {
    const before = await loaded();
    before.memory.remember(long, { rebased: true, ourStopLoss: dec("98") });
    await before.memory.flush();

    const { memory, it } = stage([...before.it.saved.values()]);
    it.broken = true;
    expect(await memory.load("main")).toBe(false);
    expect(memory.writable()).toBe("the disk is full");
    expect(memory.recall(long)).toEqual(UNWRITTEN_LIFE);
    memory.remember(long, { closeSent: true });
    it.broken = false;
    await memory.flush();
    expect(it.order).toEqual([]);

    expect(await memory.load("main")).toBe(true);
    await memory.flush();
    const record = { ...BLANK, rebased: true, closeSent: true, ourStopLoss: dec("98") };
    expect(memory.recall(long)).toEqual(record);
    expect(memory.writable()).toBeNull();
    expect([...it.saved.values()]).toMatchObject([{ record: { rebased: true, closeSent: true } }]);
  });

  test("to be read anew, nothing is written over what another process may have left in it", async () => {
    const { memory, it } = await loaded();
    memory.remember(long, { rebased: true });
    await memory.flush();
    it.broken = true;
    expect(await memory.load("main")).toBe(false);
    it.broken = false;
    memory.remember(long, { closeSent: true });
    await memory.flush();
    expect(it.order).toHaveLength(1);
    expect(memory.recall(long)).toEqual({ ...BLANK, rebased: true, closeSent: true, complete: false });
    await memory.load("main");
    await memory.flush();
    expect([...it.saved.values()]).toMatchObject([{ record: { rebased: true, closeSent: true } }]);
  });

  test("for one account, another one's memory is not held up", async () => {
    const { memory, it } = await loaded();
    memory.remember(aPosition({ account: "grid" }), { rebased: true });
    memory.remember(long, { rebased: true });
    await memory.flush();
    expect(it.order).toEqual([memory.lifeOf(long).id]);
    expect(memory.recall(aPosition({ account: "grid" }))).toEqual({ ...UNWRITTEN_LIFE, rebased: true });
  });

  test("a value that can never be stored keeps no other from being written", async () => {
    const { ledger } = await opened(fileUrl());
    const memory = ledgerMemory({ ledger, now: () => NOW_MS });
    await memory.load("main");
    memory.remember(aPosition({ symbol: "BAD\0" }), { rebased: true });
    memory.remember(long, { rebased: true });
    await memory.flush();
    expect(await ledger.openLives("main")).toMatchObject([{ key: { symbol: "BTCUSDT" } }]);
  });
});

test("after another process was the writer, its word counts", async () => {
  const { memory, it } = await loaded();
  memory.remember(long, { ourStopLoss: dec("98") });
  await memory.flush();
  const { id } = memory.lifeOf(long);
  const life = it.saved.get(id);
  if (life === undefined) throw new Error("the life was not saved");
  it.saved.set(id, { ...life, record: { ...life.record, ourStopLoss: dec("99"), closeSent: true } });
  await memory.load("main");
  expect(memory.recall(long)).toEqual({ ...BLANK, ourStopLoss: dec("99"), closeSent: true });
  it.saved.set(id, { ...life, ended: { how: "closed", atMs: NOW_MS } });
  await memory.load("main");
  expect(memory.recall({ ...long, openedAtMs: null })).toEqual(BLANK);
});
