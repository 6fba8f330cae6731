/** How entries are found in a long ledger, and how those that come are noticed. */
import { describe, expect, test } from "vitest";
import { type Choice, findEntries } from "../../src/cli/history/choice.js";
import { openTail } from "../../src/cli/history/follow.js";
import { entry, holding, START_MS } from "./stage.js";

const ALL: Choice = { accounts: [], symbols: [], kinds: [], sinceMs: null };
const upTo = (last: number, from = 1) =>
  Array.from({ length: last - from + 1 }, (_, index) => entry(from + index, "finding", null));
const ids = (entries: readonly { readonly id: number }[]) => entries.map(({ id }) => id);

describe("what is asked for is found", () => {
  const mixed = holding(
    entry(1, "step-intended", null),
    entry(2, "life-opened", null, { account: "grid", symbol: "ETHUSDT" }),
    entry(3, "intent-set", null),
    entry(4, "finding", null, { symbol: null }),
    entry(5, "life-from-the-future", null),
    entry(6, "pause", null, { account: null, symbol: null }),
  );
  const idsOf = async (choice: Partial<Choice>) => ids((await findEntries(mixed, { ...ALL, ...choice }, 9)).shown);

  test.each<[string, Partial<Choice>, readonly number[]]>([
    ["everything", {}, [6, 5, 4, 3, 2, 1]],
    ["a group, with kinds that nobody here knows", { kinds: ["lives"] }, [5, 2]],
    ["a kind", { kinds: ["step-intended"] }, [1]],
    ["a kind and groups", { kinds: ["pause", "intents", "findings"] }, [6, 4, 3]],
    ["an account", { accounts: ["grid"] }, [2]],
    ["two accounts", { accounts: ["grid", "main"] }, [5, 4, 3, 2, 1]],
    ["a glob of symbols", { symbols: ["eth*"] }, [2]],
    ["a time", { sinceMs: START_MS + 5_000 }, [6, 5]],
  ])("%s", async (_what, choice, expected) => {
    expect(await idsOf(choice)).toEqual(expected);
  });

  test("however far back it lies", async () => {
    const ledger = holding(entry(1, "pause", "far"), ...upTo(3_500, 2));
    const found = await findEntries(ledger, { ...ALL, symbols: ["BTC*"], kinds: ["pause", "lives"] }, 9);
    expect(found).toMatchObject({ shown: [{ body: "far" }], isCut: false });
  });

  test("without reading farther than the time that is asked for", async () => {
    const ledger = holding(...upTo(9_000));
    const { shown } = await findEntries(ledger, { ...ALL, sinceMs: START_MS + 8_999_000 }, 50);
    expect(ids(shown)).toEqual([9_000, 8_999]);
    expect(ledger.asked).toHaveLength(2);
  });

  test("and also where the clock was set back meanwhile", async () => {
    const back = entry(2, "finding", null, { atMs: START_MS - 1 });
    const found = await findEntries(holding(entry(1, "finding", null), back), { ...ALL, sinceMs: START_MS }, 9);
    expect(ids(found.shown)).toEqual([1]);
  });
});

describe("what comes is noticed", () => {
  test("once, oldest first, and not what stood before", async () => {
    const ledger = holding(...upTo(3));
    const tail = openTail();
    await tail.begin(ledger, [], () => false);
    expect(await tail.news(ledger)).toEqual([]);
    ledger.add(...upTo(5, 4));
    expect(ids(await tail.news(ledger))).toEqual([4, 5]);
    expect(await tail.news(ledger)).toEqual([]);
  });

  test("all of it, also where much comes at once", async () => {
    const ledger = holding(...upTo(300));
    const tail = openTail();
    await tail.begin(ledger, [], () => false);
    ledger.add(...upTo(1_500, 301));
    expect(ids(await tail.news(ledger))).toEqual(ids(upTo(1_500, 301)));
  });

  test("also an entry that another writer had begun before", async () => {
    const ledger = holding(...upTo(400), ...upTo(402, 402));
    const tail = openTail();
    await tail.begin(ledger, [], () => false);
    ledger.add(entry(401, "finding", "late"));
    expect(ids(await tail.news(ledger))).toEqual([401]);
  });

  test("from the first on, where there was no ledger", async () => {
    expect(ids(await openTail().news(holding(...upTo(450))))).toEqual(ids(upTo(450)));
  });

  test("also what has come between what was shown and the first look", async () => {
    const ledger = holding(...upTo(3));
    const tail = openTail();
    await tail.begin(ledger, [entry(2, "finding", null)], () => true);
    expect(ids(await tail.news(ledger))).toEqual([3]);
  });

  test("but not what was shown in between", async () => {
    const ledger = holding(...upTo(2));
    const tail = openTail();
    await tail.begin(ledger, [entry(3, "finding", null)], () => true);
    ledger.add(...upTo(4, 3));
    expect(ids(await tail.news(ledger))).toEqual([4]);
  });
});
