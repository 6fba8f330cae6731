/** The freqtrade recipe: the file that its mixin writes, for trades as freqtrade has them. */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { intentDocument } from "../../src/intents/document.js";
import { loadSettings } from "../../src/settings/index.js";
import { listenTo, startRun } from "../e2e/sidecar.js";
import { openStage } from "../e2e/stage.js";
import { lastLine, layOut, missing, type Recipe } from "./stage.js";

const noPython = missing(
  "python3",
  ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"],
  "no python3 from 3.9 on",
);
if (noPython !== null) process.stderr.write(`the freqtrade recipe: ${noPython}\n`);

const FILE = "user_data/backstop/intents.json";

/** What the mixin uses of freqtrade, and one loop of it per line on stdin-less argv: a list of lists of trades. */
const FREQTRADE = `
import json, sys
from datetime import datetime, timezone
from types import SimpleNamespace
from backstop_intents import BackstopIntents

def trade(id, pair, stop_loss, is_short=False, opened=1767225600):
    return SimpleNamespace(id=id, pair=pair, stop_loss=stop_loss, is_short=is_short,
                           open_date_utc=datetime.fromtimestamp(opened, timezone.utc))

class Strategy:
    loops = 0
    def bot_loop_start(self, current_time, **kwargs):
        Strategy.loops += 1

class Mine(BackstopIntents, Strategy):
    dp = SimpleNamespace(runmode=SimpleNamespace(value=sys.argv[1]))
    def backstop_trades(self):
        if self.now is None:
            raise RuntimeError("the database is locked")
        return [trade(**one) for one in self.now]
    def backstop_take_profit(self, trade):
        return 70000.0 if trade.pair == "BTC/USDT:USDT" else None

mine = Mine()
for mine.now in json.loads(sys.argv[2]):
    mine.bot_loop_start(datetime.now(timezone.utc))
print(json.dumps({"loops": Strategy.loops}))
`;

interface Trade {
  readonly id: number;
  readonly pair: string;
  readonly stop_loss: number | null;
  readonly is_short?: boolean;
  readonly opened?: number;
}

type Entry = Readonly<Record<string, unknown>>;

async function loop(recipe: Recipe, loops: readonly (readonly Trade[] | null)[], mode = "live"): Promise<void> {
  await writeFile(join(recipe.folder, "try_it.py"), FREQTRADE);
  const ended = await recipe.run("python3", ["try_it.py", mode, JSON.stringify(loops)]);
  expect(lastLine(ended)).toEqual({ loops: loops.length });
}

async function entries({ folder }: Recipe): Promise<readonly Entry[]> {
  const written = JSON.parse(await readFile(join(folder, FILE), "utf8")) as { readonly intents: readonly Entry[] };
  return written.intents;
}

const BTC: Trade = { id: 7, pair: "BTC/USDT:USDT", stop_loss: 62100.5 };
const PEPE: Trade = { id: 8, pair: "1000PEPE/USDT:USDT", stop_loss: 1.5e-5, is_short: true };

describe.skipIf(noPython !== null)("the freqtrade mixin", () => {
  test("writes the stop of each open trade as an intent of its contract", async () => {
    const recipe = await layOut("freqtrade");
    await loop(recipe, [[BTC, PEPE, { id: 9, pair: "ETH/USDC:USDC", stop_loss: 3000 }]]);
    const common = { account: "main", category: "linear", positionIdx: 0, ttlSeconds: 600 };
    const id = (trade: number) => `freqtrade-${trade}-1767225600`;
    expect(await entries(recipe)).toEqual([
      { ...common, id: id(7), symbol: "BTCUSDT", side: "long", stopLoss: "62100.5", takeProfit: "70000.0" },
      { ...common, id: id(8), symbol: "1000PEPEUSDT", side: "short", stopLoss: "0.000015" },
      { ...common, id: id(9), symbol: "ETHPERP", side: "long", stopLoss: "3000.0" },
    ]);
  });

  test("writes what the sidecar takes as intents", async () => {
    const recipe = await layOut("freqtrade");
    await loop(recipe, [[BTC, PEPE]]);
    for (const { id: _, account, category, symbol, positionIdx, ...intent } of await entries(recipe)) {
      expect(intentDocument.safeParse(intent)).toMatchObject({ success: true });
      expect([account, category, positionIdx, typeof symbol]).toEqual(["main", "linear", 0, "string"]);
    }
  });

  test("follows a stop that trails, and takes a trade that has ended out of the file", async () => {
    const recipe = await layOut("freqtrade");
    await loop(recipe, [[BTC, PEPE], [{ ...BTC, stop_loss: 63000 }]]);
    expect(await entries(recipe)).toMatchObject([{ symbol: "BTCUSDT", stopLoss: "63000.0" }]);
    await loop(recipe, [[]]);
    expect(await entries(recipe)).toEqual([]);
  });

  test("has its stops put to the exchange by the sidecar beside it, trailed ones too", async (context) => {
    const recipe = await layOut("freqtrade");
    const stage = await openStage(context, { config: { intents: { file: join(recipe.folder, FILE) } } });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    for (const stop of [63_000, 63_500]) {
      const resting = listenTo(stage).stopRests("BTCUSDT");
      await loop(recipe, [[{ ...BTC, stop_loss: stop }]]);
      expect(Number(await resting)).toBe(stop);
    }
    expect(await sidecar.end()).toBe(0);
  });

  test("gives the next trade in the same pair another id", async () => {
    const recipe = await layOut("freqtrade");
    await loop(recipe, [[BTC]]);
    const before = (await entries(recipe))[0]?.["id"];
    await loop(recipe, [[{ ...BTC, opened: 1767229200 }]]);
    expect((await entries(recipe))[0]?.["id"]).not.toBe(before);
  });

  test("leaves out spot, inverse and dated contracts, and trades without a stop yet", async () => {
    const recipe = await layOut("freqtrade");
    const pairs = ["BTC/USDT", "BTC/USD:BTC", "BTC/USDT:USDT-261225"];
    const others = pairs.map((pair, index) => ({ id: index, pair, stop_loss: 100 }));
    await loop(recipe, [[...others, { id: 5, pair: "SOL/USDT:USDT", stop_loss: 0 }, { ...PEPE, stop_loss: null }]]);
    expect(await entries(recipe)).toEqual([]);
  });

  test("keeps the file as it was when the trades cannot be had, leaves no draft, and trading goes on", async () => {
    const recipe = await layOut("freqtrade");
    await loop(recipe, [[BTC], null]);
    expect(await entries(recipe)).toMatchObject([{ symbol: "BTCUSDT" }]);
    expect(await readdir(join(recipe.folder, "user_data/backstop"))).toEqual(["intents.json"]);
  });

  test("brings a config that the sidecar accepts, and a strategy that is Python", async () => {
    const recipe = await layOut("freqtrade");
    const env = { BYBIT_API_KEY: "k".repeat(18), BYBIT_API_SECRET: "s".repeat(36) };
    const { intents } = await loadSettings({ file: "backstop.yaml", env, cwd: recipe.folder });
    expect(intents).toEqual({ file: join(recipe.folder, FILE) });
    expect(await recipe.run("python3", ["-m", "py_compile", "strategy.py"])).toMatchObject({ code: 0, stderr: "" });
  });

  test.each(["dry_run", "backtest"])("writes nothing in a %s", async (mode) => {
    const recipe = await layOut("freqtrade");
    await loop(recipe, [[BTC]], mode);
    expect(existsSync(join(recipe.folder, FILE))).toBe(false);
  });
});
