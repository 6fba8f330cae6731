/** What becomes of an intent: it waits, is taken up by one life, ends with it, and never comes back. */
import { dec } from "../../src/domain/decimal.js";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../../src/ledger/port.js";
import { aLife, anIntent, KEY, NOW_MS, openStage, stored } from "./stage.js";

const MINUTE_MS = 60_000;
const TTL_MS = 10 * MINUTE_MS;
const SECOND_LIFE = { id: "life-2", openedAtMs: NOW_MS + 5 * MINUTE_MS };

describe("an intent that waits", () => {
  test("is taken up by the position that opens within its ttl, to the last moment", async () => {
    const { shelf, told, ledger } = await openStage();
    await shelf.put(anIntent());
    expect(shelf.at(KEY).map(({ state }) => state)).toEqual(["pending"]);
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS + TTL_MS }))).toMatchObject({ id: "intent-1", lifeId: "life-1" });
    await shelf.refresh("main");
    expect(told).toEqual(["set intent-1", "bound intent-1"]);
    expect(await ledger.intents({})).toMatchObject([{ state: "bound", lifeId: "life-1" }]);
  });

  test("is not taken up by one that opens later", async () => {
    const { shelf } = await openStage();
    await shelf.put(anIntent());
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS + TTL_MS + 1 }))).toBeNull();
  });

  test("goes by when a position was first seen where the exchange does not state its opening", async () => {
    const { shelf } = await openStage();
    await shelf.put(anIntent());
    expect(shelf.forLife(aLife({ openedAtMs: null, firstSeenMs: NOW_MS + TTL_MS + 1 }))).toBeNull();
    expect(shelf.forLife(aLife({ openedAtMs: null, firstSeenMs: NOW_MS + TTL_MS }))).not.toBeNull();
  });

  test.each([
    ["the other side", { side: "short" }],
    ["another symbol", { key: { ...KEY, symbol: "ETHUSDT" } }],
    ["another leg", { key: { ...KEY, positionIdx: 1 } }],
    ["another account", { key: { ...KEY, account: "grid" } }],
    ["a life that has ended", { ended: { how: "closed", atMs: NOW_MS } }],
  ] as const)("is not for %s", async (_what, over) => {
    const { shelf } = await openStage();
    await shelf.put(anIntent());
    expect(shelf.forLife(aLife(over))).toBeNull();
  });

  test("expires when nothing has opened in time, and is told once", async () => {
    const { shelf, clock, told, ledger } = await openStage();
    await shelf.put(anIntent());
    clock.nowMs += TTL_MS;
    await shelf.refresh("main");
    expect(await stored(ledger)).toEqual(["pending intent-1"]);
    clock.nowMs += 1;
    await shelf.refresh("main");
    // What opened in time may just not have been looked at yet.
    expect(await stored(ledger)).toEqual(["pending intent-1"]);
    shelf.resting("main", []);
    await shelf.refresh("main");
    await shelf.refresh("main");
    expect(told).toEqual(["set intent-1", "expired intent-1"]);
    expect(await ledger.intents({})).toMatchObject([
      { state: "expired", endedHow: "no such position has opened in time" },
    ]);
    expect(shelf.forLife(aLife())).toBeNull();
  });
});

describe("an intent for an order", () => {
  const ordered = () => anIntent({ orderLinkId: "bot-1" });

  test("is taken up only when that order has filled", async () => {
    const { shelf } = await openStage();
    await shelf.put(ordered());
    expect([shelf.forLife(aLife()), shelf.isAwaited(aLife())]).toEqual([null, true]);
    shelf.filled("main", "bot-2", NOW_MS + 1_000);
    shelf.filled("grid", "bot-1", NOW_MS + 1_000);
    expect(shelf.forLife(aLife())).toBeNull();
    shelf.filled("main", "bot-1", NOW_MS + 1_000);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
    expect(shelf.isAwaited(aLife())).toBe(false);
  });

  test("is not taken up by a life that began long after the fill", async () => {
    const { shelf, clock } = await openStage();
    await shelf.put(ordered());
    shelf.filled("main", "bot-1", NOW_MS + 1_000);
    clock.nowMs += 60_000;
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS + 60_000 }))).toBeNull();
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS - 60_000 }))).toMatchObject({ id: "intent-1" });
  });

  test("does not expire while its order rests, and waits its ttl once more after that", async () => {
    const { shelf, clock, ledger } = await openStage();
    await shelf.put(ordered());
    clock.nowMs += 3 * TTL_MS;
    shelf.resting("main", ["bot-1", "other"]);
    await shelf.refresh("main");
    clock.nowMs += TTL_MS;
    shelf.resting("main", ["other"]);
    await shelf.refresh("main");
    expect(await stored(ledger)).toEqual(["pending intent-1"]);
    clock.nowMs += 1;
    await shelf.refresh("main");
    expect(await stored(ledger)).toEqual(["expired intent-1"]);
  });

  test("does not expire after a restart before the account's orders have been looked at", async () => {
    const { shelf, another, clock, ledger } = await openStage();
    await shelf.put(ordered());
    clock.nowMs += 3 * TTL_MS;
    const next = another();
    await next.refresh("main");
    expect(await stored(ledger)).toEqual(["pending intent-1"]);
    next.resting("main", ["bot-1"]);
    await next.refresh("main");
    expect(await stored(ledger)).toEqual(["pending intent-1"]);
    const last = another();
    last.resting("main", []);
    await last.refresh("main");
    expect(await stored(ledger)).toEqual(["expired intent-1"]);
  });
});

