/** Entries on their way to the ledger: none is lost while the process lives, none holds anybody up, and their order stays. */
import { expect, test, vi } from "vitest";
import { type Ledger, LedgerError, type NewEntry } from "../../src/ledger/port.js";
import { openWriting } from "../../src/service/books/writing.js";
import type { Log } from "../../src/runtime/index.js";

function scene() {
  let why: LedgerError | null = null;
  const stored: unknown[] = [];
  const said: string[] = [];
  const log = { error: (_facts: object, text: string) => said.push(text), info: (text: string) => said.push(text) };
  const store = {
    append: ({ body }: NewEntry) => {
      if (body === "unfit") return Promise.reject(new LedgerError("value", "what was handed over does not fit"));
      if (why !== null) return Promise.reject(why);
      return Promise.resolve(stored.push(body));
    },
    appendAll: async (entries: readonly NewEntry[]) => {
      if (entries.some(({ body }) => body === "unfit"))
        throw new LedgerError("value", "what was handed over does not fit");
      for (const one of entries) await store.append(one);
    },
    writable: () => why?.message ?? null,
  };
  const writing = openWriting(store as unknown as Ledger, { writable: () => null }, log as unknown as Log);
  return {
    writing,
    stored,
    said,
    breaks: () => {
      why = new LedgerError("full", "the disk is full");
    },
    recovers: () => {
      why = null;
    },
  };
}

const entry = (body: string) => () => ({ kind: "finding", body }) as const;

test("what a step waits for goes before what is only told, and each is told its number", async () => {
  const { writing, stored } = scene();
  const numbers: number[] = [];
  writing.note(entry("told 1"));
  writing.note(entry("told 2"));
  await writing.append(entry("step"), (id) => numbers.push(id));
  await writing.settled();
  expect(stored).toEqual(["step", "told 1", "told 2"]);
  expect(numbers).toEqual([1]);
});

test("while nothing can be written nobody waits, and it is said once; then everything is written in its order", async () => {
  const { writing, stored, said, breaks, recovers } = scene();
  breaks();
  const numbers: number[] = [];
  await writing.append(entry("step 1"), (id) => numbers.push(id));
  writing.note(entry("told 1"));
  await writing.append(entry("step 2"));
  expect(stored).toEqual([]);
  expect(writing.trouble()).toContain("the disk is full");
  recovers();
  writing.note(entry("told 2"));
  await writing.settled();
  expect(stored).toEqual(["step 1", "step 2", "told 1", "told 2"]);
  expect(numbers).toEqual([1]);
  expect(writing.trouble()).toBeNull();
  expect(said).toEqual([expect.stringContaining("only missing stops are set"), "the ledger can be written again"]);
});

test("however long nothing can be written, it is written again as soon as it can be", async () => {
  const { writing, stored, said, breaks, recovers } = scene();
  breaks();
  for (let count = 1; count <= 5_001; count += 1) writing.note(entry(`told ${count}`));
  await writing.append(entry("step"));
  expect(writing.trouble()).toContain("the disk is full");
  recovers();
  writing.note(entry("one too many"));
  await vi.waitUntil(() => stored.length === 5_001, { timeout: 10_000 });
  expect(stored.at(-1)).toBe("told 5000");
  expect(said.at(-1)).toBe("the ledger can be written again");
});

test("while nothing can be written, trying it again adds one entry at most", async () => {
  const { writing, stored, breaks, recovers } = scene();
  breaks();
  for (let count = 1; count <= 3; count += 1) {
    writing.retry(entry("tried again"));
    await writing.append(entry(`step ${count}`));
  }
  recovers();
  writing.retry(entry("tried again"));
  await writing.settled();
  expect(writing.trouble()).toBeNull();
  expect(stored).toEqual(["step 1", "step 2", "step 3", "tried again"]);
});

test("what can never be stored keeps nothing else waiting", async () => {
  const { writing, stored } = scene();
  writing.note(entry("unfit"));
  await writing.append(entry("step"));
  await writing.settled();
  expect(stored).toEqual(["step"]);
});

test("an entry is made when its turn comes: it can name the number of the one before", async () => {
  const { writing, stored } = scene();
  let number = 0;
  const first = writing.append(entry("step"), (id) => {
    number = id;
  });
  writing.note(() => ({ kind: "finding", body: `answer to ${number}` }));
  await first;
  await writing.settled();
  expect(stored).toEqual(["step", "answer to 1"]);
});
