/** Whatever goes wrong on the stream, no key, secret or signature is logged, told or printed. */
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectBybitStream } from "../../src/exchange/bybit/index.js";
import { type BareExchange, bareExchange, type Frame, handClock, type Watched, watch } from "./stage.js";

const KEY = "canaryKEY0123456789";
const SECRET = "canarySECRET0123456789abcdefghijklmnop";
const ECHO = `${KEY} ${SECRET} ${"ab".repeat(32)}`;

let exchange: BareExchange;
let watched: Watched;
let printed: unknown[];

beforeEach(async () => {
  printed = [];
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation((...words) => void printed.push(words));
  }
  exchange = await bareExchange();
});
afterEach(async () => {
  await watched.stream.close();
  await exchange.close();
});

/** What of key, secret and signatures was logged, told or printed; empty is what must be. */
function leaks(): string[] {
  expect(watched.logged.all.length).toBeGreaterThan(0);
  const seen = inspect([watched.told.all, watched.logged.all, printed, watched.stream], {
    depth: 20,
    showHidden: true,
  });
  return [...(seen.match(/canary(?:KEY|SECRET)|[0-9a-f]{64}/gi) ?? []), ...printed.map(String)];
}

const start = (...more: Parameters<typeof watch> extends [string, infer _Account, ...infer Rest] ? Rest : never) => {
  watched = watch(exchange.wsUrl, { key: KEY, secret: SECRET }, ...more);
};

describe("key and secret stay inside", () => {
  it("where all is well", async () => {
    start();
    await watched.live();
    expect(leaks()).toEqual([]);
  });

  it.each(["auth", "subscribe", "elsewhere"])("where a refusal repeats them: %s", async (op) => {
    const refusal = ({ req_id }: Frame): object => ({ success: false, ret_msg: `bad: ${ECHO}`, op, req_id });
    const original = exchange.answers[op === "elsewhere" ? "subscribe" : op];
    exchange.answers[op === "elsewhere" ? "subscribe" : op] = refusal;
    start({ timing: { shortestGapMs: 1, longestGapMs: 5, settleWithinMs: 200 } });
    await watched.down();
    exchange.answers[op === "elsewhere" ? "subscribe" : op] = original;
    await watched.live();
    expect(leaks()).toEqual([]);
  });

  it("where the socket ends while the login is being signed or sent", async () => {
    exchange.answers["auth"] = (frame) => {
      exchange.drop();
      return frame;
    };
    start();
    await watched.down();
    expect(leaks()).toEqual([]);
  });

  it("where the login gets no answer", async () => {
    exchange.answers["auth"] = undefined;
    const hand = handClock();
    start({ ...hand, timing: {} });
    await exchange.frames.next(({ op }) => op === "auth");
    hand.advance(10_000);
    await watched.down();
    expect(leaks()).toEqual([]);
  });

  it("where a frame is no JSON, or of no known kind, and repeats them", async () => {
    start();
    await watched.live();
    exchange.send(`<html>${ECHO}</html>`);
    expect(await watched.push("unreadable")).toMatchObject({ reason: "the frame is no JSON object" });
    for (const frame of ["null", "[1]", "7", '"text"', "{}", '{"op":7}']) {
      exchange.send(frame);
      expect(await watched.push("unreadable")).toMatchObject({ category: null, symbol: null });
    }
    expect(watched.stream.isLive()).toBe(true);
    expect(leaks()).toEqual([]);
  });

  it("where the listener fails with them in its words", async () => {
    const fail = (): void => {
      throw new Error(ECHO);
    };
    start({}, { live: fail });
    await watched.live();
    await watched.logged.next(({ message }) => message.includes("listener"));
    expect(leaks()).toEqual([]);
  });

  it("where nothing can be connected", async () => {
    await exchange.close();
    start();
    await watched.down();
    expect(leaks()).toEqual([]);
  });

  it("where the address is none", async () => {
    watched = watch("nonsense", { key: KEY, secret: SECRET });
    expect(await watched.down()).toBe("the connection was lost");
    expect(leaks()).toEqual([]);
  });

  it("and a custom environment without an address is refused at once", () => {
    start();
    const options = { account: "main", environment: "custom", region: "default", categories: [] } as const;
    const clock = { now: () => 0, monotonicMs: () => 0 };
    const listener = { live: () => undefined, down: () => undefined, pushed: () => undefined };
    expect(() => connectBybitStream({ ...options, clock, key: KEY, secret: SECRET }, listener)).toThrow(/wsUrl/);
  });
});
