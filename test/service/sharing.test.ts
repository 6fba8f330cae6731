/** What the accounts of a sidecar share: what happens is written down by the writer, and by nobody who stands by. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { NewEntry } from "../../src/ledger/port.js";
import { booksInMemory } from "../../src/service/books/books.js";
import { type Making, sharedBy } from "../../src/service/run/sharing.js";
import type { SidecarEvent } from "../../src/sidecar/event.js";
import { aPosition } from "../builders/position.js";

const { key, side } = aPosition();

/** What is written down of these events by a process that writes for these accounts. */
function noted(events: readonly SidecarEvent[], written: readonly string[]): readonly string[] {
  const entries: NewEntry[] = [];
  const silent = { tell: () => undefined };
  const making = {
    books: { ...booksInMemory(), note: (entry: NewEntry) => void entries.push(entry) },
    operations: silent,
    hub: silent,
    sidecar: () => null,
    accounts: () => ({ written: () => written, fillsOf: () => null }),
  };
  const ground = { settings: { budget: { ipShare: 0.5 } } } as unknown as Parameters<typeof sharedBy>[0];
  const { tell } = sharedBy(ground, making as unknown as Making);
  for (const event of events) tell(event);
  return entries.map(({ kind }) => kind);
}

const happened: readonly SidecarEvent[] = [
  { kind: "life", change: "opened", key, side, size: dec("1"), openedAtMs: null, by: null },
  {
    kind: "finding",
    place: { ...key },
    finding: { code: "stop-missing", severity: "critical", message: "no stop-loss rests at the exchange" },
  },
  { kind: "mended", key, price: dec("98"), replacedBy: dec("97") },
];

test("the writer of an account writes down what happens to it", () => {
  expect(noted(happened, [key.account])).toEqual(["life-opened", "finding", "mended"]);
});

test("who stands by for an account leaves that to its writer", () => {
  expect(noted(happened, ["grid"])).toEqual([]);
});
