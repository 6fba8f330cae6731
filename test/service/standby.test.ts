/** Who stands by knows what the writer's books say, and brings nothing into them at the takeover that was overtaken. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { LifeRecord } from "../../src/domain/life.js";
import { newLife } from "../../src/ledger/lives.js";
import { ledgerMemory } from "../../src/ledger/ledger-memory.js";
import type { Life } from "../../src/ledger/port.js";
import { standbyBooks } from "../../src/service/books/standby.js";
import { aPosition } from "../builders/position.js";

const OPENED_MS = 1_700_000_000_000;
const position = aPosition({ openedAtMs: OPENED_MS, fullStop: "99" });

const learned = (price: string): Pick<LifeRecord, "learned"> => ({
  learned: { stopLoss: { price: dec(price), triggerBy: "MarkPrice" }, takeProfit: null, size: position.size },
});

/** Stands by until `takesOver`; the writer's books hold what `writes` was given last. */
async function standingBy() {
  const base = newLife(position, OPENED_MS);
  let stored: Life = { ...base, record: { ...base.record, ...learned("98") } };
  let isWriter = false;
  const asked: unknown[] = [];
  const ledger = {
    openLives: (_account: string, parts: unknown) => {
      asked.push(parts);
      return Promise.resolve([stored]);
    },
    saveLife: (life: Life) => Promise.resolve(void (stored = life)),
    intents: () => Promise.resolve([]),
    writable: () => null,
  };
  const memory = ledgerMemory({ ledger, now: () => OPENED_MS + 1_000 });
  const parts = { ledger: { store: ledger, memory }, memory } as unknown as Parameters<typeof standbyBooks>[1];
  const books = standbyBooks("main", parts, { frozen: () => (isWriter ? null : "another process writes") });
  await books.refresh();
  return {
    asked,
    books,
    recalled: () => books.memory.recall(position),
    writes: async (change: Partial<LifeRecord>) => {
      stored = { ...stored, record: { ...stored.record, ...change } };
      await books.refresh();
    },
    takesOver: async () => {
      await memory.load("main");
      isWriter = true;
      await memory.flush();
      return stored.record;
    },
  };
}

const stopIn = ({ learned: level }: Pick<LifeRecord, "learned">) => level?.stopLoss?.price.toFixed();

test("a level that it saw before the writer's books had another is not put in their place", async () => {
  const standby = await standingBy();
  standby.books.memory.remember(position, learned("99"));
  expect(stopIn(standby.recalled())).toBe("99");
  await standby.writes(learned("97"));
  expect(stopIn(standby.recalled())).toBe("97");
  expect(stopIn(await standby.takesOver())).toBe("97");
  expect(stopIn(standby.recalled())).toBe("97");
});

test("what happens once in a life, and only it has seen, is in the books after the takeover", async () => {
  const standby = await standingBy();
  standby.books.memory.remember(position, { ...learned("99"), stopTriggered: true });
  expect(await standby.takesOver()).toMatchObject({ stopTriggered: true });
});

test("the journal of the writer's steps is not read each time", async () => {
  expect((await standingBy()).asked).toEqual([{ unproven: false }]);
});
