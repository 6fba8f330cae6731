/** Faults do what they say: lost replies, lies, garbage, broken pages and changed rows. */
import { describe, expect, it } from "vitest";
import { bench, read, signedRequest } from "./client.js";

const STOP = "/v5/position/trading-stop";
const LIST = "/v5/position/list";
const stop = { category: "linear", symbol: "ETHUSDT", positionIdx: 0, stopLoss: "3000" };

function withLong(): ReturnType<typeof bench> & {
  raw: () => ReturnType<ReturnType<typeof bench>["exchange"]["handle"]>;
} {
  const made = bench();
  made.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
  const raw = () => made.exchange.handle(signedRequest(made.clock.nowMs, "POST", STOP, JSON.stringify(stop)));
  return { ...made, raw };
}

const standing = (made: ReturnType<typeof bench>): number => Number(made.position("ETHUSDT")["stopLoss"]);

describe("a fault", () => {
  it.each([
    [
      { kind: "retCode", retCode: 10000 },
      { kind: "answer", status: 200 },
    ],
    [
      { kind: "retCode", retCode: 10016 },
      { kind: "answer", status: 200 },
    ],
    [
      { kind: "html", status: 502 },
      { kind: "answer", status: 502 },
    ],
    [
      { kind: "html", status: 403 },
      { kind: "answer", status: 403 },
    ],
    [{ kind: "empty" }, { kind: "answer", status: 200, body: "" }],
    [{ kind: "truncated" }, { kind: "answer", status: 200 }],
    [{ kind: "hang" }, { kind: "hang" }],
    [{ kind: "stall" }, { kind: "stall" }],
    [{ kind: "reset" }, { kind: "reset" }],
  ] as const)("%j hits one request, has no effect, and is gone", (fault, reply) => {
    const made = withLong();
    made.exchange.setFault({ path: STOP, ...fault });
    expect(made.raw()).toMatchObject(reply);
    expect(standing(made)).toBe(0);
    expect(read(made.raw()).retCode).toBe(0);
  });

  it("of a truncated answer leaves JSON that cannot be parsed", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "truncated", path: STOP, afterEffect: true });
    expect(() => read(made.raw())).toThrow(SyntaxError);
    expect(standing(made)).toBe(3000);
  });

  it("can lose the reply after the effect", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "effectThenReset", path: STOP });
    expect(made.raw()).toEqual({ kind: "reset" });
    expect(standing(made)).toBe(3000);
  });

  it("can acknowledge and do nothing", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "ackButIgnore", path: STOP });
    expect(read(made.raw())).toMatchObject({ retCode: 0, result: {} });
    expect(standing(made)).toBe(0);
  });

  it("can acknowledge now and take effect later", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "delayedEffect", delayMs: 700, path: STOP });
    expect(read(made.raw()).retCode).toBe(0);
    expect(standing(made)).toBe(0);
    expect(made.exchange.nextDueAtMs()).toBe(made.clock.nowMs + 700);
    made.clock.nowMs += 700;
    expect(standing(made)).toBe(3000);
  });

  it("can let some requests pass first, hit several, and be limited to a path", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "retCode", retCode: 10016, path: LIST, after: 1, times: 2 });
    const codes = Array.from({ length: 4 }, () => made.get(LIST, { category: "linear", settleCoin: "USDT" }).retCode);
    expect(codes).toEqual([0, 10016, 10016, 0]);
  });

  it("can claim a zero position a few times after a fill", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "zeroPosition", times: 2 });
    expect([1, 2, 3].map(() => read(made.raw()).retCode)).toEqual([10001, 10001, 0]);
  });

  it("can be called off", () => {
    const made = withLong();
    made.exchange.setFault({ kind: "hang", times: 99 });
    made.exchange.clearFaults();
    expect(read(made.raw()).retCode).toBe(0);
  });
});

describe("rows", () => {
  it("can be rewritten on their way out, to bring values nobody knows yet", () => {
    const made = withLong();
    made.exchange.mutateRow((row, { kind }) =>
      kind === "position" ? { ...row, positionStatus: "Frozen", size: null } : row,
    );
    expect(made.position("ETHUSDT")).toMatchObject({ positionStatus: "Frozen", size: null });
    made.exchange.mutateRow(null);
    expect(made.position("ETHUSDT")["positionStatus"]).toBe("Normal");
  });
});

describe("the record of requests", () => {
  it("holds method, path, query, body, account and result", () => {
    const made = withLong();
    made.raw();
    made.get(LIST, { category: "linear", symbol: "ETHUSDT" });
    expect(made.exchange.requests).toMatchObject([
      { account: "main", method: "POST", path: STOP, body: stop, retCode: 0 },
      { account: "main", method: "GET", path: LIST, query: { category: "linear", symbol: "ETHUSDT" }, body: null },
    ]);
  });
});

describe("control requests", () => {
  it("that make no sense say why", () => {
    const { exchange } = bench();
    expect(() => exchange.control("explode", {})).toThrow(/no verb "explode"/);
    expect(() => exchange.control("open", { symbol: "ETHUSDT", side: "long", size: 1 })).toThrow(/open: size/);
    expect(() => exchange.open({ symbol: "NOSUCH", side: "long", size: "1" })).toThrow(/no contract "NOSUCH"/);
    expect(() => exchange.open({ symbol: "ETHUSDT", side: "long", size: "1", stopLoss: "9999" })).toThrow(/base_price/);
    expect(() => exchange.close({ symbol: "ETHUSDT" })).toThrow(/no open position/);
  });
});