describe("an intent that is in force", () => {
  async function inForce() {
    const stage = await openStage();
    await stage.shelf.put(anIntent());
    stage.shelf.forLife(aLife());
    await stage.shelf.refresh("main");
    return stage;
  }

  test("outlasts its ttl and a restart, for its own life only", async () => {
    const { another, clock } = await inForce();
    clock.nowMs += 9 * TTL_MS;
    const next = another();
    await next.refresh("main");
    expect(next.forLife(aLife())).toMatchObject({ id: "intent-1" });
    expect(next.forLife(aLife(SECOND_LIFE))).toBeNull();
  });

  test("ends with its life", async () => {
    const { shelf, over, told, ledger } = await inForce();
    over.add("life-1");
    await shelf.refresh("main");
    expect(told.at(-1)).toBe("ended intent-1");
    expect(await ledger.intents({})).toMatchObject([{ endedHow: "its position has closed, flipped or opened anew" }]);
    expect(shelf.forLife(aLife(SECOND_LIFE))).toBeNull();
  });

  test("gives way to the next one for its side at once", async () => {
    const { shelf, ledger, told } = await inForce();
    expect(await shelf.put(anIntent({ id: "intent-2" }))).toBe(true);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-2" });
    expect(told.slice(-3)).toEqual(["set intent-2", "ended intent-1", "bound intent-2"]);
    await shelf.refresh("main");
    expect(await stored(ledger)).toEqual(["ended intent-1", "bound intent-2"]);
  });

  test("stays where the next one is for the other side", async () => {
    const { shelf } = await inForce();
    await shelf.put(anIntent({ id: "intent-2", side: "short" }));
    expect(shelf.at(KEY).map(({ id }) => id)).toEqual(["intent-1", "intent-2"]);
  });

  test("is taken back together with what waits for the other side", async () => {
    const { shelf, ledger, told } = await inForce();
    await shelf.put(anIntent({ id: "intent-2", side: "short" }));
    expect([await shelf.clear(KEY), await shelf.clear(KEY)]).toEqual([true, false]);
    expect(shelf.forLife(aLife())).toBeNull();
    expect(await ledger.intents({})).toMatchObject([{ endedHow: "it was cleared" }, { endedHow: "it was cleared" }]);
    expect(told.slice(-2)).toEqual(["cleared intent-1", "cleared intent-2"]);
  });

  test("is never set anew under its id, neither while it is in force nor when it is over", async () => {
    const { shelf, over, ledger, told } = await inForce();
    const before = told.length;
    expect(await shelf.put(anIntent({ createdAtMs: NOW_MS + MINUTE_MS }))).toBe(false);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
    over.add("life-1");
    await shelf.refresh("main");
    expect(await shelf.put(anIntent({ createdAtMs: NOW_MS + MINUTE_MS }))).toBe(false);
    expect(shelf.forLife(aLife(SECOND_LIFE))).toBeNull();
    expect([shelf.at(KEY), told.slice(before)]).toEqual([[], ["ended intent-1"]]);
    expect(await stored(ledger)).toEqual(["ended intent-1"]);
  });
});

