/** Live, interrupted, live again: what a listener hears of a connection's life on the simulated exchange. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/exchange/simulator/index.js";
import { QUICK, type Watched, watch } from "./stage.js";

let simulator: Simulator;
let watched: Watched;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 5 });
});
afterEach(async () => {
  await watched.stream.close();
  await simulator.close();
});

function start(
  ...more: Parameters<typeof watch> extends [string, infer _Account, ...infer Rest] ? Rest : never
): Watched {
  const [account] = simulator.accounts;
  if (account === undefined) throw new Error("no account");
  watched = watch(simulator.wsUrl, account, ...more);
  return watched;
}

const wordsTold = (): string[] => watched.told.all.map(({ what }) => what).filter((what) => what !== "pushed");

describe("a healthy stream", () => {
  it("is live once it is subscribed, and tells the order, the fill and the position of an opening", async () => {
    start();
    expect(watched.stream.isLive()).toBe(false);
    await watched.live();
    expect(watched.stream.isLive()).toBe(true);
    const beforeMs = Date.now();
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    expect(await watched.push("order-gone")).toMatchObject({ contract: { symbol: "ETHUSDT" }, how: "filled" });
    const { execution } = await watched.push("execution");
    expect(execution).toMatchObject({ direction: "buy", fromStopLoss: false, closes: false });
    expect(execution.atMs).toBeGreaterThanOrEqual(beforeMs);
    const { position, atMs } = await watched.push("position-open");
    expect(position).toMatchObject({ side: "long", fullStopLoss: null });
    expect(position.openedAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(position.key).toEqual({ account: "main", category: "linear", symbol: "ETHUSDT", positionIdx: 0 });
    expect(position.markPrice?.gt(0)).toBe(true);
    expect(atMs).toBeGreaterThanOrEqual(beforeMs);
  });

  it("tells a stop that is set, triggers and closes the position", async () => {
    start();
    await watched.live();
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    simulator.exchange.tradingStop({ symbol: "ETHUSDT", stopLoss: "3000", slTriggerBy: "MarkPrice" });
    expect((await watched.push("order-open")).order).toMatchObject({ kind: "full-stop-loss", state: "waiting" });
    expect((await watched.push("position-open")).position.fullStopLoss?.toFixed()).toBe("3000");
    simulator.exchange.setPrice({ symbol: "ETHUSDT", price: "2900" });
    expect(await watched.push("order-gone")).toMatchObject({ how: "triggered" });
    expect((await watched.push("execution")).execution).toMatchObject({
      direction: "sell",
      fromStopLoss: true,
      closes: true,
    });
    expect((await watched.push("position-flat")).key.symbol).toBe("ETHUSDT");
  });

  it("tells inverse and hedge legs by their own names", async () => {
    start();
    await watched.live();
    simulator.exchange.open({ symbol: "BTCUSD", side: "short", size: "100" });
    expect((await watched.push("position-open")).position.key).toMatchObject({ category: "inverse", symbol: "BTCUSD" });
    simulator.exchange.open({ symbol: "ETHUSDT", side: "short", size: "1", hedge: true });
    expect((await watched.push("position-open")).position.key.positionIdx).toBe(2);
  });

  it("keeps silent about categories that the account does not watch", async () => {
    start({ categories: ["linear"] });
    await watched.live();
    simulator.exchange.open({ symbol: "BTCUSD", side: "short", size: "100" });
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    await watched.push("position-open");
    expect(JSON.stringify(watched.told.all)).not.toContain("BTCUSD");
  });

  it("tells a doubled fill once, whatever else comes twice or swapped", async () => {
    start();
    await watched.live();
    simulator.exchange.setFault({ kind: "streamDuplicate", times: 6 });
    simulator.exchange.setFault({ kind: "streamReorder", times: 1 });
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    await watched.push("position-open");
    simulator.exchange.open({ symbol: "SOLUSDT", side: "long", size: "1" });
    await watched.told.next(
      (one) => JSON.stringify(one).includes('"position-open"') && JSON.stringify(one).includes("SOLUSDT"),
    );
    const pushes = watched.told.all.flatMap((one) => (one.what === "pushed" ? one.pushes : []));
    expect(pushes.filter(({ kind }) => kind === "execution")).toHaveLength(2);
    expect(pushes.filter(({ kind }) => kind === "position-open").length).toBeGreaterThan(2);
  });

  it("goes on after pushes were lost", async () => {
    start();
    await watched.live();
    simulator.exchange.setFault({ kind: "streamLose", times: 3 });
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    simulator.exchange.open({ symbol: "SOLUSDT", side: "long", size: "1" });
    expect((await watched.push("position-open")).position.key.symbol).toBe("SOLUSDT");
    expect(wordsTold()).toEqual(["live"]);
  });
});

describe("an interrupted stream", () => {
  it("is down once and live once for each drop, and hears again afterwards", async () => {
    start();
    await watched.live();
    for (let drop = 0; drop < 3; drop += 1) {
      simulator.exchange.dropStreams("main");
      expect(await watched.down()).toMatch(/connection was closed \(1006\)/);
      expect(watched.stream.isLive()).toBe(false);
      await watched.live();
    }
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    await watched.push("position-open");
    expect(wordsTold()).toEqual(["live", "down", "live", "down", "live", "down", "live"]);
  });

  it("logs in again after a drop between login and answer, where the SDK never would", async () => {
    simulator.exchange.setFault({ kind: "streamDropBeforeAuthReply", times: 3 });
    start();
    await watched.down();
    await watched.live();
    expect(wordsTold()).toEqual(["down", "live"]);
    simulator.exchange.setFault({ kind: "streamDropBeforeAuthReply" });
    simulator.exchange.dropStreams("main");
    await watched.down();
    await watched.live();
    expect(wordsTold()).toEqual(["down", "live", "down", "live"]);
  });

  it("tries again after a refused login, and says in whose words it was refused", async () => {
    simulator.exchange.setFault({ kind: "streamRefuseAuth", times: 2 });
    start();
    expect(await watched.down()).toBe("the login was refused: Params Error");
    await watched.live();
    expect(wordsTold()).toEqual(["down", "live"]);
  });

  it("subscribes again after a drop right behind the subscription", async () => {
    simulator.exchange.setFault({ kind: "streamDropAfterSubscribe" });
    start();
    await watched.live();
    await watched.down();
    await watched.live();
    expect(wordsTold()).toEqual(["live", "down", "live"]);
  });

  it("leaves a socket that answers no ping", async () => {
    start({ timing: { ...QUICK, pingEveryMs: 30, pongWithinMs: 100 } });
    await watched.live();
    simulator.exchange.setFault({ kind: "streamSilent" });
    await watched.down();
    await watched.live();
    expect(wordsTold()).toEqual(["live", "down", "live"]);
  });

  it("leaves a socket that is silent from the start", async () => {
    simulator.exchange.setFault({ kind: "streamSilent" });
    start({ timing: { ...QUICK, settleWithinMs: 150 } });
    expect(await watched.down()).toBe("no answer to the login within 0.15 s");
    await watched.live();
  });
});

describe("a listener's mistake", () => {
  it("is logged and stops nothing", async () => {
    let failures = 0;
    const fail = (): void => {
      failures += 1;
      throw new Error("a bug in the listener");
    };
    start({}, { live: fail, pushed: fail, down: fail });
    await watched.live();
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    await watched.push("position-open");
    simulator.exchange.dropStreams("main");
    await watched.down();
    await watched.live();
    simulator.exchange.close({ symbol: "ETHUSDT" });
    await watched.push("position-flat");
    const complaints = watched.logged.all.filter(({ message }) => message.includes("listener"));
    expect(complaints).toHaveLength(failures);
    expect(complaints[0]).toMatchObject({ level: "warn", words: "a bug in the listener" });
  });
});
