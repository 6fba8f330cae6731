/** The intents file as it lies on a disk: what is no plain file is refused, and keeps nobody from the end. */
import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Ledger } from "../../src/ledger/port.js";
import { booksOver } from "../../src/service/books/books.js";
import { type IntentsFileParts, watchIntentsFile } from "../../src/service/run/intents-file.js";
import { resolved } from "../builders/policy.js";
import { createHeard } from "../stream/stage.js";

interface Told {
  readonly problems?: readonly string[];
}

function watched(file: string) {
  const told = createHeard<Told>();
  const log = { info: () => undefined, error: () => undefined, warn: (facts: Told) => told.add(facts) };
  const store = { intents: () => Promise.resolve([]), writable: () => null } as unknown as Ledger;
  const parts = {
    current: { settings: { intents: { file }, accountNames: ["main"] } },
    books: booksOver(store, { log: log as unknown as IntentsFileParts["log"], policyOf: () => resolved() }),
    accounts: { written: () => [], guards: () => [] },
    sidecar: { latest: () => new Map(), look: () => undefined },
    hub: { tellFile: () => undefined },
    log,
  };
  return { told, watch: watchIntentsFile(parts as unknown as IntentsFileParts) };
}

test("a pipe that nobody writes to is told as what it is, and the watch can be ended", async () => {
  const folder = mkdtempSync(join(tmpdir(), "backstop-intents-"));
  const pipe = join(folder, "intents.json");
  spawnSync("mkfifo", [pipe]);
  onTestFinished(() => {
    // Whoever waits for a writer all the same waits no longer.
    closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    rmSync(folder, { recursive: true });
  });
  const { told, watch } = watched(pipe);
  const { problems } = await told.next((one) => one.problems !== undefined);
  expect(problems).toEqual(["it cannot be read: it is no plain file"]);
  await watch?.close();
});
