/** An intent that the command sets while a position is open and no sidecar runs: for that position, and never the next. */
import { describe, expect, it, type TestContext } from "vitest";
import { openStage, type Stage } from "./stage.js";

function stopOf({ exchange }: Stage, symbol: string): number | null {
  const found = exchange.snapshot().accounts[0]?.positions.find((position) => position.symbol === symbol);
  const price = Number(found?.stopLoss ?? 0);
  return price === 0 ? null : price;
}

async function ended(stage: Stage): Promise<unknown> {
  const { stdout } = await stage.backstop(["history", "--kind", "intent-ended", "--format", "json"]);
  return JSON.parse(stdout);
}

function openAnew({ exchange }: Stage, symbol: string, side: "long" | "short", size: string): void {
  exchange.close({ symbol });
  exchange.open({ symbol, side, size });
}

async function opened(context: TestContext, statesOpenTime = true): Promise<Stage> {
  const stage = await openStage(context);
  stage.exchange.setAccount({ statesOpenTime });
  stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
  stage.exchange.setPrice({ symbol: "ETHUSDT", price: "3400" });
  stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  stage.exchange.open({ symbol: "ETHUSDT", side: "short", size: "1" });
  return stage;
}

const LEVEL = ["intent", "set", "--symbol", "BTCUSDT", "--side", "long", "--stop-loss", "60000"];
const WAIVER = ["intent", "set", "--symbol", "ETHUSDT", "--side", "short", "--stop-loss", "none"];
const WHY = ["--reason", "maintenance", "--until", "2099-01-01T00:00:00Z"];

describe.concurrent("an intent for a position that is open", () => {
  it("ends where that one has closed before anything took it up: the next is protected by config", async (context) => {
    const stage = await opened(context);
    for (const command of [LEVEL, [...WAIVER, ...WHY]]) {
      expect(await stage.backstop(command)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^pending: /) });
    }
    openAnew(stage, "BTCUSDT", "long", "0.2");
    openAnew(stage, "ETHUSDT", "short", "2");
    expect(await stage.backstop(["protect"])).toMatchObject({ code: 0 });
    expect([stopOf(stage, "BTCUSDT"), stopOf(stage, "ETHUSDT")]).toEqual([62_720, 3_468]);
    const how = "the position that it was set for has closed since";
    expect(await ended(stage)).toMatchObject({ entries: [{ body: { how } }, { body: { how } }] });
    expect(JSON.parse((await stage.backstop(["intent", "list"])).stdout)).toEqual({ intents: [] });
  });

  it("is proven by the fills where the exchange states no openings, and ends where they tell of another", async (context) => {
    const stage = await opened(context, false);
    expect(await stage.backstop(LEVEL)).toMatchObject({ code: 0 });
    expect(await stage.backstop([...WAIVER, ...WHY])).toMatchObject({ code: 0 });
    openAnew(stage, "ETHUSDT", "short", "1");
    expect(await stage.backstop(["protect"])).toMatchObject({ code: 0 });
    expect([stopOf(stage, "BTCUSDT"), stopOf(stage, "ETHUSDT")]).toEqual([60_000, 3_468]);
    expect(await ended(stage)).toMatchObject({ entries: [{ symbol: "ETHUSDT" }] });
  });
});
