/** Exit codes as cron lines and CI jobs rely on them: 0 all well, 2 findings, 3 not everything seen, 1 nothing judged. */
import { describe, expect, test } from "vitest";
import { reportIn } from "./cli.js";
import { codesOf, MAIN, openBook, openGuardedBook, openStage, positionIn, SECOND } from "./stage.js";
import type { Rewrite } from "./mirror.js";

const BOTH = { accounts: [MAIN, SECOND] };
/** Longer than any number of tries. */
const FOREVER = 10_000;

const inverseIsDown: Rewrite = ({ path, query }, body) =>
  path === "/v5/position/list" && query.includes("category=inverse")
    ? { status: 502, body: "<html><h1>502 Bad Gateway</h1></html>" }
    : { body };

describe.concurrent("audit of one account", () => {
  test("is 0 when everything was seen and is well", async (context) => {
    const stage = await openStage(context);
    openGuardedBook(stage);
    const finished = await stage.backstop(["audit"]);
    expect(finished.code).toBe(0);
    expect(reportIn(finished)).toMatchObject({ complete: true, summary: { positions: 1, protected: 1 } });
  });

  test("is 0 without any position", async (context) => {
    const stage = await openStage(context);
    expect((await stage.backstop(["audit"])).code).toBe(0);
  });

  test.for([
    ["critical", 2],
    ["warning", 2],
    ["never", 0],
  ] as const)("with a naked position and --fail-on %s is %i", async ([failOn, code], context) => {
    const stage = await openStage(context);
    openBook(stage);
    expect((await stage.backstop(["audit", "--fail-on", failOn])).code).toBe(code);
  });

  test.for([
    ["critical", 0],
    ["warning", 2],
    ["never", 0],
  ] as const)("with only a take-profit missing and --fail-on %s is %i", async ([failOn, code], context) => {
    const stage = await openStage(context);
    stage.exchange.open({ symbol: "LTCUSDT", side: "long", size: "10", stopLoss: "72.5" });
    expect((await stage.backstop(["audit", "--fail-on", failOn])).code).toBe(code);
  });
});

describe.concurrent("a key that the exchange refuses", () => {
  test.for([
    ["its findings win over what was not seen", openBook, "warning", 2],
    ["it is judged, and the finding that is left makes it 2", openGuardedBook, "warning", 2],
    ["nor does --fail-on never hide the account that was not seen", openBook, "never", 3],
  ] as const)("leaves the other account alone: %s", async ([, book, failOn, code], context) => {
    const stage = await openStage(context, BOTH);
    book(stage, "second");
    stage.exchange.setAccount({ account: "main", ips: ["192.0.2.1"] });
    const finished = await stage.backstop(["audit", "--fail-on", failOn]);
    const report = reportIn(finished);
    expect(finished.code).toBe(code);
    const [main, second] = report.accounts;
    expect(main).toMatchObject({ name: "main", readable: false, complete: false });
    expect(codesOf(main ?? { findings: [] })).toContain("key-refused");
    expect(second).toMatchObject({ name: "second", readable: true, complete: true });
    expect(report.positions.map(({ account }) => account)).not.toContain("main");
    expect(report.positions.length).toBeGreaterThan(0);
  });

  test("of the only account makes it 1, and protect sends nothing", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.setAccount({ ips: ["192.0.2.1"] });
    const [audited, done] = await Promise.all([stage.backstop(["audit"]), stage.backstop(["protect"])]);
    expect([audited.code, done.code]).toEqual([1, 1]);
    expect(stage.posts()).toEqual([]);
  });

  test("of another account is no concern when only one is asked for", async (context) => {
    const stage = await openStage(context, BOTH);
    stage.exchange.setAccount({ account: "main", ips: ["192.0.2.1"] });
    const finished = await stage.backstop(["audit", "--account", "second"]);
    expect(finished.code).toBe(0);
    expect(reportIn(finished).accounts.map(({ name }) => name)).toEqual(["second"]);
  });

  test("does not keep protect from the other account", async (context) => {
    const stage = await openStage(context, BOTH);
    openBook(stage, "second");
    stage.exchange.setAccount({ account: "main", ips: ["192.0.2.1"] });
    const finished = await stage.backstop(["protect"]);
    expect(finished.code).toBe(2);
    expect(reportIn(finished).summary).toMatchObject({ protected: 3, confirmed: 2 });
  });
});

describe.concurrent("an exchange that cannot be reached", () => {
  test("makes it 1, and the report calls nothing flat", async (context) => {
    const stage = await openStage(context);
    await stage.simulator.close();
    const finished = await stage.backstop(["audit", "--format", "table", "--fail-on", "never"]);
    expect(finished.code).toBe(1);
    expect(finished.stdout).toContain("INCOMPLETE");
    expect(finished.stdout).toContain("no open position was seen, but not everything was");
  }, 30_000);
});

describe.concurrent("a part of the account that cannot be seen", () => {
  test.for(["warning", "never"])("is a gap and makes it 3, also with --fail-on %s", async (failOn, context) => {
    const stage = await openStage(context, { rewrite: inverseIsDown });
    openGuardedBook(stage);
    const finished = await stage.backstop(["audit", "--fail-on", failOn]);
    const report = reportIn(finished);
    expect(finished.code).toBe(3);
    expect(report).toMatchObject({ complete: false, summary: { positions: 1, protected: 1 } });
    expect(report.accounts[0]?.gaps).toMatchObject([{ category: "inverse", what: "positions" }]);
    expect(report.accounts[0]?.gaps[0]?.reason).toContain("HTTP 502");
  });

  test("does not keep protect from what was seen: findings that are left win, else it is 3", async (context) => {
    const stage = await openStage(context, { rewrite: inverseIsDown });
    openBook(stage);
    stage.exchange.open({ symbol: "BTCUSD", side: "long", size: "1000" });
    const finished = await stage.backstop(["protect"]);
    expect(finished.code).toBe(3);
    expect(reportIn(finished).summary).toMatchObject({ positions: 3, protected: 3, confirmed: 2 });
    expect(stage.posts().map(({ body }) => (body as { symbol: string }).symbol)).not.toContain("BTCUSD");
  });

  test("such as all open orders leaves positions with and without a visible stop unknown, and unwritten", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.setFault({ kind: "html", path: "/v5/order/realtime", times: FOREVER });
    const finished = await stage.backstop(["protect"]);
    const report = reportIn(finished);
    expect(finished.code).toBe(2);
    expect(positionIn(report, "BTCUSDT")).toMatchObject({ status: "unknown", steps: [] });
    expect(codesOf(positionIn(report, "BTCUSDT"))).toContain("unreadable");
    expect(stage.posts()).toEqual([]);
  });
});
