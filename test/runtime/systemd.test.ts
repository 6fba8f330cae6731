/** What systemd hears, in which order, and how often it wants to hear it. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createLog, createNotifier, type Notifier, type RunProgram } from "../../src/runtime/index.js";
import { folder } from "../settings/folder.js";

const PID = 4711;
const SOCKET = { NOTIFY_SOCKET: "/run/systemd/notify", PATH: "/usr/bin" };
const CANARY = "CanarySecret00000000000000000000005E";

interface Run {
  readonly call: readonly [file: string, args: readonly string[], env: NodeJS.ProcessEnv];
  end(): void;
  fail(code: string | number): void;
}

interface Stage {
  readonly notifier: Notifier;
  readonly runs: Run[];
  readonly logged: string[];
}

function stage(env: NodeJS.ProcessEnv = SOCKET, run?: RunProgram): Stage {
  const runs: Run[] = [];
  const logged: string[] = [];
  const held: RunProgram = (...call) =>
    new Promise((resolve, reject) => {
      const fail = (code: string | number): void => reject(Object.assign(new Error(CANARY), { code }));
      runs.push({ call, end: resolve, fail });
    });
  const write = (line: string): void => void logged.push((JSON.parse(line) as { msg: string }).msg);
  const log = createLog({ level: "trace", stream: { write }, pretty: false, secrets: () => [] });
  return { notifier: createNotifier({ env, pid: PID, log, run: run ?? held }), runs, logged };
}

/** Lets everything go on that waits for nothing but promises. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const told = ({ runs }: Stage): string[] => runs.map(({ call: [, args] }) => args.join(" "));

describe("systemd", () => {
  test("hears everything in its order, one after the other", async () => {
    const on = stage();
    on.notifier.ready();
    on.notifier.alive();
    on.notifier.reloading();
    on.notifier.ready();
    const stopped = on.notifier.stopping();
    await settled();
    expect(told(on)).toEqual(["READY=1"]);
    for (let index = 0; index < 5; index += 1) {
      on.runs[index]?.end();
      // eslint-disable-next-line no-await-in-loop -- each run starts after the one before
      await settled();
    }
    await stopped;
    expect(told(on)).toEqual(["READY=1", "WATCHDOG=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    expect(on.logged).toEqual([]);
  });

  test("is told by its own program, which gets the socket and nothing else that we know", async () => {
    const on = stage({ ...SOCKET, BYBIT_API_SECRET: CANARY, WATCHDOG_USEC: "1000000" });
    on.notifier.ready();
    await settled();
    expect(on.runs[0]?.call).toEqual(["systemd-notify", ["READY=1"], SOCKET]);
  });

  test("hears of a slow watchdog once, and again after that", async () => {
    const on = stage();
    on.notifier.alive();
    on.notifier.alive();
    await settled();
    on.notifier.alive();
    expect(told(on)).toEqual(["WATCHDOG=1"]);
    on.runs[0]?.end();
    await settled();
    on.notifier.alive();
    await settled();
    expect(told(on)).toEqual(["WATCHDOG=1", "WATCHDOG=1"]);
  });

  test.each([{}, { NOTIFY_SOCKET: "" }, { WATCHDOG_USEC: "1000000", PATH: "/usr/bin" }])(
    "is left alone where it did not start us: %j",
    async (env) => {
      const on = stage(env);
      on.notifier.ready();
      on.notifier.reloading();
      on.notifier.alive();
      await on.notifier.stopping();
      expect(on.notifier.watchdogMs).toBeNull();
      expect(on.runs).toEqual([]);
    },
  );
});

describe("when systemd cannot be told", () => {
  test("because its program is missing, that is said once and not tried again", async () => {
    const on = stage();
    on.notifier.ready();
    on.notifier.alive();
    await settled();
    on.runs[0]?.fail("ENOENT");
    await on.notifier.stopping();
    expect(told(on)).toEqual(["READY=1"]);
    expect(on.logged).toEqual(["systemd-notify is not installed: systemd cannot be told that we are ready"]);
  });

  test("because its program fails, that is said once until it works again", async () => {
    const failing = [true, true, false, true];
    let runs = 0;
    const on = stage(SOCKET, () => {
      const fails = failing[runs];
      runs += 1;
      return fails ? Promise.reject(Object.assign(new Error(CANARY), { code: 1 })) : Promise.resolve();
    });
    for (const _ of failing) on.notifier.ready();
    await on.notifier.stopping();
    expect(runs).toBe(5);
    const line = "systemd-notify failed (1): systemd was not told READY=1";
    expect(on.logged).toEqual([line, line]);
  });
});

describe("the watchdog", () => {
  test.each([
    { title: "half of what is allowed", env: { WATCHDOG_USEC: "60000000" }, ms: 30_000 },
    { title: "ours by name", env: { WATCHDOG_USEC: "3000001", WATCHDOG_PID: "4711" }, ms: 1500 },
    { title: "at least a millisecond", env: { WATCHDOG_USEC: "100" }, ms: 1 },
    { title: "of another process", env: { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "4712" }, ms: null },
    { title: "not asked for", env: {}, ms: null },
    { title: "off", env: { WATCHDOG_USEC: "0" }, ms: null },
    { title: "no number", env: { WATCHDOG_USEC: "1e6" }, ms: null },
  ])("$title: $ms", ({ env, ms }) => {
    expect(stage({ ...SOCKET, ...env }).notifier.watchdogMs).toBe(ms);
  });
});

test("a real program is started without a shell, with its argument and the socket", async () => {
  const path = folder({});
  const program = join(path, "systemd-notify");
  writeFileSync(program, '#!/bin/sh\nprintf "%s|%s|%s" "$*" "$NOTIFY_SOCKET" "$SECRET" > "$0.heard"\n');
  chmodSync(program, 0o700);
  const log = createLog({ level: "silent", stream: { write: () => true }, pretty: false, secrets: () => [] });
  const env = { NOTIFY_SOCKET: "@a;$(touch x)", PATH: path, SECRET: CANARY };
  await createNotifier({ env, pid: PID, log }).stopping();
  expect(readFileSync(`${program}.heard`, "utf8")).toBe("STOPPING=1|@a;$(touch x)|");
  expect(existsSync(join(path, "x"))).toBe(false);
});

test("a real program that is not there is said to be missing", async () => {
  const logged: string[] = [];
  const log = createLog({
    level: "info",
    stream: { write: (line) => logged.push(line) },
    pretty: false,
    secrets: () => [],
  });
  await createNotifier({ env: { NOTIFY_SOCKET: "/x", PATH: folder({}) }, pid: PID, log }).stopping();
  expect(logged.join("")).toContain("systemd-notify is not installed");
});
