/** The watched file: what it names is set once, what it no longer names is ended, and what is not valid changes nothing. */
import { describe, expect, test } from "vitest";
import type { Assessed } from "../../src/assess/assess.js";
import { fullStop } from "../builders/order.js";
import { aPosition, type PositionShape } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";
import { type FileStage, LONG, openFile } from "./file-stage.js";
import { aLife, anIntent, KEY, NOW_MS } from "./stage.js";

const TTL_MS = 600_000;

/** `pending long 90`, of every intent that ever was, oldest first. */
async function held({ ledger }: FileStage): Promise<readonly string[]> {
  const intents = await ledger.intents({});
  return intents.map(({ state, side, stopLoss, endedHow }) =>
    [state, side, stopLoss?.toFixed() ?? "none", ...(endedHow === null ? [] : [`(${endedHow})`])].join(" "),
  );
}

function openLong(stop: string | null, shape: Partial<PositionShape> = {}): Assessed {
  const position = aPosition({ openedAtMs: NOW_MS, fullStop: stop, ...shape });
  return firstOf({ positions: [position], orders: stop === null ? [] : [fullStop(position, stop)] });
}

const UNNAMED = "(its file no longer names it)";

describe("an entry", () => {
  test("is set by the first look, as asked for when the file was written", async () => {
    const stage = await openFile({ intents: [LONG] });
    expect(await stage.look()).toContain("read 1");
    const [intent] = stage.shelf.at(KEY);
    expect(intent).toMatchObject({ state: "pending", createdAtMs: NOW_MS, who: "file" });
    expect(await held(stage)).toEqual(["pending long 90"]);
  });

  test("is set once, however often the file is written and whoever reads it", async () => {
    const stage = await openFile({ intents: [LONG] });
    stage.write({ intents: [{ ...LONG, stopLoss: "90.0" }] });
    await stage.look();
    await stage.restart();
    await stage.look();
    expect(stage.told.filter((text) => text.startsWith("set"))).toHaveLength(1);
    expect(await held(stage)).toEqual(["pending long 90"]);
  });

  test("never reaches the next life once its own is over, not after a restart", async () => {
    const stage = await openFile({ intents: [LONG] });
    stage.shelf.forLife(aLife());
    stage.over.add("life-1");
    await stage.shelf.refresh("main");
    expect(await stage.restart()).toEqual([
      "read 1",
      "over intents[0]: its position has closed, flipped or opened anew",
    ]);
    expect(await stage.look()).toEqual([]);
    expect(stage.shelf.forLife(aLife({ id: "life-2", openedAtMs: NOW_MS + 9_000 }))).toBeNull();
  });

  test("is wanted anew under another id", async () => {
    const stage = await openFile({ intents: [LONG] });
    stage.shelf.forLife(aLife());
    stage.over.add("life-1");
    await stage.shelf.refresh("main");
    stage.write({ intents: [{ ...LONG, id: "trade-2" }] });
    await stage.look();
    expect(stage.shelf.forLife(aLife({ id: "life-2" }))).toMatchObject({ who: "file" });
  });

  test("is taken up at once where its position is open", async () => {
    const stage = await openFile();
    stage.open = openLong(null);
    stage.write({ intents: [LONG] });
    await stage.look();
    expect(stage.taken).toEqual(["BTCUSDT"]);
  });

  test("that was written while nobody looked is over where its position has closed since", async () => {
    const stage = await openFile();
    stage.write({ intents: [LONG] });
    stage.open = openLong(null, { openedAtMs: NOW_MS + 60_000 });
    stage.missed = "the position that it was set for has closed since";
    stage.clock.nowMs += 120_000;
    expect(await stage.look()).toContain("over intents[0]: the position that it was set for has closed since");
    expect([await held(stage), stage.taken]).toEqual([
      ["ended long 90 (the position that it was set for has closed since)"],
      [],
    ]);
    stage.missed = null;
    expect(await stage.look()).toEqual([]);
  });

  test("for an open position is for that one, and for no later one", async () => {
    const stage = await openFile();
    stage.open = openLong(null);
    stage.write({ intents: [LONG] });
    await stage.look();
    expect(stage.shelf.forLife(aLife({ openedAtMs: NOW_MS + 5_000 }))).toBeNull();
    await stage.shelf.refresh("main");
    expect(await held(stage)).toEqual(["ended long 90 (the position that it was set for has closed since)"]);
  });

  test("takes the place of what it was before", async () => {
    const stage = await openFile({ intents: [LONG] });
    stage.write({ intents: [{ ...LONG, stopLoss: "91" }] });
    await stage.look();
    expect(new Set(await held(stage))).toEqual(
      new Set(["ended long 90 (another one was set in its place)", "pending long 91"]),
    );
  });

  test("opens no new ttl where the file is old, and takes no other's place", async () => {
    const stage = await openFile();
    stage.write({ intents: [LONG] });
    stage.clock.nowMs += TTL_MS + 1;
    await stage.shelf.put(anIntent({ id: "by hand", createdAtMs: stage.clock.nowMs }));
    expect(await stage.look()).toContain("over intents[0]: its file was written too long ago");
    expect(stage.shelf.at(KEY)).toMatchObject([{ id: "by hand", state: "pending" }]);
  });

  test("of an old file still counts for the position that opened in time", async () => {
    const stage = await openFile();
    stage.write({ intents: [LONG] });
    stage.clock.nowMs += TTL_MS + 1;
    stage.open = openLong(null, { openedAtMs: NOW_MS + TTL_MS });
    await stage.look();
    expect(stage.taken).toEqual(["BTCUSDT"]);
  });

  test("for an account that another process writes for is left to it, until this one does", async () => {
    const stage = await openFile();
    stage.ours = [];
    stage.write({ intents: [LONG] });
    await stage.look();
    expect(await held(stage)).toEqual([]);
    stage.ours = ["main"];
    await stage.look();
    expect(await held(stage)).toEqual(["pending long 90"]);
  });
});

