/** The exchange's list of open positions is empty while one is open: nothing is called complete then, and nobody stays naked. */
import { describe, expect, test } from "vitest";
import { reportIn } from "./cli.js";
import { MAIN, openStage, positionIn } from "./stage.js";

describe.concurrent.each([
  { category: "linear", symbol: "BTCUSDT", size: "0.1" },
  { category: "inverse", symbol: "BTCUSD", size: "1000" },
])("the list of $category positions that is wrongly empty", ({ category, symbol, size }) => {
  test("hides neither a stop that rests, nor a position of the ledger whose stop another hand has taken", async (context) => {
    let isLying = false;
    const rewrite = ({ path, query }: { readonly path: string; readonly query: string }, body: string) => {
      const isList =
        path === "/v5/position/list" && query.includes(`category=${category}`) && !query.includes("symbol=");
      if (!isLying || !isList) return { body };
      const answer: { result: object } = JSON.parse(body);
      return { body: JSON.stringify({ ...answer, result: { ...answer.result, list: [], nextPageCursor: "" } }) };
    };
    const stage = await openStage(context, { rewrite });
    stage.exchange.open({ symbol, side: "long", size });
    expect((await stage.backstop(["protect"])).code).toBe(0);
    isLying = true;
    for (const command of ["audit", "protect"]) {
      const finished = await stage.backstop([command]);
      expect(finished.code).toBe(3);
      expect(positionIn(reportIn(finished), symbol)).toMatchObject({
        status: "protected",
        stopLoss: { origin: "ours" },
      });
      expect(reportIn(finished).accounts[0]?.gaps).toMatchObject([{ category, what: "positions" }]);
    }
    const none = { stopLoss: "0", takeProfit: "0", tpslMode: "Full", positionIdx: 0 };
    stage.exchange.tradingStop({ category, symbol, ...none });
    const audited = await stage.backstop(["audit"]);
    expect(audited.code).toBe(2);
    expect(positionIn(reportIn(audited), symbol).status).toBe("unprotected");
    const mended = await stage.backstop(["protect"]);
    expect(mended.code).toBe(3);
    expect(positionIn(reportIn(mended), symbol)).toMatchObject({
      status: "protected",
      steps: [{ outcome: "confirmed" }],
    });
  }, 60_000);
});

test("an account without a position costs an audit one reading of the orders of each list", async (context) => {
  const stage = await openStage(context, { accounts: [MAIN] });
  expect((await stage.backstop(["audit"])).code).toBe(0);
  const asked = (path: string) =>
    stage.exchange.requests.filter((request) => request.path === path && request.query["category"] !== "option").length;
  expect({ positions: asked("/v5/position/list"), orders: asked("/v5/order/realtime") }).toEqual({
    positions: 6,
    orders: 3,
  });
});
