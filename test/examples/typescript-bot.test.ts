/** The TypeScript recipe, compiled and run as its reader would, with the packages that `npm install` would bring. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { installInto, lastLine, layOut, REPOSITORY } from "./stage.js";

test("the bot opens with its exits on, proves a tighter stop, and ends by itself", async () => {
  const recipe = await layOut("typescript-bot");
  await installInto(recipe.folder);
  const compiled = await recipe.run(join(REPOSITORY, "node_modules/.bin/tsc"), []);
  expect(compiled).toEqual({ code: 0, stdout: "", stderr: "" });

  const ended = await recipe.run(process.execPath, ["dist/bot.js"]);
  const said = lastLine(ended);
  expect(said).toMatchObject({ intent: "applied", status: "protected" });
  expect(ended.code).toBe(0);
  expect(Number(said["stopLoss"])).toBeGreaterThan(Number(said["quoted"]));

  const position = recipe.simulator.exchange
    .snapshot()
    .accounts[0]?.positions.find(({ symbol }) => symbol === "BTCUSDT");
  expect([position?.stopLoss, position?.takeProfit].map(Number)).toEqual(
    [said["stopLoss"], said["takeProfit"]].map(Number),
  );
  expect(ended.stdout + ended.stderr).not.toContain(recipe.env["BYBIT_API_SECRET"]);
  const [first] = recipe.simulator.requests.filter(({ method }) => method === "POST");
  expect(first).toMatchObject({ path: "/v5/order/create", body: { stopLoss: said["quoted"], tpslMode: "Full" } });
});