describe("after the config was read anew", () => {
  test("an entry that names no account is for the one that the config has now", async () => {
    const stage = await openFile({ intents: [LONG] });
    await stage.look();
    stage.accountNames = ["prime"];
    stage.ours = ["prime"];
    expect(await stage.look()).toEqual(["read 1"]);
    const intents = await stage.ledger.intents({ account: "prime" });
    expect(intents).toMatchObject([{ state: "pending", key: { account: "prime", symbol: "BTCUSDT" } }]);
  });

  test("an entry for an account that the config has no more is told, and the others are kept to", async () => {
    const stage = await openFile({ intents: [{ ...LONG, account: "main" }] });
    await stage.look();
    stage.write({
      intents: [
        { ...LONG, account: "main" },
        { ...LONG, account: "mian" },
      ],
    });
    expect(await stage.look()).toEqual(["read 2, of which for strangers: intents[1]"]);
    expect(await held(stage)).toEqual(["pending long 90"]);
  });
});

describe("what disappears from the file", () => {
  test("ends, pending or in force, and nothing else does", async () => {
    const stage = await openFile({ intents: [LONG, { ...LONG, symbol: "ETHUSDT" }, { ...LONG, side: "short" }] });
    stage.shelf.forLife(aLife());
    await stage.shelf.refresh("main");
    stage.write({ intents: [{ ...LONG, symbol: "ETHUSDT" }] });
    await stage.look();
    expect(new Set(await held(stage))).toEqual(
      new Set([`ended long 90 ${UNNAMED}`, `ended short 90 ${UNNAMED}`, "pending long 90"]),
    );
    expect(stage.shelf.forLife(aLife())).toBeNull();
  });

  test("ends also where that happened while nobody watched", async () => {
    const stage = await openFile({ intents: [LONG] });
    stage.write({ intents: [] });
    expect(await stage.restart()).toEqual(["read 0"]);
    expect(await held(stage)).toEqual([`ended long 90 ${UNNAMED}`]);
  });

  test("leaves alone what came by another way", async () => {
    const stage = await openFile({ intents: [] });
    await stage.shelf.put(anIntent({ id: "by hand" }));
    await stage.look();
    expect(stage.shelf.at(KEY)).toMatchObject([{ id: "by hand", state: "pending" }]);
  });

  test("stays for an account that another process writes for", async () => {
    const stage = await openFile({ intents: [LONG] });
    stage.ours = [];
    stage.write({ intents: [] });
    await stage.look();
    expect(await held(stage)).toEqual(["pending long 90"]);
  });
});