describe("what another process does", () => {
  test("arrives with the next comparison, once", async () => {
    const { shelf, another } = await openStage();
    await another().put(anIntent());
    expect((await shelf.refresh("main")).map(({ id }) => id)).toEqual(["intent-1"]);
    expect(await shelf.refresh("main")).toEqual([]);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
  });

  test("ends what is in force here", async () => {
    const { shelf, another } = await openStage();
    await shelf.put(anIntent());
    shelf.forLife(aLife());
    const other = another();
    await other.refresh("main");
    await other.clear(KEY);
    await shelf.refresh("main");
    expect(shelf.forLife(aLife())).toBeNull();
  });

  test("is in force also where it died before it could end an older one of the same life", async () => {
    const { shelf, ledger, another } = await openStage();
    const { id: lifeId } = aLife();
    for (const nth of [2, 1]) {
      const bound = { state: "bound", lifeId } as const;
      await ledger.saveIntent(anIntent({ ...bound, id: `intent-${nth}`, createdAtMs: NOW_MS + nth }));
    }
    expect(shelf.forLife(aLife())).toBeNull();
    const restarted = another();
    await restarted.refresh("main");
    expect(restarted.forLife(aLife())).toMatchObject({ id: "intent-2" });
    expect(await stored(ledger)).toEqual(["ended intent-1", "bound intent-2"]);
  });

  test("that may loosen is for a position that was open by then, and for no later one", async () => {
    const { shelf } = await openStage();
    await shelf.put(anIntent({ mayLoosenFrom: dec("98") }));
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS + 60_000 }))).toBeNull();
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
  });

  test("is finished here where it died between setting the new one and ending the old", async () => {
    const { shelf, ledger } = await openStage();
    await shelf.put(anIntent());
    shelf.forLife(aLife());
    await ledger.saveIntent(anIntent({ id: "intent-2", createdAtMs: NOW_MS + 1 }));
    await shelf.refresh("main");
    expect(await stored(ledger)).toEqual(["ended intent-1", "pending intent-2"]);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-2" });
  });

  test("is old where something was changed here while the question was on its way", async () => {
    const { shelf, late } = await openStage();
    await shelf.put(anIntent());
    const answer = late();
    const asked = shelf.refresh("main");
    await shelf.put(anIntent({ id: "intent-2", side: "short" }));
    await shelf.end(anIntent(), "enough");
    answer();
    await asked;
    expect(shelf.at(KEY).map(({ id }) => id)).toEqual(["intent-2"]);
  });
});

describe("while the ledger fails", () => {
  test("what cannot be kept is not in force, and says so", async () => {
    const { shelf, broken, told } = await openStage();
    broken.add("saveIntent");
    await expect(shelf.put(anIntent())).rejects.toBeInstanceOf(LedgerError);
    expect([shelf.forLife(aLife()), told]).toEqual([null, []]);
  });

  test("what was taken up is in force, and written down as soon as that is possible", async () => {
    const { shelf, broken, ledger, told } = await openStage();
    await shelf.put(anIntent());
    broken.add("bindIntent");
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
    await shelf.refresh("main");
    await expect(shelf.refresh("main")).rejects.toBeInstanceOf(LedgerError);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
    expect(shelf.forLife(aLife(SECOND_LIFE))).toBeNull();
    broken.clear();
    await shelf.refresh("main");
    expect(await ledger.intents({})).toMatchObject([{ state: "bound", lifeId: "life-1" }]);
    expect(told).toEqual(["set intent-1", "bound intent-1"]);
  });

  test("what cannot be taken back is in force as before", async () => {
    const { shelf, broken } = await openStage();
    await shelf.put(anIntent());
    shelf.forLife(aLife());
    await shelf.refresh("main");
    broken.add("endIntent");
    await expect(shelf.clear(KEY)).rejects.toBeInstanceOf(LedgerError);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
  });

  test("the new one is in force although the old one cannot be ended yet", async () => {
    const { shelf, broken, ledger } = await openStage();
    await shelf.put(anIntent());
    shelf.forLife(aLife());
    await shelf.refresh("main");
    broken.add("endIntent");
    expect(await shelf.put(anIntent({ id: "intent-2" }))).toBe(true);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-2" });
    await shelf.refresh("main");
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-2" });
    broken.clear();
    await shelf.refresh("main");
    expect(await stored(ledger)).toEqual(["ended intent-1", "bound intent-2"]);
  });

  test("nothing is forgotten when it cannot be compared", async () => {
    const { shelf, broken } = await openStage();
    await shelf.put(anIntent());
    broken.add("intents");
    await expect(shelf.refresh("main")).rejects.toBeInstanceOf(LedgerError);
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
  });
});

describe("an intent that was held against the position as it stood", () => {
  test("is for what opened right after the look that showed none, however long that look took", async () => {
    const { shelf } = await openStage();
    await shelf.put(anIntent({ setFor: { kind: "next", seenAtMs: NOW_MS - 8_000 } }));
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS - 7_000 }))).toMatchObject({ id: "intent-1" });
  });

  test("is meant for the next one where none was open: what began long before does not take it up", async () => {
    const { shelf } = await openStage();
    await shelf.put(anIntent({ setFor: { kind: "next", seenAtMs: NOW_MS } }));
    expect(shelf.forLife(aLife({ openedAtMs: NOW_MS - 60_000 }))).toBeNull();
    expect(shelf.forLife(aLife())).toMatchObject({ id: "intent-1" });
  });

  test("is in force for that life from the start, and for no other", async () => {
    const { shelf, another } = await openStage();
    await shelf.put(anIntent({ state: "bound", lifeId: "life-1" }));
    for (const one of [shelf, another()]) {
      await one.refresh("main");
      expect(one.forLife(aLife({ id: "life-2" }))).toBeNull();
      expect(one.forLife(aLife({ id: "life-1" }))).toMatchObject({ id: "intent-1" });
    }
  });
});
