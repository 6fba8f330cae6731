/** The writer's lock on a server that answers as no test can make a real one answer. */
import pg from "pg";
import { beforeEach, expect, test, vi } from "vitest";
import { lockPostgres } from "../../src/ledger/postgres-lock.js";

/** How many locks it says that the connection holds. */
const server = { held: 1 };

beforeEach(() => {
  // Their types also tell of callbacks, which nobody here uses.
  const stand = (name: "connect" | "end" | "query", answer: (text?: unknown) => unknown): void =>
    void vi.spyOn(pg.Client.prototype, name).mockImplementation(answer);
  stand("connect", () => Promise.resolve());
  stand("end", () => Promise.resolve());
  stand("query", (text) => {
    const rows = String(text).includes("pg_locks") ? [{ held: server.held }] : [{ got: true }];
    return Promise.resolve({ rows });
  });
});

test("a lock that the server does not know any more is lost, though its connection lives", async () => {
  const lock = await lockPostgres({}, "main");
  expect(await lock?.isHeld()).toBe(true);
  server.held = 0;
  expect(await lock?.isHeld()).toBe(false);
  expect(await lock?.lost).toContain("does not hold the writer's lock any more");
});
