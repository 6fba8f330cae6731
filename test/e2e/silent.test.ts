/** One contract whose orders are never told, in an account that is well otherwise. */
import { describe, expect, test } from "vitest";
import { reportIn } from "./cli.js";
import type { Rewrite } from "./mirror.js";
import { bodyOf, openStage, positionIn } from "./stage.js";

const NAKED = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT"];

const usdcOrdersHang: Rewrite = ({ path, query }, body) =>
  path === "/v5/order/realtime" && /settleCoin=USDC|symbol=\w+PERP/.test(query) ? null : { body };

describe.concurrent("a contract whose orders are never told", () => {
  test("keeps protect from nothing else: the others have their stops within seconds", async (context) => {
    const stage = await openStage(context, { rewrite: usdcOrdersHang });
    for (const symbol of NAKED) stage.exchange.open({ symbol, side: "long", size: "10" });
    stage.exchange.open({ symbol: "BTCPERP", side: "long", size: "1" });
    const finished = await stage.backstop(["protect"]);
    const report = reportIn(finished);
    expect(finished.code).toBe(2);
    expect(NAKED.map((symbol) => positionIn(report, symbol).status)).toEqual(NAKED.map(() => "protected"));
    expect(positionIn(report, "BTCPERP")).toMatchObject({ status: "unknown", steps: [] });
    const writes = stage.posts();
    expect(writes.map((post) => String(bodyOf(post)["symbol"])).toSorted()).toEqual([...NAKED].toSorted());
    const firstAtMs = stage.exchange.requests[0]?.atMs ?? Number.NaN;
    // Within two seconds; a machine that is busy with other tests takes a few more.
    expect((writes[0]?.atMs ?? Number.NaN) - firstAtMs).toBeLessThan(15_000);
  }, 40_000);
});
