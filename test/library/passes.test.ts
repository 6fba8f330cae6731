/** Audits, passes and quotes for other programs: what they say, what they send, and what they refuse. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { audit, exitCode, protect, quote, SettingsError, StartRefused } from "../../src/index.js";
import { caught, KEY, MAIN, openStage, PLACE, SECRET } from "./stage.js";

describe("audit", () => {
  test("reports what is missing, sends nothing but reads, and leaves nothing behind", async () => {
    const stage = await openStage();
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const report = await audit(stage.options);
    expect(report).toMatchObject({ command: "audit", complete: true, summary: { positions: 1, unprotected: 1 } });
    expect(exitCode(report, "warning")).toBe(2);
    expect(stage.posts()).toEqual([]);
    expect(existsSync(join(stage.folder, "state"))).toBe(false);
  });

  test("takes a file as well, and says where the key comes from", async () => {
    const stage = await openStage();
    const [account] = stage.config.accounts;
    const accounts = [{ ...account, key: "${MY_KEY}", secret: "file:secret" }];
    await writeFile(join(stage.folder, "mine.json"), JSON.stringify({ ...stage.config, accounts }));
    await writeFile(join(stage.folder, "secret"), SECRET, { mode: 0o600 });
    const report = await audit({ config: "mine.json", cwd: stage.folder, env: { MY_KEY: KEY } });
    expect(report.complete).toBe(true);
  });

  test("says in the report what could not be seen, instead of throwing", async () => {
    const stage = await openStage();
    await stage.simulator.close();
    const report = await audit(stage.options);
    expect(report).toMatchObject({ complete: false, accounts: [{ name: "main", complete: false }] });
    expect(exitCode(report, "never")).toBe(1);
  });

  test("prints nothing, and logs without secrets where it is given a sink", async () => {
    const out = vi.spyOn(process.stdout, "write");
    const err = vi.spyOn(process.stderr, "write");
    const lines: string[] = [];
    const stage = await openStage();
    await stage.simulator.close();
    await audit(stage.options);
    await audit({ ...stage.options, log: { level: "trace", write: (line) => lines.push(line) } });
    const printed = [...out.mock.calls, ...err.mock.calls].map(([text]) => String(text)).join("");
    expect(printed).toBe("");
    expect(lines.join("")).toContain("the account could not be read");
    expect(lines.join("")).not.toContain(SECRET);
  });
});

describe("a config that does not fit", () => {
  test("is refused with every problem, typed, and without the secret in a wrong place", async () => {
    const stage = await openStage({ protection: {}, rules: [{ match: {}, stopLoss: { distance: SECRET } }] });
    const error = await caught(audit(stage.options));
    expect(error).toBeInstanceOf(SettingsError);
    const { problems, message } = error as SettingsError;
    expect(problems.map(({ key }) => key).sort()).toEqual(["protection.stopLoss", "rules[0].stopLoss.distance"]);
    expect(message).toContain("config: protection.stopLoss: is required with mode create-only");
    expect(message).not.toContain(SECRET);
    expect(stage.simulator.requests).toEqual([]);
  });

  test.each([
    { what: "an account that is not there", options: { accounts: ["other"] }, says: 'accounts: "other" is no account' },
    {
      what: "a file that is not there",
      options: { config: "absent.yaml" },
      says: 'config: "absent.yaml" does not exist',
    },
    { what: "a function among its values", options: { config: { accounts: () => [] } }, says: "no plain data" },
    { what: "no mapping", options: { config: [] }, says: "is empty or no mapping" },
  ])("names $what by the name it has in the call", async ({ options, says }) => {
    const stage = await openStage();
    const error = await caught(audit({ ...stage.options, ...(options as object) }));
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as Error).message).toContain(says);
  });
});

describe("protect", () => {
  test("sets what is missing, proves it, and asks nobody", async () => {
    const stage = await openStage();
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const report = await protect(stage.options);
    expect(report).toMatchObject({ command: "protect", summary: { protected: 1, steps: 1, confirmed: 1 } });
    expect(stage.posts()).toEqual(["/v5/position/trading-stop"]);
  });

  test("sends nothing in a dry run, and says what it would", async () => {
    const stage = await openStage();
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const report = await protect({ ...stage.options, dryRun: true });
    expect(report.positions[0]?.steps).toMatchObject([{ action: "set-trading-stop", outcome: "planned" }]);
    expect(stage.posts()).toEqual([]);
  });

  test("refuses a key that can withdraw, before anything is sent", async () => {
    const permissions = { ...MAIN.permissions, Wallet: ["Withdraw"] };
    const stage = await openStage({}, { accounts: [{ ...MAIN, permissions }] });
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const error = await caught(protect(stage.options));
    expect(error).toBeInstanceOf(StartRefused);
    expect((error as Error).message).toContain("account main: the key has the right Withdraw");
    expect(stage.posts()).toEqual([]);
  });
});

describe("an option that is meant otherwise", () => {
  test.each([
    ["a misspelt dry run", { dryrun: true }, "dryRun?"],
    ["a list from which every account was sorted out", { accounts: [] }, "at least one"],
    ["a name in place of a list", { accounts: "main" }, "accounts"],
    ["a dry run of another kind", { dryRun: "no" }, "true, false"],
  ])("(%s) is refused before anything is asked", async (_what, more, says) => {
    const stage = await openStage();
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const error = await caught(protect({ ...stage.options, ...(more as object) }));
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as Error).message).toContain(says);
    expect(stage.simulator.requests).toEqual([]);
  });
});

describe("an account whose key is slow to be told", () => {
  test("keeps no other waiting for its stop", async () => {
    const second = { ...MAIN, name: "second", key: "LibraryKey00000002" };
    const stage = await openStage({}, { accounts: [MAIN, second] });
    stage.simulator.exchange.setFault({ kind: "hang", account: "second", path: "/v5/user/query-api", times: 1 });
    const rests = new Promise<number>((resolve) => {
      stage.simulator.exchange.onPush(({ topic, row }) => {
        if (topic === "position" && Number(row["stopLoss"]) > 0) resolve(performance.now());
      });
    });
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const [account] = stage.config.accounts;
    const accounts = [account, { ...account, name: "second", key: second.key }] as typeof stage.config.accounts;
    const startedMs = performance.now();
    const report = await protect({ ...stage.options, config: { ...stage.config, accounts } });
    const tookMs = performance.now() - startedMs;
    expect(report.accounts).toMatchObject([{ readable: true }, { readable: true }]);
    expect(report.summary.confirmed).toBe(1);
    // The other's key is told after five seconds; three are waited for.
    expect((await rests) - startedMs).toBeLessThan(tookMs - 1_000);
  });
});

describe("quote", () => {
  test("answers with the fields for an order, measured from its price", async () => {
    const stage = await openStage();
    const answer = await quote({ ...stage.options, order: { ...PLACE, side: "long", price: "60000" } });
    expect(answer).toEqual({
      kind: "quoted",
      fields: {
        stopLoss: "58800",
        takeProfit: "62400",
        tpslMode: "Full",
        slTriggerBy: "MarkPrice",
        tpTriggerBy: "LastPrice",
      },
    });
    expect(stage.posts()).toEqual([]);
  });

  test.each([
    { what: "no such account", order: { account: "other" }, code: "not-found", says: "there are: main" },
    { what: "no price", order: { price: "-1" }, code: "unprocessable", says: "price: must be a positive decimal" },
    { what: "the other side's leg", order: { positionIdx: 2 as const }, code: "unprocessable", says: "short leg" },
  ])("says why there are none: $what", async ({ order, code, says }) => {
    const stage = await openStage();
    const answer = await quote({ ...stage.options, order: { ...PLACE, side: "long", ...order } });
    expect(answer).toMatchObject({ kind: "none", code, message: expect.stringContaining(says) as string });
  });
});
