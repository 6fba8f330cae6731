/** When the dead man's switch is told that all is well, and when that something is not. */
import { expect, test } from "vitest";
import { beatOn } from "../../src/service/run/beating.js";
import type { SidecarEvent } from "../../src/sidecar/event.js";

function beaten(accounts: readonly string[]) {
  const told: string[] = [];
  const watched = { accounts };
  const heartbeat = {
    started: () => void told.push("started"),
    completed: () => void told.push("completed"),
    failed: (why: string) => void told.push(`failed: ${why}`),
    close: () => Promise.resolve(),
  };
  const hear = beatOn(heartbeat, () => watched.accounts);
  const ends = (account: string, result: "complete" | "partial", whole = true) =>
    hear({ kind: "pass", account, whole, result, tookMs: 1, reason: null, cause: null } satisfies SidecarEvent);
  return { told, watched, ends };
}

test("all is well once every account was seen whole, and not before", () => {
  const { told, ends } = beaten(["one", "other"]);
  ends("one", "complete");
  expect(told).toEqual([]);
  ends("other", "complete");
  expect(told).toEqual(["completed"]);
});

test("a look at a part of an account says nothing", () => {
  const { told, ends } = beaten(["one"]);
  ends("one", "complete", false);
  expect(told).toEqual([]);
});

test("one account that is not seen whole is a failure, also while the others are", () => {
  const { told, ends } = beaten(["one", "other"]);
  ends("one", "partial");
  ends("other", "complete");
  expect(told).toEqual(["failed: one: partial", "failed: one: partial"]);
});

test("an account that a reload has taken away fails no longer", () => {
  const { told, watched, ends } = beaten(["one", "other"]);
  ends("one", "partial");
  watched.accounts = ["other"];
  ends("other", "complete");
  expect(told.at(-1)).toBe("completed");
});
