/** The Python recipes, run as their README says, against the simulated exchange and the built sidecar. */
import { join } from "node:path";
import { describe, expect, test, type TestContext } from "vitest";
import { startRun } from "../e2e/sidecar.js";
import { freePort, lastLine, layOut, missing, type Recipe, replaceIn } from "./stage.js";

const noPython = missing(
  "python3",
  ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"],
  "no python3 from 3.9 on",
);
const noPybit = noPython ?? missing("python3", ["-c", "import pybit"], "pybit is not installed");
if (noPybit !== null) process.stderr.write(`recipes in Python: ${noPybit}\n`);

/** The bots sign for themselves where pybit cannot be loaded. */
const WITHOUT_PYBIT =
  "import sys; sys.modules['pybit'] = None; import runpy; runpy.run_path(sys.argv[1], run_name='__main__')";

const CONNECTIONS = [
  { by: "the standard library", skip: noPython, bot: (file: string) => ["-c", WITHOUT_PYBIT, file] },
  { by: "pybit", skip: noPybit, bot: (file: string) => [file] },
];

async function guarded(context: TestContext): Promise<Recipe & { readonly url: string }> {
  const recipe = await layOut("python-pybit");
  const port = await freePort();
  const config = join(recipe.folder, "backstop.yaml");
  await replaceIn(config, "port: 8787", `port: ${port}`);
  const sidecar = startRun(context, { config, folder: recipe.folder }, [], recipe.env);
  await sidecar.url();
  return { ...recipe, url: `http://127.0.0.1:${port}` };
}

function positionOf({ simulator }: Recipe, symbol: string) {
  return simulator.exchange.snapshot().accounts[0]?.positions.find((one) => one.symbol === symbol);
}

describe.each(CONNECTIONS)("a bot that orders by $by", ({ skip, bot }) => {
  test.skipIf(skip !== null)("tells its levels, and they rest at the exchange when it is gone", async (context) => {
    const recipe = await guarded(context);
    const said = lastLine(await recipe.run("python3", bot("bot_intents.py"), { BACKSTOP_URL: recipe.url }));
    expect(said).toMatchObject({ told: "pending", state: "bound" });
    const position = positionOf(recipe, "BTCUSDT");
    expect([position?.stopLoss, position?.takeProfit].map(Number)).toEqual(
      [said["stopLoss"], said["takeProfit"]].map(Number),
    );
    // Rounded toward the mark, by less than a tick.
    expect(Math.abs(Number(said["stopLoss"]) - Number(said["wanted"]))).toBeLessThan(0.1);
  });

  test.skipIf(skip !== null)("sends the exits of a quote along, so that nobody has to add any", async (context) => {
    const recipe = await guarded(context);
    const said = lastLine(await recipe.run("python3", bot("bot_quotes.py"), { BACKSTOP_URL: recipe.url }));
    const position = positionOf(recipe, "ETHUSDT");
    expect(said).toMatchObject({ side: "Sell", size: "1" });
    expect(Number(position?.stopLoss)).toBeGreaterThan(0);
    expect([position?.stopLoss, position?.takeProfit].map(Number)).toEqual(
      [said["stopLoss"], said["takeProfit"]].map(Number),
    );
    const order = recipe.simulator.requests.find(({ path }) => path === "/v5/order/create");
    expect(order?.body).toMatchObject({ tpslMode: "Full", slTriggerBy: "MarkPrice" });
  });

  test.skipIf(skip !== null)("orders bare where nobody quotes, and says so", async () => {
    const recipe = await layOut("python-pybit");
    await recipe.run("python3", ["-c", "import os; os.mkdir('state'); open('state/token', 'w').write('t')"]);
    const url = `http://127.0.0.1:${await freePort()}`;
    const ended = await recipe.run("python3", bot("bot_quotes.py"), { BACKSTOP_URL: url });
    expect(ended.stdout).toContain("withoutExits");
    expect(Number(positionOf(recipe, "ETHUSDT")?.stopLoss)).toBe(0);
  });
});
