/** A ledger that cannot be opened at the start: it is tried again now and then, and used as soon as it is there. */
import { expect, test } from "vitest";
import { lazyLedger } from "../../src/ledger/lazy.js";
import { openLedger } from "../../src/ledger/open.js";
import { LedgerError } from "../../src/ledger/port.js";
import { fileUrl } from "./stage.js";

const log = { warn: () => undefined, info: () => undefined };

function scene() {
  let nowMs = 0;
  let opens = 0;
  let why: string | null = "the server cannot be reached";
  const url = fileUrl();
  const ledger = lazyLedger({
    now: () => nowMs,
    open: () => {
      opens += 1;
      if (why !== null) return Promise.reject(new LedgerError("unreachable", why));
      return openLedger({ url, log, now: () => nowMs });
    },
  });
  return {
    ledger,
    opens: () => opens,
    passes: (ms: number) => {
      nowMs += ms;
    },
    comesBack: () => {
      why = null;
    },
  };
}

test("every use fails with the reason, and the server is asked once in five seconds", async () => {
  const { ledger, opens, passes } = scene();
  expect(await ledger.reach()).toBe("the server cannot be reached");
  await expect(ledger.append({ kind: "finding", body: null })).rejects.toMatchObject({ trouble: "unreachable" });
  await expect(ledger.openLives("main")).rejects.toBeInstanceOf(LedgerError);
  expect(ledger.writable()).toBe("the server cannot be reached");
  expect(opens()).toBe(1);
  passes(5_000);
  await expect(ledger.lock("main")).rejects.toBeInstanceOf(LedgerError);
  expect(opens()).toBe(2);
  await ledger.close();
});

test("as soon as it is there it is used, and opened once for all who asked at once", async () => {
  const { ledger, opens, passes, comesBack } = scene();
  await ledger.reach();
  comesBack();
  passes(5_000);
  await Promise.all([ledger.append({ kind: "finding", body: null }), ledger.openLives("main"), ledger.reach()]);
  expect(opens()).toBe(2);
  expect(ledger.writable()).toBeNull();
  expect(await ledger.history({ limit: 9 })).toHaveLength(1);
  await ledger.close();
  await expect(ledger.append({ kind: "finding", body: null })).rejects.toMatchObject({ trouble: "closed" });
});
