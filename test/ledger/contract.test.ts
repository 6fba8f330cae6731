/** What every ledger promises, asked of SQLite and, where one can be started, of PostgreSQL. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { type Intent, LedgerError, type NewEntry } from "../../src/ledger/port.js";
import { findPostgres, PASSWORD, type Postgres, startPostgres } from "./postgres.js";
import { child, fileUrl, intent, KEY, life, NOW_MS, opened } from "./stage.js";

const installed = findPostgres();
const missing = "missing" in installed ? installed.missing : null;
let postgres: Postgres | null = null;

beforeAll(async () => {
  if ("bin" in installed) postgres = await startPostgres(installed.bin);
});
afterAll(() => postgres?.stop());

function postgresUrl(): Promise<string> {
  return postgres === null ? Promise.reject(new Error("PostgreSQL was not started")) : postgres.newUrl();
}

type NewUrl = () => string | Promise<string>;

interface Venue {
  readonly name: string;
  readonly newUrl: NewUrl;
  /** Why it cannot be tested here; null: it can. */
  readonly absent: string | null;
}

const VENUES: readonly Venue[] = [
  { name: "SQLite", newUrl: fileUrl, absent: null },
  { name: "PostgreSQL", newUrl: postgresUrl, absent: missing },
];

const entry = (over: Partial<NewEntry> = {}): NewEntry => ({ kind: "finding", body: null, ...over });

for (const { name, newUrl, absent } of VENUES) {
  const skipped = absent === null ? "" : ` (skipped: ${absent})`;
  describe.skipIf(absent !== null)(`a ledger on ${name} keeps${skipped}`, () => {
    journal(newUrl);
    livesAndWishes(newUrl);
    values(newUrl);
    locks(newUrl);
  });
}

describe.skipIf(missing !== null)("a ledger on PostgreSQL keeps", () => {
  server(postgresUrl);
});

function journal(newUrl: NewUrl): void {
  test("what was appended, with the time and the place, also for the next process", async () => {
    const url = await newUrl();
    const { ledger, clock } = await opened(url);
    const body = { action: "set-trading-stop", stopLoss: "49000", held: null, sent: true, tries: [1, "two", false] };
    const place = { ...KEY, side: "short", lifeId: "life-1" } as const;
    const id = await ledger.append({ kind: "step-intended", ...place, body });
    clock.nowMs += 1_000;
    await ledger.append(entry({ atMs: NOW_MS - 1 }));
    await ledger.close();

    const again = await opened(url);
    const nowhere = { account: null, category: null, symbol: null, positionIdx: null, side: null, lifeId: null };
    expect(await again.ledger.history({ limit: 10 })).toEqual([
      { id: id + 1, atMs: NOW_MS - 1, kind: "finding", ...nowhere, body: null },
      { id, atMs: NOW_MS, kind: "step-intended", ...place, body },
    ]);
  });

  test("numbers that only grow, and gives them newest first, page by page", async () => {
    const { ledger } = await opened(await newUrl());
    const ids: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) ids.push(await ledger.append(entry({ body: turn })));
    expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    const pages: unknown[][] = [];
    let beforeId: number | undefined;
    for (;;) {
      const page = await ledger.history({ limit: 3, ...(beforeId === undefined ? {} : { beforeId }) });
      if (page.length === 0) break;
      pages.push(page.map(({ body }) => body));
      beforeId = page.at(-1)?.id;
    }
    expect(pages).toEqual([[6, 5, 4], [3, 2, 1], [0]]);
  });

  test("apart what is asked for: an account, a symbol, some kinds", async () => {
    const { ledger } = await opened(await newUrl());
    await ledger.append(entry({ account: "main", symbol: "BTCUSDT", body: 1 }));
    await ledger.append(entry({ account: "grid", symbol: "BTCUSDT", kind: "life-began", body: 2 }));
    await ledger.append(entry({ account: "main", symbol: "ETHUSDT", kind: "life-ended", body: 3 }));
    await ledger.append(entry({ kind: "pause", body: 4 }));
    const bodies = async (filter: object) => (await ledger.history({ limit: 9, ...filter })).map(({ body }) => body);
    expect(await bodies({})).toEqual([4, 3, 2, 1]);
    expect(await bodies({ account: "main" })).toEqual([3, 1]);
    expect(await bodies({ symbol: "BTCUSDT" })).toEqual([2, 1]);
    expect(await bodies({ account: "main", symbol: "BTCUSDT" })).toEqual([1]);
    expect(await bodies({ kinds: ["life-began", "pause"] })).toEqual([4, 2]);
    expect(await bodies({ kinds: [] })).toEqual([]);
    expect(await bodies({ limit: 0 })).toEqual([4]);
  });

  test("many entries that are appended at once, each with a number of its own", async () => {
    const { ledger } = await opened(await newUrl());
    const ids = await Promise.all(Array.from({ length: 40 }, (_, turn) => ledger.append(entry({ body: turn }))));
    expect(new Set(ids).size).toBe(40);
    expect(await ledger.history({ limit: 1_000 })).toHaveLength(40);
  });
}

