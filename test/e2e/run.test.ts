/** `backstop run` as its user starts it, beside a simulated exchange on real sockets. */
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import type { Report } from "../../src/report/index.js";
import { bodyOf, MAIN, openBook, openStage, positionIn, PROTECTION, SECOND } from "./stage.js";
import { listenTo, type RunningSidecar, startRun } from "./sidecar.js";

const EVERY_FIVE_SECONDS = { sweep: { cron: "*/5 * * * * *" } };

function stopOf({ exchange }: Awaited<ReturnType<typeof openStage>>, symbol: string, account = "main"): string | null {
  const found = exchange.snapshot().accounts.find(({ name }) => name === account);
  return found?.positions.find((position) => position.symbol === symbol)?.stopLoss ?? null;
}

describe.concurrent("at its start", () => {
  it("protects what is open, proves it, and ends with 0 when it is told to", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    const confirmed = sidecar.logged.all.filter(({ msg }) => msg === "confirmed").map(({ symbol }) => symbol);
    expect(new Set(confirmed)).toEqual(new Set(["BTCUSDT", "ETHUSDT"]));
    expect(stopOf(stage, "BTCUSDT")).not.toBeNull();
    expect(stopOf(stage, "ETHUSDT")).not.toBeNull();
    expect(stage.posts()).toHaveLength(2);
    expect(await sidecar.end()).toBe(0);
  });

  it("refuses a key that can withdraw, with 64", async (context) => {
    const permissions = { ContractTrade: ["Order", "Position"], Wallet: ["Withdraw"] };
    const stage = await openStage(context, { accounts: [{ ...MAIN, permissions }] });
    const { code, stderr } = await stage.backstop(["run"]);
    expect(code).toBe(64);
    expect(stderr).toContain("Withdraw");
  });
});

