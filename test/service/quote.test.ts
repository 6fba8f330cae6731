/** The exits for an order, from a look made for it: none where what stands cannot be told. */
import { expect, test } from "vitest";
import { inMemory } from "../../src/ledger/memory.js";
import { quoteFrom } from "../../src/service/run/quote.js";
import { fakeClock } from "../builders/clock.js";
import { type FakeExchangeOptions, fakeExchange } from "../builders/fake-exchange.js";
import { aProtection, resolved } from "../builders/policy.js";
import { anUnreadablePosition, aPosition } from "../builders/position.js";

const REQUEST = { account: "main", category: "linear", symbol: "BTCUSDT", side: "long", price: "100" } as const;

function quoted(options: Partial<FakeExchangeOptions>) {
  const { reader } = fakeExchange({ positions: [], ...options, clock: fakeClock() });
  const policyOf = () => resolved({ protection: aProtection() });
  return quoteFrom(REQUEST, { reader, policyOf, memory: inMemory(), intentsAt: () => [] });
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
