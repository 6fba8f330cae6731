/** The line of those who ask the sidecar for a look of their own. */
import { expect, test } from "vitest";
import { openDeskLine } from "../../src/service/run/desk-line.js";

/** Looks that last until they are told to end. */
function stage() {
  const line = openDeskLine();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    end: (name: string) => ends.get(name)?.(),
    ask: (name: string, { account = "main", gone }: { account?: string; gone?: AbortSignal } = {}) =>
      line.serve(
        account,
        () => {
          begun.push(name);
          return new Promise<string>((resolve) => ends.set(name, () => resolve(`seen by ${name}`)));
        },
        gone,
      ),
  };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `bot-${index}`);
/** Everything that is due at once has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("serves four at a time, and the next as soon as one is done", async () => {
  const { ask, begun, end } = stage();
  const [first] = names(6).map((name) => ask(name));
  await settled();
  expect(begun).toEqual(names(4));
  end("bot-0");
  expect(await first).toBe("seen by bot-0");
  await settled();
  expect(begun).toEqual(names(5));
});

test("lets sixteen wait, and sends the next away at once", async () => {
  const { ask, begun } = stage();
  const asked = names(21).map((name) => ask(name));
  expect(await asked.at(-1)).toBe("busy");
  expect(begun).toEqual(names(4));
});

test("makes no look for who hangs up while waiting, and gives the place in the line to another", async () => {
  const { ask, begun, end } = stage();
  const hangingUp = new AbortController();
  const asked = names(20).map((name) => ask(name, name === "bot-4" ? { gone: hangingUp.signal } : {}));
  hangingUp.abort();
  expect(await asked[4]).toBe("busy");
  const last = ask("last");
  end("bot-0");
  await settled();
  expect(begun).toEqual([...names(4), "bot-5"]);
  expect(await Promise.race([last, Promise.resolve("waits")])).toBe("waits");
});

test("goes on after a look that fails", async () => {
  const line = openDeskLine();
  const failing = names(4).map(() => line.serve("main", () => Promise.reject(new Error("no ledger"))));
  const next = line.serve("main", () => Promise.resolve("seen"));
  for (const each of failing) await expect(each).rejects.toThrow("no ledger");
  expect(await next).toBe("seen");
});

test("keeps nobody waiting for another account", async () => {
  const { ask, begun } = stage();
  for (const name of names(20)) void ask(name);
  void ask("other", { account: "grid" });
  await settled();
  expect(begun).toEqual([...names(4), "other"]);
});
