/** For which life an intent was set: one that was set for an open position is for that life, and never for the next. */
import { describe, expect, test } from "vitest";
import type { Intent, Life } from "../../src/ledger/port.js";
import { keepIntent, type Seen } from "../../src/intents/keep.js";
import { aPosition, aShort } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";
import { aLife, anIntent, KEY, NOW_MS, openStage, type ShelfStage, stored, wish } from "./stage.js";

const HOUR_MS = 3_600_000;
const OPENED_MS = NOW_MS - HOUR_MS;
const CLOSED = "the position that it was set for has closed since";
const UNPROVEN = "nothing proves that the position is still the one that it was set for";

/** As a command sets it, that is not the account's writer; asked for and seen at `NOW_MS`. */
async function set(stage: ShelfStage, sight: Seen, over: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const kept = await keepIntent(KEY, wish(over), "cli", {
    shelf: stage.another(),
    openPosition: () => Promise.resolve(sight),
    now: () => NOW_MS,
    newId: () => "intent-1",
  });
  expect(kept.kind).toBe("kept");
  await stage.shelf.refresh("main");
}

const seen = (openedAtMs: number | null) => firstOf({ positions: [aPosition({ openedAtMs })] });

/** First looked at a minute after the intent was set. */
const lifeOf = (openedAtMs: number | null, over: Partial<Life> = {}) =>
  aLife({ openedAtMs, firstSeenMs: NOW_MS + 60_000, ...over });

async function ending({ shelf, ledger }: ShelfStage): Promise<unknown> {
  await shelf.refresh("main");
  const [intent] = await ledger.intents({});
  return [intent?.state, intent?.endedHow];
}

describe("an intent that was set for an open position", () => {
  test("is taken up by that position, however long ago it opened", async () => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS));
    expect(stage.shelf.forLife(lifeOf(OPENED_MS + 100))).toMatchObject({ id: "intent-1", lifeId: "life-1" });
  });

  test.each([
    ["a level", {}],
    ["a waiver", { stopLoss: "none", reason: "maintenance", until: "2030-01-01T00:00:00Z" }],
    ["a leave to loosen", { allowLoosen: true }],
  ])("with %s ends where the next one has opened, in time or not, and says why", async (_what, over) => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS), over);
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000))).toBeNull();
    expect(await ending(stage)).toEqual(["ended", CLOSED]);
    expect(stage.told.at(-1)).toBe("ended intent-1");
    expect(stage.shelf.forLife(lifeOf(OPENED_MS))).toBeNull();
  });

  test("waits on where a late row still shows the one before", async () => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS));
    expect(stage.shelf.forLife(lifeOf(OPENED_MS - HOUR_MS))).toBeNull();
    expect(stage.shelf.forLife(lifeOf(OPENED_MS))).not.toBeNull();
  });

  test("is for its leg and side alone", async () => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS));
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000, { side: "short" }))).toBeNull();
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000, { key: { ...KEY, positionIdx: 1 } }))).toBeNull();
    expect(await stored(stage.ledger)).toEqual(["pending intent-1"]);
  });

  test("ends after two flips: the long that is open again is another one", async () => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS));
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 2_000))).toBeNull();
    expect(await ending(stage)).toEqual(["ended", CLOSED]);
  });

  test("is not taken up either while the ledger cannot be told that it is over", async () => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS));
    stage.broken.add("endIntent");
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000))).toBeNull();
    await new Promise(setImmediate);
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000))).toBeNull();
    stage.broken.clear();
    expect(await ending(stage)).toEqual(["ended", CLOSED]);
  });

  test("ends with its time where its position is never seen again", async () => {
    const stage = await openStage();
    await set(stage, seen(OPENED_MS));
    stage.shelf.resting("main", []);
    stage.clock.nowMs += 600_001;
    expect(await ending(stage)).toEqual([
      "expired",
      "that its position is still the one that it was set for was not proven in time",
    ]);
  });
});

