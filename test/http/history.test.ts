/** The journal over HTTP: filtered, newest first, page by page. */
import { describe, expect, test } from "vitest";
import { LedgerError } from "../../src/ledger/error.js";
import type { Entry, HistoryFilter } from "../../src/ledger/port.js";
import { anEntry } from "./desk.js";
import { errorCode, openAsOwner, type Owner } from "./stage.js";

function openJournal(entries: readonly Entry[]): Promise<Owner> {
  const history = ({ beforeId = Number.MAX_SAFE_INTEGER, limit }: HistoryFilter) =>
    Promise.resolve(entries.filter(({ id }) => id < beforeId).slice(0, limit));
  return openAsOwner({ history });
}

const five = [5, 4, 3, 2, 1].map((id) => anEntry({ id }));

interface Page {
  readonly entries: readonly { readonly id: number }[];
  readonly next: number | null;
}

test("an entry is told whole, with its time in UTC", async () => {
  const bare = anEntry({ id: 3, kind: "pause", account: null, category: null, symbol: null, positionIdx: null });
  const owner = await openJournal([anEntry(), bare]);
  const { atMs: _, ...rest } = anEntry();
  expect((await owner.ask("GET", "/v1/history")).json()).toMatchObject({
    entries: [
      { ...rest, at: "2026-01-01T00:00:00.000Z" },
      { id: 3, account: null, positionIdx: null },
    ],
    next: null,
  });
});

test("page by page it ends with the oldest, and none is told twice", async () => {
  const owner = await openJournal(five);
  const seen: number[] = [];
  let next: number | null = null;
  do {
    const answer = await owner.ask("GET", `/v1/history?limit=2${next === null ? "" : `&before=${next}`}`);
    const page = answer.json() as Page;
    seen.push(...page.entries.map(({ id }) => id));
    next = page.next;
  } while (next !== null);
  expect(seen).toEqual([5, 4, 3, 2, 1]);
  expect(owner.desk.asked).toHaveLength(3);
});

describe("what is asked of the ledger", () => {
  test.each([
    { query: "", filter: { limit: 100 } },
    { query: "?limit=1000", filter: { limit: 1000 } },
    {
      query: "?account=main&symbol=BTCUSDT&before=9",
      filter: { account: "main", symbol: "BTCUSDT", beforeId: 9, limit: 100 },
    },
    { query: "?kind=pause", filter: { kinds: ["pause"], limit: 100 } },
    { query: "?kind=pause&kind=resume", filter: { kinds: ["pause", "resume"], limit: 100 } },
    // Names may be digits only, and accounts may have left the config.
    { query: "?account=123&limit=5", filter: { account: "123", limit: 5 } },
  ])("$query", async ({ query, filter }) => {
    const owner = await openAsOwner();
    expect((await owner.ask("GET", `/v1/history${query}`)).status).toBe(200);
    expect(owner.desk.asked).toEqual([["history", filter]]);
  });
});

test.each([
  { query: "limit=0", names: 'limit: must be a whole number, 1 to 1000; given: "0"' },
  { query: "limit=1001", names: "limit: " },
  { query: "limit=ten", names: "limit: " },
  { query: "limit=1e2", names: "limit: " },
  { query: "limit=", names: "limit: " },
  { query: "before=-1", names: 'before: must be the id of an entry, a whole number above 0; given: "-1"' },
  { query: "before=99999999999999999999", names: "before: " },
  { query: "account=", names: "account: " },
  { query: "account=main&account=grid", names: "account: " },
  { query: "kinds=pause", names: "kinds: is an unknown key; allowed: account, symbol, kind, limit, before" },
])("?$query is refused, and the parameter is named", async ({ query, names }) => {
  const owner = await openAsOwner();
  const answer = await owner.ask("GET", `/v1/history?${query}`);
  expect([answer.status, errorCode(answer)]).toEqual([400, "bad-request"]);
  expect((answer.json() as { error: { message: string } }).error.message).toContain(names);
  expect(owner.desk.asked).toEqual([]);
});

test("503 with the reason where the ledger cannot be read", async () => {
  const away = new LedgerError("unreachable", "the ledger at db.example: the server cannot be reached");
  const owner = await openAsOwner({ history: () => Promise.reject(away) });
  const answer = await owner.ask("GET", "/v1/history");
  expect([answer.status, answer.json()]).toEqual([
    503,
    { error: { code: "ledger-unavailable", message: away.message } },
  ]);
});

test("500 without a word about it where the ledger was asked something senseless", async () => {
  const ours = new LedgerError("value", "the ledger stores text, whole numbers and null");
  const owner = await openAsOwner({ history: () => Promise.reject(ours) });
  expect(errorCode(await owner.ask("GET", "/v1/history"))).toBe("internal");
});
