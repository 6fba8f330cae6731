/** The ledger under the sidecar: one writer, nothing unwritten that can wait, and a history that answers. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Libsql from "libsql";
import { describe, expect, it } from "vitest";
import { listenTo, startRun } from "./sidecar.js";
import { bodyOf, openBook, openStage } from "./stage.js";

describe.concurrent("a second sidecar on the same account", () => {
  it("stands by and says so, and writes within five seconds of the first one's death", async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    const first = startRun(context, stage);
    await first.watching();
    const second = startRun(context, stage);
    await second.says(/another process writes for this account; this one stands by/);
    await second.watching();
    const opening = events.stopRests("BTCUSDT");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await opening;
    await second.logged.next(({ msg, symbol }) => /has opened/.test(msg) && symbol === "BTCUSDT");
    expect(second.logged.all.filter(({ msg }) => msg === "sent")).toEqual([]);
    const diedMs = performance.now();
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    const resting = events.stopRests("ETHUSDT");
    stage.exchange.open({ symbol: "ETHUSDT", side: "short", size: "1" });
    await resting;
    expect(performance.now() - diedMs).toBeLessThan(5_000);
    expect(await second.end()).toBe(0);
  });

  it("keeps protect from writing: it reports, and says who writes", async (context) => {
    const stage = await openStage(context, { config: { sweep: { cron: "0 0 * * * *" } } });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    sidecar.process.kill("SIGSTOP");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const { code, stdout } = await stage.backstop(["protect"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      positions: [
        { status: "unprotected", steps: [{ outcome: "skipped", detail: expect.stringContaining("stands by") }] },
      ],
    });
    sidecar.process.kill("SIGCONT");
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("a ledger that cannot be opened", () => {
  it("keeps no missing stop from being set; what can wait waits, and it is said loudly", async (context) => {
    const stage = await openStage(context, {
      config: { protection: { mode: "tighten-only", stopLoss: { distance: "2%" } } },
    });
    await mkdir(join(stage.folder, "state", "backstop.db"), { recursive: true });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", entryPrice: "64000" });
    stage.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1", entryPrice: "3400", stopLoss: "3000" });
    const sidecar = startRun(context, stage);
    await sidecar.logged.next(({ code }) => code === "ledger-unwritable");
    await sidecar.watching();
    expect(
      stage
        .posts()
        .map(bodyOf)
        .map(({ symbol }) => symbol),
    ).toEqual(["BTCUSDT"]);
    expect(await sidecar.end()).toBe(0);
    const { stdout, code } = await stage.backstop(["protect"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ accounts: [{ findings: [{ code: "ledger-unwritable" }] }] });
  });

  it("because a newer version wrote it is left as it is, missing stops are set, and the message says what to do", async (context) => {
    const stage = await openStage(context);
    expect((await stage.backstop(["protect"])).code).toBe(0);
    const file = join(stage.folder, "state", "backstop.db");
    const ledger = new Libsql(file);
    ledger.exec("update schema_version set version = 99; pragma wal_checkpoint(truncate)");
    ledger.close();
    const before = await readFile(file);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", entryPrice: "64000" });
    const sidecar = startRun(context, stage);
    const { msg } = await sidecar.says(/newer bybit-backstop/);
    expect(msg).toMatch(/version 99.*run that version, or name another ledger\.url/);
    await sidecar.watching();
    expect(await sidecar.end()).toBe(0);
    expect(stage.posts().map(bodyOf)).toMatchObject([{ symbol: "BTCUSDT" }]);
    expect((await readFile(file)).equals(before)).toBe(true);
    const { code, stdout } = await stage.backstop(["doctor"]);
    expect({ code, cure: /^cure {2}ledger: .*newer bybit-backstop.*$/m.test(stdout) }).toEqual({ code: 2, cure: true });
  });

  it("that another program has damaged is neither trusted nor touched", async (context) => {
    const stage = await openStage(context);
    await mkdir(join(stage.folder, "state"), { mode: 0o700 });
    const file = join(stage.folder, "state", "backstop.db");
    await writeFile(file, "no database, but somebody's letter".repeat(100));
    await chmod(file, 0o600);
    openBook(stage);
    const { code, stderr } = await stage.backstop(["protect"]);
    expect(code).toBe(2);
    expect(stderr).toContain("ledger");
    expect(stage.posts()).toHaveLength(2);
  });
});

describe.concurrent("a stop that triggers while nobody watches, and leaves size open", () => {
  it("is known from the fills: the tightest stop is set, and none farther away", async (context) => {
    const stage = await openStage(context, { config: { protection: { stopLoss: { distance: "2%" } } } });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", entryPrice: "64000" });
    const first = startRun(context, stage);
    await first.watching();
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    stage.exchange.setLiquidity({ symbol: "BTCUSDT", fraction: "0.5" });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "62700" });
    const second = startRun(context, stage);
    await second.watching();
    const [position] = stage.exchange.snapshot().accounts[0]?.positions ?? [];
    expect(Number(position?.size)).toBeCloseTo(0.05);
    expect(Number(position?.stopLoss)).toBeGreaterThan(62_690);
    expect(await second.end()).toBe(0);
  });
});

describe.concurrent("a ledger that can be written again", () => {
  it("is used again, and what happened meanwhile is in the history", async (context) => {
    const stage = await openStage(context, { config: { sweep: { cron: "*/2 * * * * *" } } });
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    const held = new Libsql(join(stage.folder, "state", "backstop.db"));
    held.exec("begin immediate");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await sidecar.logged.next(({ code }) => code === "ledger-unwritable");
    await sidecar.says("a stop for the whole position rests at the exchange");
    held.exec("rollback");
    held.close();
    await sidecar.says("the ledger can be written again");
    expect(await sidecar.end()).toBe(0);
    const { stdout } = await stage.backstop(["history", "--stops", "--format", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ stops: [{ symbol: "BTCUSDT", reason: "stop-missing" }] });
  });
});

describe.concurrent("history", () => {
  it("answers for every stop we ever set why, when, by whose wish, and whether it was proven", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const first = startRun(context, stage);
    await first.watching();
    stage.exchange.open({ symbol: "SOLUSDT", side: "long", size: "10" });
    await first.logged.next(({ msg, symbol }) => msg === "confirmed" && symbol === "SOLUSDT");
    expect(await first.end()).toBe(0);
    stage.exchange.tradingStop({
      category: "linear",
      symbol: "SOLUSDT",
      tpslMode: "Full",
      positionIdx: 0,
      stopLoss: "0",
    });
    expect((await stage.backstop(["protect"])).code).toBe(0);
    const { stdout } = await stage.backstop(["history", "--stops", "--format", "json", "--limit", "1000"]);
    const { stops } = JSON.parse(stdout) as { stops: Record<string, unknown>[] };
    const sent = stage
      .posts()
      .map(bodyOf)
      .filter(({ stopLoss }) => stopLoss !== undefined);
    expect(stops).toHaveLength(sent.length);
    for (const stop of stops) {
      expect(stop).toMatchObject({
        reason: "stop-missing",
        by: expect.stringMatching(/^(config: defaults|learned level)$/),
      });
      expect(JSON.stringify(stop)).toContain("confirmed");
    }
    expect(stops.filter(({ by }) => by === "learned level")).toHaveLength(1);
  });
});
