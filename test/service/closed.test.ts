/** A command that ends finds lives whose positions have closed while nobody watched. */
import { expect, test, vi } from "vitest";
import { pictureOf } from "../../src/domain/picture.js";
import { keyText } from "../../src/domain/position.js";
import type { Contract, FlatLeg, Snapshot } from "../../src/domain/snapshot.js";
import type { NewEntry } from "../../src/ledger/port.js";
import { type ClosedParts, endClosedLives } from "../../src/service/books/closed.js";
import { fullStop } from "../builders/order.js";
import { aPosition } from "../builders/position.js";
import { aSnapshot } from "../builders/snapshot.js";
import { failure } from "../builders/fake-exchange.js";
import { KEY, life } from "../ledger/stage.js";

interface Scene {
  /** What the nth look at the contract shows; default: that it is flat. */
  readonly shows?: (nth: number) => Partial<Snapshot>;
  /** The last look of the pass; default: it lists nothing. */
  readonly last?: Partial<Snapshot>;
  readonly lives?: number;
  readonly isOver?: boolean;
  readonly closedSince?: ClosedParts["fills"]["closedSince"];
  /** Whether the exchange has such a contract. */
  readonly knows?: boolean;
  /** When the pass itself has proven closed, by `keyText`. */
  readonly closed?: ReadonlyMap<string, number>;
}

const { account, category, symbol } = KEY;
const flat: FlatLeg = { category, symbol, positionIdx: KEY.positionIdx };
const openNow = aPosition({ category, symbol, positionIdx: KEY.positionIdx });

const refused = (): never => {
  throw failure("refused", "other");
};

async function ended({
  shows = () => ({}),
  last = {},
  lives = 1,
  closed = new Map(),
  knows = true,
  isOver = false,
  closedSince = () => Promise.resolve(null),
}: Scene) {
  const open = Array.from({ length: lives }, (_, nth) =>
    nth === 0 ? life() : life({ id: `life ${nth}`, key: { ...KEY, symbol: `C${nth}USDT` } }),
  );
  const asked: Contract[] = [];
  const noted: Promise<NewEntry | null>[] = [];
  const end = vi.fn<ClosedParts["memory"]["end"]>();
  await endClosedLives(
    {
      reader: {
        account,
        knows: () => Promise.resolve(knows),
        snapshot: async (scope) => {
          if (scope === "account" || scope[0] === undefined) throw new Error("one contract at a time");
          asked.push(scope[0]);
          const legs = [{ ...flat, symbol: scope[0].symbol }];
          return { ...aSnapshot({ scope }), flatLegs: legs, ...shows(asked.length) };
        },
      },
      fills: { closedSince },
      memory: { openLives: () => open, end },
      books: { noteComing: (entry) => void noted.push(entry) },
      sleep: () => Promise.resolve(),
      isOver: () => isOver,
    },
    { ...pictureOf({ ...aSnapshot({}), ...last }), absence: { vanished: new Map(), closed } },
  );
  return { ended: end.mock.calls.length, asked: asked.length, noted: await Promise.all(noted) };
}

test("one that a whole list lacks ends once its own row has said flat twice", async () => {
  expect(await ended({})).toMatchObject({
    ended: 1,
    asked: 2,
    noted: [{ kind: "life-closed", symbol, body: { by: "closed while nobody watched" } }],
  });
});

test("one that the pass has proven closed ends without another look", async () => {
  expect(await ended({ closed: new Map([[keyText(KEY), 1]]) })).toMatchObject({ ended: 1, asked: 0 });
});

test("one ends whose contract the exchange has no longer, and one whose position mode is another by now", async () => {
  expect(await ended({ shows: refused, knows: false })).toMatchObject({ ended: 1 });
  const otherMode = [1, 2].map((positionIdx) => ({ ...flat, positionIdx: positionIdx as 1 | 2 }));
  expect(await ended({ shows: () => ({ flatLegs: otherMode }) })).toMatchObject({ ended: 1 });
});

test("its end is told though the fills do not come", async () => {
  vi.useFakeTimers();
  const ending = ended({ closedSince: () => new Promise(() => undefined) });
  await vi.advanceTimersByTimeAsync(2_500);
  expect(await ending).toMatchObject({ ended: 1, noted: [{ body: { by: "closed while nobody watched" } }] });
  vi.useRealTimers();
});

test.each<readonly [string, Scene]>([
  ["that is listed", { last: { positions: [openNow] } }],
  [
    "where something could not be seen",
    { last: { gaps: [{ category, what: "orders", symbols: ["XRPUSDT"], reason: "no answer" }] } },
  ],
  [
    "beside a row that cannot be read",
    { last: { unreadablePositions: [{ ...KEY, symbol: null, positionIdx: null, side: null, reason: "odd" }] } },
  ],
  ["whose own row is open", { shows: () => ({ positions: [openNow], flatLegs: [] }) }],
  ["whose second row is open", { shows: (nth) => (nth === 2 ? { positions: [openNow], flatLegs: [] } : {}) }],
  ["whose own row is not shown", { shows: () => ({ flatLegs: [] }) }],
  ["whose stop still rests", { shows: () => ({ orders: [fullStop(openNow, "98")] }) }],
  [
    "whose orders cannot be read",
    { shows: () => ({ gaps: [{ category, what: "orders", symbols: [symbol], reason: "no answer" }] }) },
  ],
  ["of books that are closed by now", { isOver: true }],
  ["that is refused by name while the exchange has its contract", { shows: refused }],
  [
    "that cannot be read a second time",
    {
      shows: (nth) => {
        if (nth === 2) throw failure("not-happened", "network");
        return {};
      },
    },
  ],
])("one %s goes on", async (_what, scene) => {
  expect(await ended(scene)).toMatchObject({ ended: 0, noted: [] });
});

test("of hundreds some are looked at, and the next command goes on with the rest", async () => {
  const { ended: count, asked } = await ended({ lives: 300 });
  expect(count).toBe(20);
  expect(asked).toBe(40);
});