describe("a position that opens", () => {
  it.concurrent("has its stop at once, then its take-profit, and both are proven", async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    const resting = events.stopRests("BTCUSDT");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", entryPrice: "64000" });
    expect(await resting).toMatch(/^62720(\.0+)?$/);
    await sidecar.logged.next(({ msg, takeProfit }) => msg === "confirmed" && takeProfit !== undefined);
    const [first, second] = stage.posts().map(bodyOf);
    expect(first).toMatchObject({ tpslMode: "Full", slTriggerBy: "MarkPrice", positionIdx: 0 });
    expect(first).not.toHaveProperty("takeProfit");
    expect(second).not.toHaveProperty("stopLoss");
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("in hedge mode has a stop for each leg, on its own side", async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    stage.exchange.open({ symbol: "SOLUSDT", side: "long", size: "10", hedge: true });
    await events.stopRests("SOLUSDT");
    stage.exchange.open({ symbol: "SOLUSDT", side: "short", size: "10", hedge: true });
    await events.stopRests("SOLUSDT");
    const bodies = stage.posts().map(bodyOf);
    expect(bodies.filter(({ stopLoss }) => stopLoss !== undefined).map(({ positionIdx }) => positionIdx)).toEqual([
      1, 2,
    ]);
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("by flipping, has a stop on its new side", async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", entryPrice: "64000" });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    expect(Number(stopOf(stage, "BTCUSDT"))).toBe(62_720);
    const resting = events.stopRests("BTCUSDT");
    stage.exchange.flip({ symbol: "BTCUSDT" });
    expect(Number(await resting)).toBeGreaterThan(64_000);
    await sidecar.says("a position has flipped");
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("keeps a whole stop when it grows and when it is reduced, without another write", async (context) => {
    const stage = await openStage(context, { config: { protection: { stopLoss: { distance: "2%" } } } });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await sidecar.says("confirmed");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.2" });
    await sidecar.says("a position has grown");
    stage.exchange.reduce({ symbol: "BTCUSDT", size: "0.25" });
    await sidecar.says("a position has shrunk");
    stage.exchange.close({ symbol: "BTCUSDT" });
    await sidecar.logged.next(({ msg, by }) => msg === "a position has closed" && by === "another hand");
    expect(stage.posts()).toHaveLength(1);
    expect(await sidecar.end()).toBe(0);
  });

  it("one of fifty at once is protected at the pace of the write budget, the riskiest first (`npm run bench` has the figures)", async (context) => {
    const protection = { stopLoss: { distance: "2%" } };
    const stage = await openStage(context, { config: { protection }, syntheticInstruments: 50, latencyMs: 50 });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    const restsAtMs = new Map<string, number>();
    const all = new Promise<void>((resolve) => {
      stage.exchange.onPush(({ topic, row }) => {
        const order = row as Readonly<Record<string, unknown>>;
        if (topic !== "order" || order["stopOrderType"] !== "StopLoss" || order["orderStatus"] !== "Untriggered")
          return;
        restsAtMs.set(String(order["symbol"]), performance.now());
        if (restsAtMs.size === 50) resolve();
      });
    });
    const symbols = Array.from({ length: 50 }, (_one, nth) => `SYN${String(nth).padStart(4, "0")}USDT`);
    const startedMs = performance.now();
    symbols.forEach((symbol, nth) => stage.exchange.open({ symbol, side: "long", size: String(10 * (nth + 1)) }));
    await all;
    const tookMs = (symbol: string) => (restsAtMs.get(symbol) ?? Number.POSITIVE_INFINITY) - startedMs;
    const notional = new Map(
      stage.exchange
        .snapshot()
        .accounts[0]?.positions.map(({ symbol, size, entryPrice }) => [symbol, Number(size) * Number(entryPrice)]),
    );
    const riskiest = symbols
      .toSorted((one, other) => (notional.get(other) ?? 0) - (notional.get(one) ?? 0))
      .slice(0, 10);
    // Nine a second take five and a half; a machine that has other things to do takes longer.
    expect(Math.max(...symbols.map(tookMs))).toBeLessThan(14_000);
    expect(Math.max(...riskiest.map(tookMs))).toBeLessThan(5_000);
    expect(await sidecar.end()).toBe(0);
  });
});

describe("a resting entry order, with attachToOrders", () => {
  it("gets its exits before it fills, and after the fill the position has them although we are dead", async (context) => {
    const stage = await openStage(context, { config: { protection: { ...PROTECTION, attachToOrders: true } } });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    const order = { symbol: "BTCUSDT", side: "Buy", orderType: "Limit", qty: "0.1", price: "60000" };
    stage.exchange.placeOrder({ ...order, timeInForce: "GTC", positionIdx: 0 });
    await sidecar.says("entry order: confirmed");
    expect(await sidecar.end("SIGKILL")).toBe("SIGKILL");
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "59990" });
    expect(Number(stopOf(stage, "BTCUSDT"))).toBe(58_800);
  });
});

describe("with a stream that fails", () => {
  it("from the start, whatever opens is protected by the next sweep", async (context) => {
    const stage = await openStage(context, { config: EVERY_FIVE_SECONDS });
    stage.exchange.setFault({ kind: "streamRefuseAuth", times: 1_000 });
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.says(/^the stream is down/);
    const startedMs = performance.now();
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.stopRests("BTCUSDT");
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("by a drop, everything is looked at when it is live again: what opened meanwhile is protected", async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    stage.exchange.dropStreams();
    await sidecar.says(/^the stream is down/);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.stopRests("BTCUSDT");
    await sidecar.watching();
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("by a login that is dropped before its reply, it logs in anew", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "streamDropBeforeAuthReply", times: 1 });
    const sidecar = startRun(context, stage);
    await sidecar.says(/^the stream is down/);
    await sidecar.watching();
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("by falling silent, it is given up, and what opened meanwhile is protected", async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    stage.exchange.setFault({ kind: "streamSilent", times: 1 });
    await sidecar.says(/^the stream is down/);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.stopRests("BTCUSDT");
    await sidecar.watching();
    expect(await sidecar.end()).toBe(0);
  });

  it.concurrent("by doubled and swapped pushes, each position has one stop and each change is told once", async (context) => {
    const stage = await openStage(context, { config: { protection: { stopLoss: { distance: "2%" } } } });
    stage.exchange.setFault({ kind: "streamDuplicate", times: 1_000 });
    stage.exchange.setFault({ kind: "streamReorder", times: 1_000 });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    for (const symbol of ["BTCUSDT", "ETHUSDT", "SOLUSDT"]) stage.exchange.open({ symbol, side: "long", size: "1" });
    for (let nth = 0; nth < 3; nth += 1) await sidecar.says("confirmed");
    expect(stage.posts()).toHaveLength(3);
    expect(sidecar.logged.all.filter(({ msg }) => msg === "a position has opened")).toHaveLength(3);
    expect(await sidecar.end()).toBe(0);
  });
});

describe("several accounts", () => {
  it("are guarded each for itself: a refused key keeps nobody else from being protected", async (context) => {
    const stage = await openStage(context, { accounts: [MAIN, SECOND] });
    stage.exchange.setFault({
      kind: "retCode",
      account: "second",
      retCode: 10_003,
      retMsg: "API key is invalid.",
      times: 10_000,
    });
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.logged.next(({ msg, account }) => msg === "pass complete" && account === "main");
    const resting = events.stopRests("BTCUSDT");
    stage.exchange.open({ account: "main", symbol: "BTCUSDT", side: "long", size: "0.1" });
    await resting;
    expect(sidecar.logged.all.some(({ msg, account }) => msg === "pass failed" && account === "second")).toBe(true);
    expect(await sidecar.end()).toBe(0);
  });
});

describe("a contract whose own reads hang", () => {
  it("keeps no other from being seen by the sweep and protected", async (context) => {
    const stage = await openStage(context, { config: EVERY_FIVE_SECONDS });
    const { handle } = stage.exchange;
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    stage.exchange.handle = (request) =>
      request.rawQuery.includes("symbol=BTCUSDT") ? { kind: "hang" } : handle(request);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.stopRests("BTCUSDT");
    stage.exchange.setFault({ kind: "streamLose", times: 1_000 });
    const startedMs = performance.now();
    stage.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    await events.stopRests("ETHUSDT");
    // Three tries of five seconds each for the one would be longer.
    expect(performance.now() - startedMs).toBeLessThan(13_000);
    await sidecar.end();
  });
});

describe.concurrent("nothing is written", () => {
  it("in a dry run, which says what it would send", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const sidecar = startRun(context, stage, ["--dry-run"]);
    await sidecar.watching();
    expect(sidecar.logged.all.some(({ msg }) => msg === "dry run: this would be sent")).toBe(true);
    stage.exchange.open({ symbol: "SOLUSDT", side: "long", size: "1" });
    await sidecar.logged.next(({ msg, symbol }) => msg === "dry run: this would be sent" && symbol === "SOLUSDT");
    expect(stage.posts()).toEqual([]);
    expect(await sidecar.end()).toBe(0);
  });

  it("while state/READONLY exists; when it is gone, what is naked is protected", async (context) => {
    const stage = await openStage(context, { config: EVERY_FIVE_SECONDS });
    const state = join(stage.folder, "state");
    await mkdir(state, { mode: 0o700 });
    await writeFile(join(state, "READONLY"), "");
    openBook(stage);
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    stage.exchange.open({ symbol: "SOLUSDT", side: "long", size: "1" });
    await sidecar.logged.next(({ msg, symbol }) => msg === "a position has opened" && symbol === "SOLUSDT");
    expect(stage.posts()).toEqual([]);
    const resting = events.stopRests("SOLUSDT");
    await rm(join(state, "READONLY"));
    await resting;
    expect(await sidecar.end()).toBe(0);
  });

  it("for a symbol that is paused, until it is resumed", async (context) => {
    const stage = await openStage(context, { config: EVERY_FIVE_SECONDS });
    openBook(stage);
    expect((await stage.backstop(["pause", "--symbol", "BTCUSDT"])).code).toBe(0);
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    expect(stopOf(stage, "BTCUSDT")).toBeNull();
    expect(stopOf(stage, "ETHUSDT")).not.toBeNull();
    const resting = events.stopRests("BTCUSDT");
    expect((await stage.backstop(["resume"])).code).toBe(0);
    await resting;
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("after it was killed without a warning", () => {
  it("finds by reading what it had not finished, and sets nothing twice", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const events = listenTo(stage);
    const first = startRun(context, stage);
    await events.stopRests("BTCUSDT");
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    const second = startRun(context, stage);
    await second.watching();
    for (const symbol of ["BTCUSDT", "ETHUSDT"]) expect(stopOf(stage, symbol)).not.toBeNull();
    const stops = stage
      .posts()
      .map(bodyOf)
      .filter(({ symbol }) => symbol === "BTCUSDT");
    expect(stops).toHaveLength(1);
    expect(await second.end()).toBe(0);
  });
});

describe("an account that does not answer at the start", () => {
  it("keeps no other waiting", async (context) => {
    const stage = await openStage(context, { accounts: [MAIN, SECOND] });
    stage.exchange.setFault({ kind: "hang", account: "second", times: 10_000 });
    openBook(stage);
    const events = listenTo(stage);
    const resting = events.stopRests("BTCUSDT");
    const sidecar = startRun(context, stage);
    const startedMs = performance.now();
    await resting;
    // A request that hangs is given up after 10 s, and reads are tried three times.
    expect(performance.now() - startedMs).toBeLessThan(25_000);
    expect(await sidecar.end()).toBe(0);
  });

  it("does not keep the program from ending", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "hang", times: 10_000 });
    const sidecar = startRun(context, stage);
    await sidecar.says(/no answer in time|has started/);
    const startedMs = performance.now();
    expect(await sidecar.end()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

/** Its stop is on the wire, and not answered. */
async function startWriting(context: TestContext): Promise<RunningSidecar> {
  const stage = await openStage(context);
  stage.exchange.setFault({ kind: "hang", path: "/v5/position/trading-stop", times: 100 });
  const sidecar = startRun(context, stage);
  await sidecar.watching();
  openBook(stage);
  await sidecar.says("a position has opened");
  return sidecar;
}

describe("SIGTERM with a write in flight", () => {
  it("waits for its answer and ends with 0 within ten seconds", async (context) => {
    const sidecar = await startWriting(context);
    const startedMs = performance.now();
    expect(await sidecar.end()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe.concurrent("signals at unusual moments", () => {
  it("SIGINT that comes twice, as from a terminal through npx, ends it in order", async (context) => {
    const sidecar = await startWriting(context);
    sidecar.process.kill("SIGINT");
    await sidecar.says(/^stopping/);
    expect(await sidecar.end("SIGINT")).toBe(0);
    expect(sidecar.output()).toContain('"msg":"stopped"');
  });

  it("SIGHUP while it starts is followed once it has started", async (context) => {
    const stage = await openStage(context);
    const sidecar = startRun(context, stage);
    await sidecar.logged.next(() => true);
    sidecar.process.kill("SIGHUP");
    await sidecar.says("the config was read anew");
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("SIGHUP", () => {
  it("takes a new config over whole, and refuses a broken one whole", async (context) => {
    const stage = await openStage(context, { config: { protection: { mode: "report-only" } } });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const events = listenTo(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    expect(stage.posts()).toEqual([]);
    const { restUrl, wsUrl } = stage.simulator;
    const { name, key, secret } = MAIN;
    const accounts = [{ name, environment: "custom", restUrl, wsUrl, key, secret }];
    await writeFile(stage.config, JSON.stringify({ accounts, protection: { mode: "all" } }));
    sidecar.process.kill("SIGHUP");
    await sidecar.says(/^the config was not taken over.*protection\.mode/s);
    // As an editor leaves it for a moment.
    const half = JSON.stringify({ accounts, protection: { stopLoss: { distance: "1%" } } }).slice(0, -20);
    await writeFile(stage.config, half);
    sidecar.process.kill("SIGHUP");
    const { level } = await sidecar.says(
      /^the config was not taken over; everything stays as it is: .*not valid YAML/s,
    );
    expect(level).toBe("error");
    expect(stage.posts()).toEqual([]);
    await writeFile(stage.config, JSON.stringify({ accounts, protection: { stopLoss: { distance: "1%" } } }));
    const resting = events.stopRests("BTCUSDT");
    sidecar.process.kill("SIGHUP");
    await sidecar.says("the config was read anew");
    await resting;
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("SIGHUP, after the key was given a right that is too much", () => {
  it("keeps the account in sight: it is reported, and nothing is written for it", async (context) => {
    const http = { port: 0, tokenFile: "token" };
    const stage = await openStage(context, { config: { http } });
    const sidecar = startRun(context, stage);
    const url = await sidecar.url();
    await sidecar.watching();
    stage.exchange.setAccount({ permissions: { ContractTrade: ["Order", "Position"], Wallet: ["Withdraw"] } });
    const { restUrl, wsUrl } = stage.simulator;
    const { name, key, secret } = MAIN;
    const accounts = [{ name, environment: "custom", restUrl, wsUrl, key, secret }];
    const budget = { writesPerSecond: 5 };
    await writeFile(stage.config, JSON.stringify({ accounts, protection: PROTECTION, budget, http }));
    sidecar.process.kill("SIGHUP");
    await sidecar.says("the config was read anew");
    await sidecar.watching();
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await sidecar.says(/^no stop-loss rests at the exchange/);
    const authorization = `Bearer ${(await readFile(join(stage.folder, "token"), "utf8")).trim()}`;
    const report = (await (await fetch(`${url}/v1/report`, { headers: { authorization } })).json()) as Report;
    expect(report.accounts.map(({ name: told }) => told)).toEqual(["main"]);
    expect(JSON.stringify(report.accounts)).toContain("Withdraw");
    expect(positionIn(report, "BTCUSDT").status).toBe("unprotected");
    expect(stage.posts()).toEqual([]);
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("seen from outside", () => {
  it("is ready after its first complete pass, and counts what it did", async (context) => {
    const stage = await openStage(context, { config: { http: { port: 0 } } });
    const sidecar = startRun(context, stage);
    const url = await sidecar.url();
    await sidecar.watching();
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await sidecar.says("a stop for the whole position rests at the exchange");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/backstop_positions\{account="main",status="protected"\} 1/);
    expect(metrics).toMatch(/backstop_time_to_protection_seconds_count\{account="main",path="push"\} 1/);
    expect(metrics).toMatch(/backstop_stream_up\{account="main"\} 1/);
    expect(await sidecar.end()).toBe(0);
  });

  it("guards while its port is in use, and serves as soon as it is free", async (context) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const stage = await openStage(context, { config: { http: { port } } });
    openBook(stage);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    expect(stopOf(stage, "BTCUSDT")).not.toBeNull();
    expect(sidecar.logged.all.filter(({ level, msg }) => level === "error" && msg.includes(`:${port}`))).toHaveLength(
      1,
    );
    other.close();
    expect((await fetch(`${await sidecar.url()}/readyz`)).status).toBe(200);
    expect(await sidecar.end()).toBe(0);
  });

  it("never prints a key or a secret, whatever happens", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "html", status: 502, path: "/v5/position/list", times: 2 });
    stage.exchange.setFault({ kind: "streamRefuseAuth", times: 1 });
    const sidecar = startRun(context, stage, ["--log-level", "trace"]);
    await sidecar.watching();
    openBook(stage);
    await sidecar.says("confirmed");
    expect(await sidecar.end()).toBe(0);
    for (const canary of [MAIN.key, MAIN.secret]) expect(sidecar.output()).not.toContain(canary);
  });
});
