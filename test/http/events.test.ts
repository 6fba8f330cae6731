/** What happens is told to all who listen, in order; nobody who listens holds anything up. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DeskEvent } from "../../src/http/index.js";
import { ask, errorCode, openAsOwner, openWindow, owned, type Owner, TOKEN } from "./stage.js";
import { type FakeTiming, fakeTiming } from "./timing.js";

const HELLO = "retry: 3000\n: listening\n\n";
const BEAT_MS = 15_000;
const MOST_WAITING_BYTES = 262_144;

interface Listening {
  readonly response: IncomingMessage;
  /** All that came, once that much has. */
  until(text: string): Promise<string>;
  /** All that came, once nothing more can. */
  readonly ended: Promise<string>;
  leave(): void;
}

async function listen(port: number): Promise<Listening> {
  const outgoing = request({ host: "127.0.0.1", port, path: "/v1/events", agent: false, ...owned() }).end();
  outgoing.on("error", () => undefined);
  onTestFinished(() => void outgoing.destroy());
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let all = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    all += chunk;
  });
  response.on("error", () => undefined);
  const ended = new Promise<string>((resolve) => response.once("close", () => resolve(all)));
  const until = async (text: string): Promise<string> => {
    let from = 0;
    while (!all.includes(text, from)) {
      from = Math.max(0, all.length - text.length);
      await once(response, "data");
    }
    return all;
  };
  return { response, until, ended, leave: () => void outgoing.destroy() };
}

async function openFeed(): Promise<Owner & { readonly timing: FakeTiming }> {
  const timing = fakeTiming();
  return { ...(await openAsOwner({}, { timing, closeGraceMs: 60_000 })), timing };
}

const pass = (index: number): DeskEvent => ({ kind: "pass", data: { index } });

/** Turns of the event loop until it is so. */
async function turnsUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe("who listens", () => {
  test("is told everything from then on, in order, with kind, number and data", async () => {
    const { port, desk } = await openFeed();
    desk.tell(pass(0));
    const { response, until } = await listen(port);
    expect([response.statusCode, response.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    expect(response.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    expect(await until(HELLO)).toBe(HELLO);
    desk.tell({ kind: "finding", data: { code: "stop-missing", message: "two\nlines" } });
    desk.tell({ kind: "outcome", data: { outcome: "confirmed" } });
    expect(await until("confirmed")).toBe(
      `${HELLO}id: 2\nevent: finding\ndata: {"code":"stop-missing","message":"two\\nlines"}\n\n` +
        'id: 3\nevent: outcome\ndata: {"outcome":"confirmed"}\n\n',
    );
  });

  test("is told the same as all others, under the same numbers", async () => {
    const { port, desk } = await openFeed();
    const first = await listen(port);
    desk.tell(pass(1));
    const second = await listen(port);
    desk.tell(pass(2));
    const event = 'id: 2\nevent: pass\ndata: {"index":2}\n\n';
    expect(await first.until(event)).toBe(`${HELLO}id: 1\nevent: pass\ndata: {"index":1}\n\n${event}`);
    expect(await second.until(event)).toBe(HELLO + event);
    expect(desk.listeners()).toBe(1);
  });

  test("hears a heartbeat each 15 s, and nothing else where nothing happens", async () => {
    const { port, timing } = await openFeed();
    const { until } = await listen(port);
    await until(HELLO);
    timing.beat(BEAT_MS);
    timing.beat(BEAT_MS);
    expect(await until(": heartbeat\n\n: heartbeat\n\n")).toBe(`${HELLO}: heartbeat\n\n: heartbeat\n\n`);
  });

  test("is told a burst whole", async () => {
    const { port, desk } = await openFeed();
    const { until } = await listen(port);
    await until(HELLO);
    const many = 500;
    for (let index = 1; index <= many; index += 1) desk.tell(pass(index));
    const all = await until(`id: ${many}\n`);
    expect(all.match(/^id: \d+$/gm)?.map((line) => Number(line.slice(4)))).toEqual(
      Array.from({ length: many }, (_, index) => index + 1),
    );
  });

  test("costs nothing any more once it has left", async () => {
    const { port, desk, timing } = await openFeed();
    const { until, leave } = await listen(port);
    await until(HELLO);
    expect(timing.running()).toBe(1);
    leave();
    await turnsUntil(() => timing.running() === 0);
    desk.tell(pass(1));
  });
});

describe("who cannot be served", () => {
  test("a reader that takes nothing is cut off, and the others hear on", async () => {
    const { port, desk, timing } = await openFeed();
    const stuck = connect(port, "127.0.0.1");
    stuck.on("error", () => undefined);
    onTestFinished(() => void stuck.destroy());
    stuck.write(`GET /v1/events HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await once(stuck, "readable");
    const quick = await listen(port);
    await quick.until(HELLO);
    expect(timing.running()).toBe(2);
    const large = "x".repeat(MOST_WAITING_BYTES / 8);
    let told = 0;
    while (timing.running() === 2) {
      told += 1;
      desk.tell({ kind: "pass", data: { told, large } });
      await quick.until(`{"told":${told},`);
      expect(told).toBeLessThan(2000);
    }
    expect(told).toBeGreaterThan(8);
    desk.tell(pass(-1));
    await quick.until('{"index":-1}');
    expect(timing.running()).toBe(1);
  });

  test("more than can wait at once cuts off whoever would have to be told it", async () => {
    const { port, desk, timing } = await openFeed();
    const { until, ended, response } = await listen(port);
    await until(HELLO);
    for (let told = 0; told < 10; told += 1) {
      desk.tell({ kind: "pass", data: { large: "x".repeat(MOST_WAITING_BYTES / 8) } });
    }
    expect(timing.running()).toBe(0);
    await ended;
    expect(response.complete).toBe(false);
  });

  test("the thirty-third is turned away until one has left", async () => {
    const { port, timing } = await openFeed();
    const listening = await Promise.all(Array.from({ length: 32 }, () => listen(port)));
    const refused = await ask(port, "/v1/events", owned());
    expect([refused.status, errorCode(refused)]).toEqual([503, "too-many-readers"]);
    listening[0]?.leave();
    await turnsUntil(() => timing.running() === 31);
    expect((await listen(port)).response.statusCode).toBe(200);
  });

  test("HEAD is answered and opens nothing", async () => {
    const { port, timing } = await openFeed();
    const answer = await ask(port, "/v1/events", { method: "HEAD", ...owned() });
    expect([answer.status, answer.headers["content-type"], timing.running()]).toEqual([200, "text/event-stream", 0]);
  });
});

describe("closing", () => {
  test("ends all who listen after what they were told, and waits for no grace", async () => {
    const { port, desk, stage, timing } = await openFeed();
    const { ended, response } = await listen(port);
    desk.tell(pass(1));
    await stage.close();
    expect(await ended).toBe(`${HELLO}id: 1\nevent: pass\ndata: {"index":1}\n\n`);
    expect(response.complete).toBe(true);
    expect([desk.listeners(), timing.running()]).toEqual([0, 0]);
    desk.tell(pass(2));
  });

  test("a window that could not be opened does not listen on", async () => {
    const { port } = await openWindow();
    const { desk } = await openAsOwner();
    expect(desk.listeners()).toBe(1);
    await expect(openWindow({ port, desk })).rejects.toThrow("EADDRINUSE");
    expect(desk.listeners()).toBe(1);
  });
});
