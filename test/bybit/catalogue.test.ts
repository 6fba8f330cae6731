/** Whether there is a contract: a read that fails is never taken for the word that there is none. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import { closeStage, instrument, ok, openStage, refusal, settled, type Told, type Venue } from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
});

afterEach(() => closeStage(session));

const LISTED = ok({ list: [instrument("BTCUSDT")] });
const NO_ROW = ok({ list: [] });
const UNREADABLE = ok({ list: [instrument("NEWUSDT", { priceFilter: { tickSize: "none" } })] });
const REFUSED = refusal(10001, "params error: symbol invalid");
const BROKEN: Told = { status: 502, body: "" };

async function knows(byName: Told, { listed = LISTED, early = NO_ROW } = {}): Promise<boolean | null> {
  venue.answers("/v5/market/instruments-info", ({ query }) => {
    if (query["symbol"] !== undefined) return byName;
    return query["status"] === undefined ? listed : early;
  });
  return settled(session.reader.knows({ category: "linear", symbol: "NEWUSDT" }));
}

it.each([
  ["no row", NO_ROW],
  ["a refusal", REFUSED],
])("is denied where asking by name brings %s and a complete list lacks it", async (_what, byName) => {
  expect(await knows(byName)).toBe(false);
});

it.each([
  ["is in the answer", ok({ list: [instrument("NEWUSDT")] }), LISTED],
  ["is in it with a row that cannot be read", UNREADABLE, LISTED],
  ["is only in the list, with a row that cannot be read", REFUSED, UNREADABLE],
])("is confirmed where it %s", async (_what, byName, listed) => {
  expect(await knows(byName, { listed })).toBe(true);
});

it.each([
  ["asking by name fails", BROKEN, {}],
  ["the key is refused", refusal(10003, "API key is invalid."), {}],
  ["the answer is about another contract", LISTED, {}],
  ["the list fails", REFUSED, { listed: BROKEN }],
  ["the list is empty", REFUSED, { listed: NO_ROW }],
  ["the list of contracts before their launch fails", REFUSED, { early: BROKEN }],
])("cannot be told where %s", async (_what, byName, lists) => {
  expect(await knows(byName, lists)).toBeNull();
});
