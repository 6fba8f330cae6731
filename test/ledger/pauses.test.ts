/** What is paused, for how long, and what a reader sees of a file that others change; time is handed in. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { changePauseFile, type PauseFile } from "../../src/ledger/pause-file.js";
import { openPauses, pauseText } from "../../src/ledger/pauses.js";
import { addPauses, PauseFileError, type PauseWish, removePauses } from "../../src/ledger/pausing.js";

const NOW_MS = Date.parse("2026-01-01T00:00:00.000Z");
const MINUTE_MS = 60_000;

interface Ledger {
  readonly stateDir: string;
  readonly file: string;
  readonly clock: { nowMs: number; now(): number; sleep(ms: number): Promise<void> };
  pause(wish?: Partial<PauseWish>): Promise<readonly string[]>;
  resume(accounts?: readonly string[], symbols?: readonly string[]): ReturnType<typeof removePauses>;
  /** What may not be written now, of two accounts with two contracts each. */
  held(): readonly string[];
  reasonFor(account: string, symbol: string): string | null;
}

const PLACES = ["main BTCUSDT", "main ETHUSDT", "grid BTCUSDT", "grid ETHUSDT"];

function ledger(): Ledger {
  const folder = mkdtempSync(join(tmpdir(), "backstop-pauses-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const stateDir = join(folder, "state");
  const clock = {
    nowMs: NOW_MS,
    now: () => clock.nowMs,
    sleep: (ms: number) => {
      clock.nowMs += ms;
      return Promise.resolve();
    },
  };
  const pauses = openPauses(stateDir);
  const reasonFor = (account: string, symbol: string) => pauses.reasonFor({ account, symbol }, clock.nowMs);
  return {
    stateDir,
    file: join(stateDir, "pauses.json"),
    clock,
    pause: async (wish = {}) => {
      const whole = { accounts: [], symbols: [], untilMs: null, reason: null, ...wish };
      return (await addPauses(stateDir, whole, clock)).inForce.map(pauseText);
    },
    resume: (accounts = [], symbols = []) => removePauses(stateDir, { accounts, symbols }, clock),
    held: () =>
      PLACES.filter((place) => {
        const [account = "", symbol = ""] = place.split(" ");
        return reasonFor(account, symbol) !== null;
      }),
    reasonFor,
  };
}

describe("what a pause holds", () => {
  test.each<[string, Partial<PauseWish>, readonly string[]]>([
    ["everything, unless it says less", {}, PLACES],
    ["one account", { accounts: ["main"] }, ["main BTCUSDT", "main ETHUSDT"]],
    ["one symbol in every account", { symbols: ["BTCUSDT"] }, ["main BTCUSDT", "grid BTCUSDT"]],
    ["one symbol of one account", { accounts: ["grid"], symbols: ["ETHUSDT"] }, ["grid ETHUSDT"]],
    ["symbols by a glob, in capitals or not", { symbols: ["btc*"] }, ["main BTCUSDT", "grid BTCUSDT"]],
    [
      "each of several symbols in each of several accounts",
      { accounts: ["main", "grid"], symbols: ["BTC*", "ETH*"] },
      PLACES,
    ],
    ["no other symbol that begins or ends alike", { symbols: ["BTC", "USDT", "CUSD"] }, []],
    ["all but what a glob excludes", { symbols: ["!BTC*"] }, ["main ETHUSDT", "grid ETHUSDT"]],
  ])("%s", async (_what, wish, held) => {
    const it = ledger();
    expect(it.held()).toEqual([]);
    await it.pause(wish);
    expect(it.held()).toEqual(held);
  });

  test("the reason says until when, what and why", async () => {
    const it = ledger();
    await it.pause({ symbols: ["BTC*"], untilMs: NOW_MS + 10 * MINUTE_MS, reason: "maintenance" });
    expect(it.reasonFor("main", "BTCUSDT")).toBe(
      "paused until 2026-01-01T00:10:00.000Z (all accounts, symbol BTC*): maintenance",
    );
    await it.pause({ accounts: ["main"] });
    expect(it.reasonFor("main", "BTCUSDT")).toBe("paused until resumed (account main, all symbols)");
  });
});

describe("the end of a pause", () => {
  test("comes by the wall clock, to the millisecond", async () => {
    const it = ledger();
    await it.pause({ untilMs: NOW_MS + MINUTE_MS });
    it.clock.nowMs += MINUTE_MS - 1;
    expect(it.held()).toEqual(PLACES);
    it.clock.nowMs += 1;
    expect(it.held()).toEqual([]);
  });

  test("that has passed is forgotten with the next change", async () => {
    const it = ledger();
    await it.pause({ accounts: ["main"], untilMs: NOW_MS + MINUTE_MS });
    it.clock.nowMs += MINUTE_MS;
    expect(await it.pause({ accounts: ["grid"] })).toEqual(["account grid, all symbols, until resumed"]);
    expect(readFileSync(it.file, "utf8")).not.toContain("main");
  });

  test("is put off by a longer pause of the same place, and not brought forward by a shorter one", async () => {
    const it = ledger();
    await it.pause({ symbols: ["BTCUSDT"], untilMs: NOW_MS + MINUTE_MS });
    const longer = await it.pause({ symbols: ["btcusdt"], untilMs: NOW_MS + 2 * MINUTE_MS });
    expect(longer).toEqual(["all accounts, symbol btcusdt, until 2026-01-01T00:02:00.000Z"]);
    await it.pause({ symbols: ["BTCUSDT"], untilMs: NOW_MS + MINUTE_MS });
    it.clock.nowMs += MINUTE_MS;
    expect(it.held()).toEqual(["main BTCUSDT", "grid BTCUSDT"]);
  });
});

describe("resuming", () => {
  test("without options ends every pause and says which", async () => {
    const it = ledger();
    await it.pause({ accounts: ["main"] });
    await it.pause({ symbols: ["ETH*"], untilMs: NOW_MS + MINUTE_MS });
    const { removed, inForce, stillHolding } = await it.resume();
    expect(removed.map(pauseText)).toEqual([
      "account main, all symbols, until resumed",
      "all accounts, symbol ETH*, until 2026-01-01T00:01:00.000Z",
    ]);
    expect({ inForce, stillHolding, held: it.held() }).toEqual({ inForce: [], stillHolding: [], held: [] });
  });

  test("an account ends its own pauses, also those of single symbols, and no other", async () => {
    const it = ledger();
    await it.pause({ accounts: ["main", "grid"], symbols: ["BTCUSDT"] });
    const { removed } = await it.resume(["main"]);
    expect(removed.map(pauseText)).toEqual(["account main, symbol BTCUSDT, until resumed"]);
    expect(it.held()).toEqual(["grid BTCUSDT"]);
  });

  test("by a glob ends the pauses of symbols that it matches", async () => {
    const it = ledger();
    await it.pause({ symbols: ["BTCUSDT", "ETHUSDT"] });
    await it.resume([], ["eth*"]);
    expect(it.held()).toEqual(["main BTCUSDT", "grid BTCUSDT"]);
  });

  test.each<[string, Partial<PauseWish>, readonly string[], readonly string[]]>([
    ["one symbol of all", {}, [], ["BTCUSDT"]],
    ["one account of all", {}, ["main"], []],
    ["one symbol of a glob", { symbols: ["BTC*"] }, [], ["BTCUSDT"]],
    ["a glob that matches the text of another, and not all that it holds", { symbols: ["B*"] }, [], ["B?"]],
    ["one symbol of a whole account", { accounts: ["main"] }, ["main"], ["BTCUSDT"]],
  ])("%s leaves the pause that reaches farther, and names it", async (_what, wish, accounts, symbols) => {
    const it = ledger();
    await it.pause(wish);
    const before = it.held();
    const { removed, stillHolding } = await it.resume(accounts, symbols);
    expect(removed).toEqual([]);
    expect(stillHolding).toHaveLength(1);
    expect(it.held()).toEqual(before);
  });

  test("where nothing is paused makes no file", async () => {
    const it = ledger();
    const { removed, inForce, stillHolding } = await it.resume(["main"]);
    expect({ removed, inForce, stillHolding }).toEqual({ removed: [], inForce: [], stillHolding: [] });
    expect(() => statSync(it.stateDir)).toThrow("ENOENT");
  });
});

const DAMAGES: readonly (readonly [string, string, string])[] = [
  ["an empty file", "", "it is no JSON"],
  ["a file that was cut off", '{"schema":"bybit-backstop/pauses@1","pau', "it is no JSON"],
  ["no mapping", "[]", "its form is not as this program writes it"],
  ["another schema", '{"schema":"bybit-backstop/pauses@2","pauses":[]}', "schema is not"],
  ["a time that is none", entry({ until: "2026-02-30T00:00:00Z" }), "pauses.0.until is not"],
  ["a number for a time", entry({ until: 5 }), "pauses.0.until is not"],
  ["an unknown key", entry({ side: "long" }), "pauses.0 is not"],
  ["an empty account", entry({ account: "" }), "pauses.0.account is not"],
];

function entry(over: object): string {
  const usual = { account: null, symbol: "DOGEUSDT", until: null, since: "2026-01-01T00:00:00Z", reason: null };
  return JSON.stringify({ schema: "bybit-backstop/pauses@1", pauses: [{ ...usual, ...over }] });
}

function put({ file }: Ledger, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

describe("a damaged file pauses everything", () => {
  test.each(DAMAGES)("%s", async (_what, text, why) => {
    const it = ledger();
    put(it, text);
    expect(it.held()).toEqual(PLACES);
    expect(it.reasonFor("main", "BTCUSDT")).toContain(why);
    expect(it.reasonFor("main", "BTCUSDT")).toContain(`${it.file} is damaged`);
    expect(it.reasonFor("main", "BTCUSDT")).toContain("`npx bybit-backstop resume`");
    await expect(it.pause({ symbols: ["BTCUSDT"] })).rejects.toThrow(PauseFileError);
    await expect(it.resume([], ["BTCUSDT"])).rejects.toThrow("is damaged");
    expect(readFileSync(it.file, "utf8")).toBe(text);
    expect((await it.resume()).damage).toContain(why);
    expect(it.held()).toEqual([]);
  });

  test("and so does something that is no file, or that may not be read", async () => {
    const it = ledger();
    mkdirSync(it.file, { recursive: true });
    expect(it.reasonFor("main", "BTCUSDT")).toContain("it cannot be read (EISDIR)");
    await expect(it.resume()).rejects.toThrow(/cannot be written \(EISDIR\)/);
  });

  test("until it is sound again, which is seen at once", () => {
    const it = ledger();
    put(it, "");
    expect(it.held()).toEqual(PLACES);
    put(it, entry({ symbol: "BTC*" }));
    expect(it.held()).toEqual(["main BTCUSDT", "grid BTCUSDT"]);
  });
});

describe("the file", () => {
  test("is for nobody else's eyes, nor is a folder that had to be made for it; no draft is left", async () => {
    const it = ledger();
    await it.pause();
    expect(statSync(it.file).mode & 0o777).toBe(0o600);
    expect(statSync(it.stateDir).mode & 0o777).toBe(0o700);
    expect(readdirSync(it.stateDir)).toEqual(["pauses.json"]);
  });

  test("says in plain words what is paused", async () => {
    const it = ledger();
    await it.pause({ accounts: ["main"], symbols: ["BTC*"], untilMs: NOW_MS + MINUTE_MS, reason: "maintenance" });
    expect(JSON.parse(readFileSync(it.file, "utf8"))).toEqual({
      schema: "bybit-backstop/pauses@1",
      pauses: [
        {
          account: "main",
          symbol: "BTC*",
          until: "2026-01-01T00:01:00.000Z",
          since: "2026-01-01T00:00:00.000Z",
          reason: "maintenance",
        },
      ],
    });
  });

  test("is read anew when another one takes its place, of the same size and time as well", () => {
    const it = ledger();
    const replaceBy = (symbol: string) => {
      put({ ...it, file: `${it.file}.other` }, entry({ symbol }));
      utimesSync(`${it.file}.other`, 1, 1);
      renameSync(`${it.file}.other`, it.file);
    };
    replaceBy("BTCUSDT");
    expect(it.held()).toEqual(["main BTCUSDT", "grid BTCUSDT"]);
    replaceBy("ETHUSDT");
    expect(it.held()).toEqual(["main ETHUSDT", "grid ETHUSDT"]);
    rmSync(it.file);
    expect(it.held()).toEqual([]);
  });

  test("loses no pause where many are made at once", async () => {
    const it = ledger();
    const symbols = Array.from({ length: 10 }, (_, index) => `C${index}USDT`);
    // Real time: each waits for the others.
    const clock = {
      now: () => Date.now(),
      sleep: (ms: number) => new Promise<void>((end) => void setTimeout(end, ms / 20)),
    };
    const wishes = symbols.map((symbol) => ({ accounts: [], symbols: [symbol], untilMs: null, reason: null }));
    await Promise.all(wishes.map((wish) => addPauses(it.stateDir, wish, clock)));
    expect(symbols.filter((symbol) => it.reasonFor("main", symbol) === null)).toEqual([]);
  });

  test("is not waited for without end, and a draft that a dead process left behind is taken away", async () => {
    const it = ledger();
    const draft = `${it.file}.part`;
    put({ ...it, file: draft }, "");
    utimesSync(draft, NOW_MS / 1_000, NOW_MS / 1_000);
    await expect(it.pause()).rejects.toThrow(`another command is writing ${draft}`);
    it.clock.nowMs = NOW_MS + MINUTE_MS;
    await it.pause();
    expect(it.held()).toEqual(PLACES);
  });

  test("keeps the pause of a command that was quicker to take away what a dead process left behind", async () => {
    const it = ledger();
    const draft = `${it.file}.part`;
    put({ ...it, file: draft }, "");
    utimesSync(draft, 1, 1);
    let looks = 0;
    const clock = {
      now: () => {
        looks += 1;
        // The first is that of the wish; at the second the draft was found to be old.
        if (looks === 2) {
          rmSync(draft);
          put({ ...it, file: draft }, entry({ symbol: "BTCUSDT" }));
        }
        return NOW_MS;
      },
      sleep: async () => renameSync(draft, it.file),
    };
    await addPauses(it.stateDir, { accounts: [], symbols: ["ETHUSDT"], untilMs: null, reason: null }, clock);
    expect(it.held()).toEqual(PLACES);
    expect(readdirSync(it.stateDir)).toEqual(["pauses.json"]);
  });

  test("is decided upon anew where another command has taken the draft away", async () => {
    const it = ledger();
    const draft = `${it.file}.part`;
    const found: PauseFile[] = [];
    const clock = { now: () => NOW_MS, sleep: async () => renameSync(draft, it.file) };
    await changePauseFile(
      it.stateDir,
      (now) => {
        found.push(now);
        if (found.length === 1) {
          rmSync(draft);
          put({ ...it, file: draft }, entry({ symbol: "BTCUSDT" }));
        }
        return now.kind === "sound" ? now.pauses : [];
      },
      clock,
    );
    expect(found.map(({ kind }) => kind)).toEqual(["sound", "sound"]);
    expect(it.held()).toEqual(["main BTCUSDT", "grid BTCUSDT"]);
  });

  test.skipIf(process.getuid?.() !== 0)("belongs, if root makes it, to whose folder it is in", async () => {
    const service = { uid: 65_534, gid: 65_534 };
    const { pause, stateDir, file } = ledger();
    chownSync(dirname(stateDir), service.uid, service.gid);
    await pause();
    for (const made of [stateDir, file]) expect(statSync(made)).toMatchObject(service);
  });

  test.skipIf(process.getuid?.() === 0)("that cannot be written is named (root can write everything)", async () => {
    const it = ledger();
    mkdirSync(it.stateDir);
    chmodSync(it.stateDir, 0o500);
    await expect(it.pause()).rejects.toThrow(`${it.file} cannot be written (EACCES); nothing was changed`);
  });
});
