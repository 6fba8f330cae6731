/** The exits for an order, from a look made for it: none where what stands cannot be told. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { inMemory } from "../../src/ledger/memory.js";
import type { Intent } from "../../src/ledger/port.js";
import type { Mode } from "../../src/policy/protection.js";
import { quoteFrom } from "../../src/service/run/quote.js";
import { fakeClock } from "../builders/clock.js";
import { anEntry } from "../builders/order.js";
import { failure, type FakeExchangeOptions, fakeExchange } from "../builders/fake-exchange.js";
import { aProtection, resolved } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";

/** The contract is known by it, and the long leg is flat. */
const otherLeg = aShort({ positionIdx: 2 });
const REQUEST = { account: "main", category: "linear", symbol: "BTCUSDT", side: "long", price: "100" } as const;

function quoted(options: Partial<FakeExchangeOptions>, intents: readonly Intent[] = [], mode: Mode = "create-only") {
  const { reader } = fakeExchange({ positions: [otherLeg], ...options, clock: fakeClock() });
  const policyOf = () => resolved({ protection: aProtection({ mode }) });
  const positionIdx = options.positions === undefined ? 1 : 0;
  return quoteFrom({ ...REQUEST, positionIdx }, { reader, policyOf, memory: inMemory(), intentsAt: () => intents });
}

function waiting(over: Partial<Intent> = {}): Intent {
  const wish = { id: "i-1", stopLoss: dec("95"), takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
  const place = { key: aPosition().key, side: "long", orderLinkId: null } as const;
  const state = { ttlMs: 600_000, createdAtMs: Date.now(), state: "pending", lifeId: null, endedHow: null } as const;
  const setFor = { kind: "next", seenAtMs: Date.now() } as const;
  return { setFor, ...wish, ...place, ...state, ...over };
}

test("are never looser than the stop that stands", async () => {
  const positions = [aPosition({ fullStop: "99" })];
  expect(await quoted({ positions })).toMatchObject({ kind: "quoted", fields: { stopLoss: "99" } });
});

test("are not told where the row of the position cannot be read: a tighter stop may stand", async () => {
  const positions = [aPosition({ fullStop: "99" })];
  const answer = await quoted({ positions, unreadable: () => [anUnreadablePosition()] });
  expect(answer).toMatchObject({ kind: "none", httpStatus: 503 });
});

test.each([
  ["404, where the exchange has said that it has no such contract", false, 404],
  ["503, where that cannot be told", null, 503],
  ["503, where the contract is known", true, 503],
] as const)("of a contract that the exchange refuses to read are %s", async (_what, knows, httpStatus) => {
  const beforeRead = () => {
    throw failure("refused", "other", "params error: symbol invalid");
  };
  expect(await quoted({ beforeRead, knows })).toMatchObject({ kind: "none", httpStatus });
});

test.each([
  ["404, where the exchange has said that it has no such contract", false, 404],
  ["503, where that cannot be told", null, 503],
] as const)("of a contract whose rules were not seen are %s", async (_what, knows, httpStatus) => {
  expect(await quoted({ positions: [], instruments: [], knows })).toMatchObject({ kind: "none", httpStatus });
});

test("of a read that fails are 503, whatever is known of the contract", async () => {
  const beforeRead = () => {
    throw failure("not-happened", "timeout");
  };
  expect(await quoted({ beforeRead, knows: false })).toMatchObject({ kind: "none", httpStatus: 503 });
});

test("go by an intent that waits for the next position of that side", async () => {
  expect(await quoted({}, [waiting()])).toMatchObject({ fields: { stopLoss: "95" } });
});

test.each<readonly [string, Partial<Intent>]>([
  ["waits for another order", { orderLinkId: "deep-1" }],
  ["belongs to a life", { state: "bound", lifeId: "l-1" }],
  ["has expired", { createdAtMs: Date.now() - 700_000 }],
  ["is for a position that was open when it was set", { setFor: { kind: "open", openedAtMs: 1_000, seenAtMs: 2_000 } }],
  ["is for the other side", { side: "short" }],
])("do not go by an intent that %s", async (_what, over) => {
  expect(await quoted({}, [waiting(over)])).toMatchObject({ fields: { stopLoss: "98" } });
});

test("do not go by intents in report-only, nor where a position of that side is open that has none", async () => {
  expect(await quoted({}, [waiting()], "report-only")).toMatchObject({ fields: { stopLoss: "98" } });
  expect(await quoted({ positions: [aPosition()] }, [waiting()])).toMatchObject({ fields: { stopLoss: "98" } });
});

test("are never looser than what an entry order at rest will bring, but for a Partial one", async () => {
  const orders = [anEntry({ price: "99.9", stop: "99", positionIdx: 1 })];
  expect(await quoted({ orders })).toMatchObject({ fields: { stopLoss: "99" } });
  const partial = [anEntry({ price: "99.9", stop: "99", positionIdx: 1, attachedMode: "partial" })];
  expect(await quoted({ orders: partial })).toMatchObject({ fields: { stopLoss: "98" } });
});