describe("where the exchange states no opening, an intent for an open position", () => {
  test.each<readonly [string, Life]>([
    ["was watched since before", lifeOf(null, { firstSeenMs: NOW_MS - 1 })],
    ["has been open since before, by its fills", lifeOf(NOW_MS - 6_000)],
  ])("is taken up by the life that %s", async (_what, life) => {
    const stage = await openStage();
    await set(stage, seen(null));
    expect(stage.shelf.forLife(life)).toMatchObject({ id: "intent-1" });
  });

  test("is not taken up while nothing tells, and is when the fills do", async () => {
    const stage = await openStage();
    await set(stage, seen(null));
    expect(stage.shelf.forLife(lifeOf(null))).toBeNull();
    expect(await stored(stage.ledger)).toEqual(["pending intent-1"]);
    expect(stage.shelf.forLife(lifeOf(OPENED_MS))).not.toBeNull();
  });

  test.each([
    ["has opened since, by its fills", NOW_MS + 6_000, CLOSED],
    ["has opened in that moment, so that nobody can tell", NOW_MS + 1_000, UNPROVEN],
  ])("ends where the one that is open %s", async (_what, openedAtMs, how) => {
    const stage = await openStage();
    await set(stage, seen(null));
    expect(stage.shelf.forLife(lifeOf(openedAtMs))).toBeNull();
    expect(await ending(stage)).toEqual(["ended", how]);
  });
});

describe("an intent that was set before its position opened", () => {
  test("is taken up by the one that opens in time, also by a process that comes later", async () => {
    const stage = await openStage();
    await set(stage, null);
    expect(stage.another().forLife(lifeOf(NOW_MS + 1_000))).toBeNull();
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000))).toMatchObject({ id: "intent-1" });
  });

  test("is not for one that began long before, whoever looks", async () => {
    const stage = await openStage();
    await set(stage, null);
    expect(stage.shelf.forLife(lifeOf(OPENED_MS))).toBeNull();
  });

  test("is for the one that is open, or opens in time, where nobody could look", async () => {
    for (const openedAtMs of [OPENED_MS, NOW_MS + 1_000]) {
      const stage = await openStage();
      await set(stage, "unread");
      expect(stage.shelf.forLife(lifeOf(openedAtMs))).not.toBeNull();
    }
  });
});

describe("an intent that an older version has set", () => {
  const older = (over: Partial<Intent> = {}) => anIntent({ setFor: null, ...over });

  test("is taken up only by a position that has surely opened after that, in time", async () => {
    const stage = await openStage();
    await stage.shelf.put(older());
    expect(stage.shelf.forLife(lifeOf(null))).toBeNull();
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 600_001))).toBeNull();
    expect(stage.shelf.forLife(lifeOf(NOW_MS + 1_000))).toMatchObject({ id: "intent-1" });
  });

  test("ends where the one that is open was open before", async () => {
    const stage = await openStage();
    await stage.shelf.put(older());
    expect(stage.shelf.forLife(lifeOf(OPENED_MS))).toBeNull();
    expect(await ending(stage)).toEqual([
      "ended",
      "an older version has set it, and whether it was for this position cannot be told",
    ]);
  });

  test("is in force as before where it was taken up", async () => {
    const stage = await openStage();
    await stage.shelf.put(older({ state: "bound", lifeId: "life-1" }));
    expect(stage.shelf.forLife(lifeOf(OPENED_MS))).toMatchObject({ id: "intent-1" });
  });
});

test("what was seen of a short counts for a short: its opening is kept with the intent", async () => {
  const stage = await openStage();
  const open = firstOf({ positions: [aShort({ openedAtMs: OPENED_MS })] });
  await set(stage, open, { side: "short", stopLoss: "110" });
  expect(await stage.ledger.intents({})).toMatchObject([
    { side: "short", setFor: { kind: "open", openedAtMs: OPENED_MS, seenAtMs: NOW_MS } },
  ]);
});
