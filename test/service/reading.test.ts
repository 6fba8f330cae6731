/** What the books tell a command that only reads them. */
import { expect, test } from "vitest";
import { knownFrom } from "../../src/service/books/reading.js";
import { intent, KEY, life } from "../ledger/stage.js";

const ETHER = { ...KEY, symbol: "ETHUSDT" };
const WAITING = { ...KEY, symbol: "LTCUSDT" };

test("what lives that go on and intents in force are about counts as open, and what an intent waits for does not", async () => {
  const { memory } = await knownFrom(
    {
      openLives: () => Promise.resolve([life()]),
      intents: () =>
        Promise.resolve([
          intent({ id: "in force", key: ETHER, state: "bound", lifeId: null }),
          intent({ id: "waits", key: WAITING }),
        ]),
    },
    ["main"],
  );
  const symbols = memory.openContracts("main").map(({ symbol }) => symbol);
  expect(symbols).toEqual([KEY.symbol, ETHER.symbol]);
});
