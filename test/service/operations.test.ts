/** The sidecar is seen from outside as soon as its address is free; an address that is taken keeps nobody from guarding. */
import { once } from "node:events";
import dns from "node:dns";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createLog, registeredSecrets } from "../../src/runtime/index.js";
import { StartRefused } from "../../src/service/refused.js";
import { openOperations } from "../../src/service/run/operations.js";
import type { Settings } from "../../src/settings/index.js";
import { sidecarStatus } from "../builders/sidecar-status.js";
import { fakeDesk } from "../http/desk.js";
import { createHeard } from "../stream/stage.js";

const AGAIN_MS = 5_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

interface Taken {
  readonly port: number;
  free(): Promise<void>;
}

/** Another program listens there. */
async function takenPort(): Promise<Taken> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const free = async () => {
    if (server.listening) await once(server.close(), "close");
  };
  onTestFinished(free);
  return { port: (server.address() as AddressInfo).port, free };
}

interface Line {
  readonly level: string;
  readonly msg: string;
}

async function opened(address: { readonly host?: string; readonly port: number }) {
  const folder = await mkdtemp(join(tmpdir(), "backstop-operations-"));
  const http = { host: "127.0.0.1", tokenFile: join(folder, "token"), ...address };
  const logged = createHeard<Line>();
  const stream = { write: (line: string) => logged.add(JSON.parse(line) as Line) };
  const log = createLog({ level: "info", stream, pretty: false, secrets: registeredSecrets });
  const told: string[] = [];
  const notifier = {
    watchdogMs: null,
    ready: () => void told.push("ready"),
    reloading: () => undefined,
    alive: () => undefined,
    stopping: () => Promise.resolve(),
  };
  const operations = openOperations({ http, heartbeat: null } as Settings, notifier, log);
  onTestFinished(async () => {
    await operations.close();
    await rm(folder, { recursive: true, force: true });
  });
  const started = () => operations.started(() => sidecarStatus(), fakeDesk());
  const answers = async () => (await fetch(`http://127.0.0.1:${address.port}/healthz`)).status;
  return { operations, started, logged, told, answers, tokenFile: http.tokenFile };
}

const isError = ({ level }: Line) => level === "error";

test("a port in use is told with its cure, once, and the service manager need not wait for it", async () => {
  const { port } = await takenPort();
  const { operations, started, logged, told } = await opened({ port });
  await started();
  expect(told).toEqual(["ready"]);
  const said = await logged.next(isError);
  expect(said.msg).toMatch(
    new RegExp(`127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\).*change http\\.port; .*guarded.*every 5 s`),
  );
  await vi.advanceTimersByTimeAsync(AGAIN_MS);
  // The other try is over by then.
  await operations.close();
  expect(logged.all.filter(isError)).toHaveLength(1);
});

test("a port that becomes free is listened on", async () => {
  const { port, free } = await takenPort();
  const { started, logged, answers } = await opened({ port });
  await started();
  await free();
  expect(logged.all.some(({ msg }) => msg === "listening")).toBe(false);
  await vi.advanceTimersByTimeAsync(AGAIN_MS);
  await logged.next(({ msg }) => msg === "listening");
  expect(await answers()).toBe(200);
});

test("nothing is tried any more once it is closed", async () => {
  const { port, free } = await takenPort();
  const { operations, started, answers } = await opened({ port });
  await started();
  await operations.close();
  expect(vi.getTimerCount()).toBe(0);
  await free();
  await expect(answers()).rejects.toThrow("fetch failed");
});

test("what is just being opened as it is closed does not stay open", async () => {
  const { port, free } = await takenPort();
  await free();
  const { operations, started, answers } = await opened({ port });
  const begun = started();
  await operations.close();
  await begun;
  await expect(answers()).rejects.toThrow("fetch failed");
});

test("an address that this machine does not have yet is waited for as a port in use is", async () => {
  const { started, logged, told } = await opened({ host: "192.0.2.1", port: 0 });
  await started();
  expect(told).toEqual(["ready"]);
  expect((await logged.next(isError)).msg).toMatch(/\(EADDRNOTAVAIL\).*change http\.host; .*guarded.*every 5 s/);
});

/** What the name server says of every name, to whichever form of the question this node asks. */
function names(answer: { readonly code: string } | { readonly address: string }): void {
  const lookup = (...asked: readonly unknown[]): void => {
    const tell = asked.at(-1) as (error: Error | null, found?: unknown, family?: number) => void;
    if ("code" in answer) return tell(Object.assign(new Error(answer.code), answer));
    const { address } = answer;
    tell(null, asked.length > 2 ? [{ address, family: 4 }] : address, 4);
  };
  vi.spyOn(dns, "lookup").mockImplementation(lookup);
}

test.each(["ENOTFOUND", "EAI_AGAIN"])("a name that is not known yet (%s) is listened on once it is", async (code) => {
  const { port, free } = await takenPort();
  await free();
  names({ code });
  const { started, logged, answers } = await opened({ host: "sidecar.example", port });
  await started();
  expect((await logged.next(isError)).msg).toContain(`(${code})`);
  names({ address: "127.0.0.1" });
  await vi.advanceTimersByTimeAsync(AGAIN_MS);
  await logged.next(({ msg }) => msg === "listening");
  vi.restoreAllMocks();
  expect(await answers()).toBe(200);
});

test("what no waiting would cure is a wrong config", async () => {
  const { started, told, tokenFile } = await opened({ port: 0 });
  await writeFile(tokenFile, "a-token-that-anybody-can-read-0000000001", { mode: 0o644 });
  await expect(started()).rejects.toThrow(StartRefused);
  expect(told).toEqual([]);
});