function livesAndWishes(newUrl: NewUrl): void {
  test("lives to the last digit of their prices, until they end", async () => {
    const { ledger } = await opened(await newUrl());
    const exact = dec("123456789012345678.000000000000000012");
    const first = life({ record: { ...life().record, ourTakeProfit: exact } });
    const other = life({ id: "life-2", openedAtMs: null, firstSeenMs: NOW_MS, side: "short" });
    await ledger.saveLife(first);
    await ledger.saveLife(other);
    await ledger.saveLife(life({ id: "life-3", key: { ...KEY, account: "grid" } }));
    expect(await ledger.openLives("main")).toEqual([other, first]);

    const later = { ...first, record: { ...first.record, closeSent: true } };
    await ledger.saveLife(later);
    await ledger.saveLife({ ...other, ended: { how: "closed", atMs: NOW_MS } });
    expect(await ledger.openLives("main")).toEqual([later]);
    await ledger.saveLife({ ...later, ended: { how: "flipped", atMs: NOW_MS } });
    expect(await ledger.openLives("main")).toEqual([]);
  });

  test("that a close was written down in a life, and may have been sent", async () => {
    const { ledger } = await opened(await newUrl());
    const close = { ...KEY, side: "long", body: { action: "close-position", quantity: "1" } } as const;
    const ids = ["asked", "vetoed", "other"];
    for (const id of ids) await ledger.saveLife(life({ id }));
    await ledger.append({ ...close, kind: "step-intended", lifeId: "asked" });
    await ledger.append({ ...close, kind: "step-intended", lifeId: "vetoed" });
    await ledger.append({
      ...close,
      kind: "step-answered",
      lifeId: "vetoed",
      body: { ...close.body, answer: "not-sent" },
    });
    await ledger.append({ ...close, kind: "step-intended", lifeId: "other", body: { action: "set-trading-stop" } });
    const lives = await ledger.openLives("main");
    expect(lives.filter(({ record }) => record.closeSent).map(({ id }) => id)).toEqual(["asked"]);
  });

  test("many entries at once in their order, and none of them where one does not fit", async () => {
    const { ledger } = await opened(await newUrl());
    await ledger.appendAll(["a", "b", "c"].map((body) => entry({ body })));
    await ledger.appendAll([]);
    await expect(ledger.appendAll([entry({ body: "d" }), entry({ symbol: "canary\0" })])).rejects.toThrow(LedgerError);
    expect((await ledger.history({ limit: 9 })).map(({ body }) => body)).toEqual(["c", "b", "a"]);
  });

  test("what was sent in a life and never judged, level by level, and nothing that was refused, proven or replaced", async () => {
    const { ledger } = await opened(await newUrl());
    await ledger.saveLife(life());
    const levels = { stopLoss: "49000", slTriggerBy: "MarkPrice", takeProfit: "52000", tpTriggerBy: "LastPrice" };
    const write = (kind: NewEntry["kind"], body: object, lifeId = "life-1") =>
      ledger.append({ kind, ...KEY, side: "long", lifeId, body: { action: "set-trading-stop", ...body } });
    const unproven = async () => {
      const [first] = await ledger.openLives("main");
      return first?.unproven.map(({ entryId, stopLoss, takeProfit }) => [
        entryId,
        stopLoss?.price.toFixed() ?? null,
        takeProfit?.price.toFixed() ?? null,
      ]);
    };
    await write("step-intended", levels, "life-2");
    expect(await unproven()).toEqual([]);
    const first = await write("step-intended", levels);
    expect(await unproven()).toEqual([[first, "49000", "52000"]]);
    await write("step-answered", { ...levels, intended: first, answer: "refused" });
    expect(await unproven()).toEqual([]);
    const stopAlone = { stopLoss: "49000", slTriggerBy: "MarkPrice", intended: first };
    await write("step-answered", { ...stopAlone, answer: "acknowledged" });
    await write("step-judged", { ...stopAlone, outcome: "uncertain" });
    expect(await unproven()).toEqual([[first, "49000", null]]);
    const profit = { takeProfit: "52000", tpTriggerBy: "LastPrice" };
    const second = await write("step-intended", profit);
    await write("step-judged", { ...profit, intended: second, outcome: "confirmed" });
    expect(await unproven()).toEqual([[first, "49000", null]]);
    const third = await write("step-intended", { ...levels, stopLoss: "49500" });
    await write("step-judged", { ...levels, stopLoss: "49500", intended: third, outcome: "confirmed" });
    expect(await unproven()).toEqual([]);
    await write("step-intended", { stopLoss: "a price", slTriggerBy: "MarkPrice" });
    expect(await unproven()).toEqual([]);
  });

  test("intents whole, and finds them by what is asked for", async () => {
    const { ledger } = await opened(await newUrl());
    const waived: Intent = intent({
      id: "intent-2",
      stopLoss: null,
      waiver: { reason: "hedged elsewhere", untilMs: NOW_MS + 1, until: "2026-02-01T00:00:00.000Z" },
      orderLinkId: "bot-7",
      mayLoosenFrom: dec("48001.5"),
      createdAtMs: NOW_MS + 1,
      key: { account: "main", category: "inverse", symbol: "BTCUSD", positionIdx: 2 },
      side: "short",
      setFor: { kind: "open", openedAtMs: NOW_MS - 1, seenAtMs: NOW_MS },
    });
    await ledger.saveIntent(waived);
    await ledger.saveIntent(intent());
    expect(await ledger.intents({})).toEqual([intent(), waived]);
    expect(await ledger.intents({ account: "main", category: "inverse", symbol: "BTCUSD" })).toEqual([waived]);
    expect(await ledger.intents({ positionIdx: 0, side: "long", states: ["pending"] })).toEqual([intent()]);
    expect(await ledger.intents({ states: [] })).toEqual([]);
    expect(await ledger.intents({ lifeId: "life-1" })).toEqual([]);
  });

  test("an intent in one hand: it is taken up once, ends once, and never comes back", async () => {
    const { ledger } = await opened(await newUrl());
    await ledger.saveIntent(intent());
    expect(
      await Promise.all([ledger.bindIntent("intent-1", "life-1"), ledger.bindIntent("intent-1", "life-2")]),
    ).toEqual(expect.arrayContaining([true, false]));
    expect(await ledger.endIntent("intent-1", "the position closed")).toBe(true);
    expect(await ledger.endIntent("intent-1", "too late", "expired")).toBe(false);
    expect(await ledger.saveIntent(intent({ stopLoss: dec("1") }))).toBe(false);
    expect(await ledger.intents({})).toMatchObject(
      [{ state: "ended", endedHow: "the position closed", lifeId: /life-[12]/, stopLoss: dec("0.00000012") }].map(
        (wanted) => ({ ...wanted, lifeId: expect.stringMatching(wanted.lifeId) as string }),
      ),
    );
  });

  test("an intent that waits may be changed, and one that was taken up is not made to wait again", async () => {
    const { ledger } = await opened(await newUrl());
    const changed = intent({ stopLoss: dec("1") });
    expect([await ledger.saveIntent(intent()), await ledger.saveIntent(changed)]).toEqual([true, true]);
    await ledger.saveIntent(intent({ id: "intent-2" }));
    expect(await ledger.intents({ id: "intent-1" })).toEqual([changed]);
    await ledger.bindIntent("intent-1", "life-1");
    expect(await ledger.saveIntent(intent())).toBe(false);
    expect(await ledger.intents({ id: "intent-1" })).toEqual([{ ...changed, state: "bound", lifeId: "life-1" }]);
  });

  test("orders that are left alone, with the first reason", async () => {
    const { ledger } = await opened(await newUrl());
    const order = { account: "main", orderId: "a-1", reason: "its price has changed", atMs: NOW_MS };
    await ledger.leaveAlone(order);
    await ledger.leaveAlone({ ...order, reason: "another" });
    await ledger.leaveAlone({ ...order, account: "grid" });
    expect(await ledger.leftAlone("main")).toEqual([order]);
    await ledger.forgetLeftAlone("main", "a-1");
    expect(await ledger.leftAlone("main")).toEqual([]);
    expect(await ledger.leftAlone("grid")).toHaveLength(1);
  });
}

