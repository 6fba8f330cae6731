/** The heartbeat against a server that is well, slow, broken or away; and a pass never waits for it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createLog, registeredSecrets, registerSecret } from "../../src/runtime/index.js";
import { createHeartbeat, type Heartbeat, type HeartbeatOptions } from "../../src/sidecar/heartbeat.js";
import { createHeard, type Heard } from "../stream/stage.js";

const CANARY = "CanarySecret00000000000000000000004D";
const URL_TO_PING = `https://hc.example.com/ping/${CANARY}`;

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
  answer(status: number): void;
  fail(code: string): void;
}

interface Stage {
  readonly heartbeat: Heartbeat;
  readonly sent: Heard<Sent>;
  readonly failures: () => number;
  /** Each line as `level message`. */
  readonly logged: Heard<string>;
  readonly raw: () => string;
}

function stage(changes: Partial<HeartbeatOptions> = {}): Stage {
  const sent = createHeard<Sent>();
  const logged = createHeard<string>();
  const lines: string[] = [];
  let failures = 0;
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line) as { level: string; msg: string };
    lines.push(line);
    logged.add(`${level} ${msg}`);
  };
  const heartbeat = createHeartbeat({
    url: URL_TO_PING,
    fetch: (url, init) => pending(url instanceof Request ? url.url : url.toString(), init ?? {}, sent),
    log: createLog({ level: "trace", stream: { write }, pretty: false, secrets: registeredSecrets }),
    onFailure: () => {
      failures += 1;
    },
    ...changes,
  });
  return { heartbeat, sent, logged, failures: () => failures, raw: () => lines.join("") };
}

/** As the real one: it rejects when its signal says so. */
function pending(url: string, init: RequestInit, sent: Heard<Sent>): Promise<Response> {
  return new Promise((resolve, reject) => {
    init.signal?.addEventListener("abort", () => reject(new Error(`aborted ${url}`)));
    sent.add({
      url,
      init,
      answer: (status) => resolve(new Response(status === 204 ? null : "OK", { status })),
      fail: (code) => reject(new TypeError("fetch failed", { cause: Object.assign(new Error(url), { code }) })),
    });
  });
}

const any = (): boolean => true;
const urls = ({ all }: Heard<Sent>): string[] => all.map(({ url }) => url.replace(URL_TO_PING, ""));

describe("a ping", () => {
  test("goes to the url of its kind, as POST, and follows nobody elsewhere", async () => {
    const { heartbeat, sent } = stage();
    heartbeat.started();
    (await sent.next(any)).answer(200);
    heartbeat.completed();
    (await sent.next(any)).answer(200);
    heartbeat.failed("nothing could be read");
    (await sent.next(any)).answer(200);
    expect(urls(sent)).toEqual(["/start", "", "/fail"]);
    for (const { init } of sent.all) expect(init).toMatchObject({ method: "POST", redirect: "error" });
    expect(sent.all.map(({ init }) => init.body)).toEqual([undefined, undefined, "nothing could be read"]);
  });

  test.each([
    ["https://hc.example.com/ping/x?create=1&a=b", "https://hc.example.com/ping/x/start?create=1&a=b"],
    ["https://hc.example.com/ping/x/", "https://hc.example.com/ping/x/start"],
    ["https://hc.example.com", "https://hc.example.com/start"],
  ])("keeps what stands behind the path of %s", async (url, expected) => {
    const { heartbeat, sent } = stage({ url });
    heartbeat.started();
    expect((await sent.next(any)).url).toBe(expected);
  });

  test("tells why a pass failed without secrets, and not at length", async () => {
    registerSecret(CANARY);
    const { heartbeat, sent } = stage();
    heartbeat.failed(`key ${CANARY} refused; ${"x".repeat(9999)}`);
    const { init } = await sent.next(any);
    expect(init.body).toMatch(/^key \[secret\] refused; x+$/);
    expect(init.body).toHaveLength(500);
  });
});