describe("a file that is not whole and valid", () => {
  test.each([
    ["is missing", null, "there is no such file"],
    ["is empty", "", "it is empty"],
    ["is half written", '{ "intents": [', "it is no whole JSON: it may be half written"],
    ["does not validate", { intents: [LONG, { ...LONG, side: "up" }] }, "intents[1]: side: "],
  ])("that %s changes nothing, and is told once for each change", async (_how, content, problem) => {
    const stage = await openFile({ intents: [LONG] });
    await stage.look();
    stage.write(content);
    expect(await stage.look()).toEqual([expect.stringContaining(`invalid: ${problem}`)]);
    expect([...(await stage.look()), ...(await stage.look()), ...(await stage.look())]).toEqual([]);
    expect(await held(stage)).toEqual(["pending long 90"]);
    stage.write({ intents: [] });
    expect(await stage.look()).toEqual(["read 0"]);
    stage.write(content);
    expect(await stage.look()).toEqual([expect.stringContaining(`invalid: ${problem}`)]);
  });

  test("nor does one that cannot be read", async () => {
    const stage = await openFile({ intents: [LONG] });
    await stage.look();
    stage.trouble = new Error("EACCES: permission denied");
    expect(await stage.look()).toEqual(["invalid: it cannot be read: EACCES: permission denied"]);
    expect(await stage.look()).toEqual([]);
    expect(await held(stage)).toEqual(["pending long 90"]);
  });

  test("a change within the grain of the file's time is seen as well", async () => {
    const stage = await openFile({ intents: [LONG] });
    const before = stage.clock.nowMs;
    stage.clock.nowMs = NOW_MS;
    stage.write({ intents: [] });
    stage.clock.nowMs = before;
    await stage.look();
    expect(await held(stage)).toEqual([`ended long 90 ${UNNAMED}`]);
  });
});

describe("a refusal", () => {
  const LOOSENS = "refused intents[0]: a stop stands at 95; 90 would loosen it, which needs allowLoosen: true";

  async function refused(): Promise<FileStage> {
    const stage = await openFile();
    await stage.look();
    stage.open = openLong("95");
    stage.write({ intents: [LONG] });
    expect(await stage.look()).toEqual(["read 1", LOOSENS]);
    return stage;
  }

  test("is told once, and nothing is kept", async () => {
    const stage = await refused();
    expect([...(await stage.look()), ...(await stage.look())]).toEqual([]);
    expect(await held(stage)).toEqual([]);
  });

  test("is tried again when the position has changed", async () => {
    const stage = await refused();
    stage.open = openLong("89");
    expect(await stage.look()).toEqual([]);
    expect(await held(stage)).toEqual(["pending long 90"]);
  });

  test("is not tried again when only the mark has moved", async () => {
    const stage = await openFile();
    stage.open = openLong(null, { mark: "89" });
    stage.write({ intents: [LONG] });
    expect((await stage.look()).at(-1)).toContain("MarkPrice 89 has passed the stop-loss 90");
    stage.open = openLong(null, { mark: "100" });
    await stage.look();
    expect(await held(stage)).toEqual([]);
  });

  test("is not tried on the next life of the position", async () => {
    const stage = await refused();
    stage.open = null;
    expect(await stage.look()).toEqual(["over intents[0]: it was refused, and its position is over"]);
    stage.open = openLong(null, { openedAtMs: NOW_MS + 4_000 });
    await stage.look();
    await stage.restart();
    expect(await held(stage)).toEqual(["ended long 90 (it was refused, and its position is over)"]);
  });

  test("leaves in force what the entry said before", async () => {
    const stage = await openFile({ intents: [{ ...LONG, stopLoss: "95" }] });
    stage.open = openLong("95");
    stage.write({ intents: [LONG] });
    expect(await stage.look()).toContain(LOOSENS);
    expect(await held(stage)).toEqual(["pending long 95"]);
    stage.write({ intents: [] });
    await stage.look();
    expect(await held(stage)).toEqual([`ended long 95 ${UNNAMED}`]);
  });

  test("allowLoosen counts once: what the stop has become since then is not loosened again", async () => {
    const stage = await openFile();
    stage.open = openLong("95");
    stage.write({ intents: [{ ...LONG, allowLoosen: true }] });
    await stage.look();
    expect(stage.shelf.at(KEY)[0]?.mayLoosenFrom?.toFixed()).toBe("95");
    stage.open = openLong("97");
    stage.write({ intents: [{ ...LONG, allowLoosen: true }] });
    await stage.look();
    await stage.restart();
    expect(stage.shelf.at(KEY)[0]?.mayLoosenFrom?.toFixed()).toBe("95");
  });
});

test("while the ledger fails nothing is lost: it is told once and tried again", async () => {
  const stage = await openFile();
  await stage.look();
  stage.broken.add("saveIntent");
  stage.write({ intents: [LONG] });
  expect(await stage.look()).toEqual(["read 1", "unwritten: the disk is full"]);
  expect(await stage.look()).toEqual([]);
  stage.broken.clear();
  await stage.look();
  expect(await held(stage)).toEqual(["pending long 90"]);
});
