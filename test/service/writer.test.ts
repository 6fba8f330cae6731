/** Whose turn it is to write for an account: what is given up is given up whole, and the next one knows what was done. */
import { fileURLToPath } from "node:url";
import Libsql from "libsql";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Ledger, Life, WriterLock } from "../../src/ledger/port.js";
import type { Log } from "../../src/runtime/index.js";
import { booksOver } from "../../src/service/books/books.js";
import { openAccountBooks } from "../../src/service/books/once.js";
import { STANDING_BY, takeTurn } from "../../src/service/books/writer.js";
import type { Ground } from "../../src/service/ground.js";
import { aPolicy, resolved } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";
import { fileUrl, NOW_MS } from "../ledger/stage.js";

const position = aPosition({ openedAtMs: NOW_MS });
const SECOND_MS = 1_000;

afterEach(() => void vi.useRealTimers());

/** A promise, and what resolves it. */
function gate<T = void>() {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A ledger with one lock, in whose order things are told; everything else of it works at once unless a test says otherwise. */
function scene(changes: Partial<Ledger> = {}) {
  const order: string[] = [];
  const lost = gate<string>();
  const it = { isFree: true, isHeld: true, letsGo: true };
  const lockOf = (account: string): WriterLock => ({
    account,
    lost: lost.opened,
    isHeld: () => Promise.resolve(it.isHeld),
    release: () => {
      it.isFree = true;
      order.push("released");
      return it.letsGo ? Promise.resolve() : new Promise(() => undefined);
    },
  });
  const store = {
    openLives: () => Promise.resolve([]),
    saveLife: (life: Life) => Promise.resolve(void order.push(`saved ${life.record.rebased}`)),
    appendAll: (entries: readonly { readonly kind: string }[]) =>
      Promise.resolve(void order.push(...entries.map(({ kind }) => kind))),
    intents: () => Promise.resolve([]),
    lock: (account: string) => {
      const taken = it.isFree ? lockOf(account) : null;
      it.isFree = false;
      return Promise.resolve(taken);
    },
    writable: () => null,
    close: () => Promise.resolve(),
    ...changes,
  };
  const told: string[] = [];
  const tell = (_facts: object, text: string) => void told.push(text);
  const log = { warn: tell, error: tell, info: tell } as unknown as Log;
  const books = booksOver(store as unknown as Ledger, { log, policyOf: () => resolved() });
  return { it, order, told, lost, books, take: () => takeTurn("main", books, log) };
}

describe("a lock that is given up", () => {
  test("is free only when all that was remembered and told is in the ledger", async () => {
    const disk = gate();
    const { books, order, take } = scene({
      saveLife: async ({ record }) => {
        await disk.opened;
        order.push(`saved ${record.rebased}`);
      },
    });
    const turn = await take();
    books.memory.remember(position, { rebased: true });
    const closing = turn.close();
    disk.open();
    await closing;
    expect(order).toEqual(["saved true", "writer-taken", "released"]);
  });

  test("is free in time also where the ledger hangs", async () => {
    vi.useFakeTimers();
    const { books, order, take } = scene({ saveLife: () => new Promise(() => undefined) });
    const turn = await take();
    books.memory.remember(position, { rebased: true });
    const closing = turn.close();
    await vi.advanceTimersByTimeAsync(5 * SECOND_MS);
    await closing;
    expect(order.at(-1)).toBe("released");
  });

  test("is waited for no longer where its server does not answer", async () => {
    vi.useFakeTimers();
    const { it, order, take } = scene();
    const turn = await take();
    it.letsGo = false;
    const closing = turn.close();
    await vi.advanceTimersByTimeAsync(5 * SECOND_MS);
    await closing;
    expect(order.at(-1)).toBe("released");
  });

  test("leaves nothing of the account to be written after it", async () => {
    const { books, order, take } = scene();
    const turn = await take();
    await turn.close();
    books.memory.remember(position, { rebased: true });
    await books.flush();
    expect(order.at(-1)).toBe("released");
  });

  test("after one pass is free only then, too", async () => {
    const url = fileUrl();
    const log = { warn: () => undefined, info: () => undefined, error: () => undefined };
    const settings = { accounts: [{ name: "main" }], ledger: { url }, policy: aPolicy() };
    const ground = { settings, log } as unknown as Ground;
    const books = await openAccountBooks(ground, "write");
    const other = new Libsql(fileURLToPath(url));
    const rebasedIn = () =>
      (other.prepare("select record from lives").all() as { record: string }[]).map(({ record }) => record);
    books.of("main").memory.remember(position, {});
    await vi.waitUntil(() => rebasedIn().length === 1);
    other.exec("begin immediate");
    books.of("main").memory.remember(position, { rebased: true });
    const closing = books.close();
    const early = await openAccountBooks(ground, "write");
    expect(early.of("main").frozen).toBe(STANDING_BY);
    other.exec("rollback");
    await closing;
    await early.close();
    const next = await openAccountBooks(ground, "write");
    expect(next.of("main").memory.recall(position).rebased).toBe(true);
    await next.close();
    other.close();
  });
});

describe("a turn that ends", () => {
  test("while its lock is being taken keeps no lock", async () => {
    vi.useFakeTimers();
    const read = gate<readonly Life[]>();
    const { it, books, take } = scene({ openLives: () => read.opened });
    it.isFree = false;
    const turn = await take();
    expect(turn.frozen()).toBe(STANDING_BY);
    it.isFree = true;
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    expect(it.isFree).toBe(false);
    const closing = turn.close();
    await vi.advanceTimersByTimeAsync(2 * SECOND_MS);
    await closing;
    read.open([]);
    await vi.waitUntil(() => it.isFree);
    expect([...books.writes]).toEqual([]);
  });

  test("while what is known is being read lets the next one have the lock at once", async () => {
    vi.useFakeTimers();
    const read = gate<readonly Life[]>();
    const { it, take } = scene({ openLives: () => read.opened });
    it.isFree = false;
    const turn = await take();
    it.isFree = true;
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    const closing = turn.close();
    read.open([]);
    await closing;
    expect((await take()).frozen()).toBeNull();
  });
});

test("a lock that is found not to be held any more is lost, and nothing of the account is written", async () => {
  vi.useFakeTimers();
  const { it, order, told, books, take } = scene();
  const turn = await take();
  expect(turn.frozen()).toBeNull();
  it.isHeld = false;
  await vi.advanceTimersByTimeAsync(SECOND_MS);
  expect(turn.frozen()).toBe(STANDING_BY);
  expect([...books.writes]).toEqual([]);
  expect(told).toContain("this process is no longer the account's writer");
  books.memory.remember(position, { rebased: true });
  await books.flush();
  expect(order).not.toContain("saved true");
  await turn.close();
});