describe("one at a time", () => {
  test("the latest outcome wins while another ping is on its way", async () => {
    const { heartbeat, sent } = stage();
    heartbeat.started();
    heartbeat.failed("one");
    heartbeat.completed();
    heartbeat.failed("two");
    expect(urls(sent)).toEqual(["/start"]);
    sent.all[0]?.answer(200);
    await sent.next(({ url }) => url.endsWith("/fail"));
    expect(sent.all.map(({ init }) => init.body)).toEqual([undefined, "two"]);
  });

  test("a start never pushes out an outcome, so that a slow server still hears of complete passes", async () => {
    const { heartbeat, sent } = stage();
    heartbeat.started();
    heartbeat.completed();
    heartbeat.started();
    sent.all[0]?.answer(200);
    await sent.next(({ url }) => url === URL_TO_PING);
    expect(urls(sent)).toEqual(["/start", ""]);
  });

  test("telling returns before anything is sent or thrown", () => {
    const broken = stage({
      fetch: () => {
        throw new Error("no network at all");
      },
    });
    expect(() => broken.heartbeat.completed()).not.toThrow();
    const { heartbeat } = stage();
    expect(heartbeat.completed()).toBeUndefined();
  });
});

describe("a heartbeat that is not heard", () => {
  test("is counted each time, and said once until it changes", async () => {
    const { heartbeat, sent, logged, failures } = stage();
    const outcomes: ((ping: Sent) => void)[] = [
      (ping) => ping.answer(500),
      (ping) => ping.answer(500),
      (ping) => ping.answer(404),
      (ping) => ping.fail("ENOTFOUND"),
      (ping) => ping.fail("ENOTFOUND"),
      (ping) => ping.answer(204),
      (ping) => ping.answer(200),
    ];
    for (const outcome of outcomes) {
      heartbeat.completed();
      outcome(await sent.next(any));
    }
    await heartbeat.close();
    expect(failures()).toBe(5);
    expect(logged.all).toEqual([
      "warn the heartbeat is not heard: its server answered 500; passes go on",
      "warn the heartbeat is not heard: its server answered 404; passes go on",
      "warn the heartbeat is not heard: its server could not be reached (ENOTFOUND); passes go on",
      "info the heartbeat is heard again",
    ]);
  });

  test("is given up after its time", async () => {
    const { heartbeat, sent, logged, failures } = stage({ timeoutMs: 5 });
    heartbeat.completed();
    await sent.next(any);
    expect(await logged.next(any)).toContain("gave no answer within 5 ms");
    expect(failures()).toBe(1);
  });

  test("says nothing of its url, which gives access by itself", async () => {
    const { heartbeat, sent, logged, raw } = stage();
    heartbeat.completed();
    (await sent.next(any)).fail("ECONNREFUSED");
    await logged.next(any);
    heartbeat.completed();
    await sent.next(any);
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    await Promise.all([heartbeat.close(), vi.advanceTimersByTimeAsync(1000)]);
    await logged.next(any);
    expect(raw()).toContain("was given up at the end");
    expect(raw()).not.toContain("hc.example.com");
    expect(raw()).not.toContain(CANARY);
  });
});

describe("closing", () => {
  test("waits for the last outcome to leave, and sends nothing afterwards", async () => {
    const { heartbeat, sent } = stage();
    heartbeat.started();
    heartbeat.completed();
    const closed = heartbeat.close();
    sent.all[0]?.answer(200);
    (await sent.next(({ url }) => url === URL_TO_PING)).answer(200);
    await closed;
    heartbeat.failed("too late");
    expect(urls(sent)).toEqual(["/start", ""]);
  });

  test("waits one second at most, even for a server that never answers", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const never = new Promise<Response>(() => undefined);
    for (const fetch of [undefined, () => never]) {
      const { heartbeat } = stage(fetch === undefined ? {} : { fetch });
      heartbeat.completed();
      heartbeat.failed("waiting");
      let closed = false;
      const closing = heartbeat.close().finally(() => {
        closed = true;
      });
      await vi.advanceTimersByTimeAsync(999);
      expect(closed).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await closing;
    }
  });

  test("is at once when nothing is on its way", async () => {
    const { heartbeat, sent } = stage();
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    await heartbeat.close();
    await heartbeat.close();
    expect(sent.all).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("a real server hears it, and a redirect is not followed", async () => {
  const asked = createHeard<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.add(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
      if (request.url === "/ping/fail") response.writeHead(302, { location: "/elsewhere" });
      response.end("OK");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { heartbeat, logged, failures } = stage({ url: `http://127.0.0.1:${port}/ping`, fetch });
  heartbeat.completed();
  await asked.next(any);
  heartbeat.failed("nothing was seen");
  expect(await logged.next(any)).toContain("it redirects, which is not followed");
  await heartbeat.close();
  expect(asked.all).toEqual(["POST /ping ", "POST /ping/fail nothing was seen"]);
  expect(failures()).toBe(1);
});