const UNFIT: readonly (readonly [string, unknown])[] = [
  ["true", true],
  ["false", false],
  ["undefined", undefined],
  ["a fraction", 0.5],
  ["a number beyond what is exact", 2 ** 53],
  ["NaN", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["a bigint", 1n],
  ["a symbol", Symbol("s")],
  ["a function", () => 1],
  ["a date", new Date(0)],
  ["bytes", Buffer.from("x")],
  ["typed numbers", new Float64Array(1)],
  ["a list", ["x"]],
  ["an object", { canary: 1 }],
  ["an object without a class", Object.create(null)],
  ["a decimal", dec("1")],
  ["a map", new Map()],
  ["a promise", Promise.resolve()],
  ["a text with a NUL", "canary\0"],
];

function answerOf(error: unknown): string {
  return error instanceof LedgerError && !error.message.includes("canary") ? error.trouble : String(error);
}

function values(newUrl: NewUrl): void {
  test("no value but text, whole numbers and null, and lives on after each refusal", async () => {
    const { ledger } = await opened(await newUrl());
    for (const [what, value] of UNFIT) {
      // As kind, which must be there; as id of a query; as a number of the journal.
      const unfit = value as never;
      const tries = [
        ledger.append({ kind: unfit, atMs: 1, body: null }),
        ledger.saveLife(life({ firstSeenMs: unfit })),
        ledger.history({ limit: 1, ...(value === undefined ? { kinds: [unfit] } : { beforeId: unfit }) }),
        ledger.leaveAlone({ account: "main", orderId: "a", reason: unfit, atMs: 1 }),
      ];
      const answers = await Promise.all(tries.map((tried) => tried.then(() => "taken", answerOf)));
      expect([what, ...answers]).toEqual([what, "value", "value", "value", "value"]);
    }
    expect(ledger.writable()).toBeNull();
    await ledger.append(entry());
    expect(await ledger.history({ limit: 9 })).toHaveLength(1);
  });

  test("texts as they are, whatever is in them", async () => {
    const { ledger } = await opened(await newUrl());
    const texts = ["", "'; drop table entries; --", '"', "\\", "%_", "ä€😀", "\u0001\n\r\t", "x".repeat(200_000)];
    for (const text of texts) await ledger.append(entry({ symbol: text, body: { [text]: text, nul: "\0" } }));
    const read = await ledger.history({ limit: 9 });
    expect(read.map(({ symbol }) => symbol)).toEqual(texts.toReversed());
    expect(read.map(({ body }) => body)).toEqual(texts.toReversed().map((text) => ({ [text]: text, nul: "\0" })));
  });

  test("a body that JSON has no words for out, and does not stop at it", async () => {
    const { ledger } = await opened(await newUrl());
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (const body of [undefined, () => 1, 1n, circle] as never[]) {
      await expect(ledger.append(entry({ body }))).rejects.toMatchObject({ trouble: "value" });
    }
    expect(await ledger.history({ limit: 9 })).toEqual([]);
  });

  test("silent once it is closed, whoever asks", async () => {
    const { ledger } = await opened(await newUrl());
    await ledger.close();
    await ledger.close();
    for (const asked of [ledger.append(entry()), ledger.history({ limit: 1 }), ledger.lock("main")]) {
      await expect(asked).rejects.toMatchObject({ name: "LedgerError", trouble: "closed" });
    }
  });
}

function locks(newUrl: NewUrl): void {
  test("one writer per account, in this process as well; the next after its release", async () => {
    const url = await newUrl();
    const { ledger } = await opened(url);
    const standby = await opened(url);
    const lock = await ledger.lock("main");
    expect(await lock?.isHeld()).toBe(true);
    expect(await standby.ledger.lock("main")).toBeNull();
    expect(await ledger.lock("main")).toBeNull();
    const elsewhere = await standby.ledger.lock("grid");
    expect(elsewhere?.account).toBe("grid");
    await lock?.release();
    await lock?.release();
    expect(await lock?.isHeld()).toBe(false);
    const next = await standby.ledger.lock("main");
    expect(next).not.toBeNull();
    await next?.release();
    await elsewhere?.release();
  });

  test("the lock of a process until it is killed, and not a moment longer", async () => {
    const url = await newUrl();
    const { ledger } = await opened(url);
    const holder = child("hold", url);
    expect(await holder.line(0)).toBe("held");
    await child("look", url).ended();
    expect(await ledger.lock("main")).toBeNull();

    await holder.kill();
    const killedAtMs = performance.now();
    let lock = await ledger.lock("main");
    // The server learns of it from its own socket, a moment later.
    while (lock === null && performance.now() - killedAtMs < 5_000) lock = await ledger.lock("main");
    expect(lock).not.toBeNull();
    expect(performance.now() - killedAtMs).toBeLessThan(5_000);

    const late = child("hold", url);
    expect(await late.line(0)).toBe("refused");
    await child("look", url).ended();
    expect(await lock?.isHeld()).toBe(true);
    await lock?.release();
  });
}

function server(newUrl: NewUrl): void {
  async function asAdmin(url: string, query: string): Promise<void> {
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    await admin.query(query);
    await admin.end();
  }

  const CUT_OTHERS = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;

  test("nobody in the belief to hold a lock whose connection was cut", async () => {
    const url = await newUrl();
    const { ledger } = await opened(url);
    const lock = await ledger.lock("main");
    await asAdmin(url, CUT_OTHERS);
    expect(await lock?.lost).toContain("the writer's lock");
    expect(await lock?.isHeld()).toBe(false);
    await lock?.release();
    const next = await ledger.lock("main");
    expect(next).not.toBeNull();
    await next?.release();
  });

  test("on after its connections were cut, and says in between that it takes no writes", async () => {
    const url = await newUrl();
    const { ledger, told } = await opened(url);
    await ledger.append(entry());
    const name = url.split("/").at(-1) ?? "";
    const elsewhere = url.replace(`/${name}`, "/postgres");
    await asAdmin(elsewhere, `alter database ${name} with allow_connections false`);
    await asAdmin(elsewhere, CUT_OTHERS.replace("current_database()", `'${name}'`));
    await expect(ledger.append(entry())).rejects.toMatchObject({ name: "LedgerError" });
    await expect(ledger.lock("main")).rejects.toMatchObject({ name: "LedgerError" });
    expect(ledger.writable()).toContain("the ledger at postgres://127.0.0.1");
    await asAdmin(elsewhere, `alter database ${name} with allow_connections true`);
    await ledger.append(entry());
    expect(ledger.writable()).toBeNull();
    expect(told).toEqual([expect.stringContaining("takes no writes"), expect.stringContaining("takes writes again")]);
  });

  test("what it promises on a server that is set to answer before it has synced", async () => {
    const url = await newUrl();
    const { ledger } = await opened(url);
    await asAdmin(
      url,
      `create function told() returns trigger as $$ begin
         new.symbol := current_setting('synchronous_commit'); return new;
       end $$ language plpgsql;
       create trigger told before insert on backstop.entries for each row execute function told()`,
    );
    await ledger.append(entry());
    expect(await ledger.history({ limit: 1 })).toMatchObject([{ symbol: "on" }]);
  });

  test("its tables in one piece where several open it at once while it is new", async () => {
    const url = await newUrl();
    const all = await Promise.all([opened(url), opened(url), opened(url)]);
    for (const { ledger } of all) await ledger.append(entry());
    expect(await all[0]?.ledger.history({ limit: 9 })).toHaveLength(3);
  });

  test("its tables out of the way of others' in the same database", async () => {
    const url = await newUrl();
    await asAdmin(url, "create table entries (mine text); create table schema_version (version int)");
    const { ledger } = await opened(url);
    expect(await ledger.append(entry())).toBe(1);
  });

  test("its password to itself", async () => {
    const wrong = (await newUrl()).replace(encodeURIComponent(PASSWORD), "wrong-canary%209f");
    const refused = await opened(wrong).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "LedgerError", trouble: "refused" });
    expect(JSON.stringify([refused, String(refused), Object.entries(refused as object)])).not.toMatch(/canary/);
    const nobody = await opened(wrong.replace(/:\d+\//, ":1/")).catch((error: unknown) => error);
    expect(nobody).toMatchObject({ trouble: "unreachable" });
    expect(String(nobody)).not.toMatch(/canary/);
  });
}
