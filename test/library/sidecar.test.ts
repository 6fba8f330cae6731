/** The sidecar inside another program: it guards, answers, tells, and ends without a trace in the process. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { LedgerError, StartRefused, startSidecar } from "../../src/index.js";
import { caught, openSidecar, openStage, PLACE, SECRET } from "./stage.js";

describe("a sidecar of another program", () => {
  test("protects a position that opens, tells of it, and has it in its report", async () => {
    const stage = await openStage();
    const { sidecar, events } = await openSidecar(stage);
    await events.next(({ kind, data }) => kind === "pass" && data["state"] === "complete");
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.next(({ kind }) => kind === "step");
    await events.next(({ kind, data }) => kind === "outcome" && data["outcome"] === "confirmed");
    const report = await sidecar.sweep();
    expect(report).toMatchObject({ command: "run", complete: true, summary: { positions: 1, protected: 1 } });
    expect(sidecar.report().summary).toEqual(report.summary);
  });

  test("leaves signals, exceptions and the output of the process alone, and lets go of it all in the end", async () => {
    const names = ["SIGTERM", "SIGINT", "SIGHUP", "uncaughtException", "unhandledRejection", "exit"];
    const counts = () => names.map((name) => process.listenerCount(name));
    const before = counts();
    const out = vi.spyOn(process.stdout, "write");
    const stage = await openStage();
    const { sidecar, events } = await openSidecar(stage);
    expect(counts()).toEqual(before);
    await events.next(({ kind, data }) => kind === "pass" && data["state"] === "complete");
    await sidecar.close();
    await sidecar.close();
    await sidecar.done;
    expect(counts()).toEqual(before);
    expect(out).not.toHaveBeenCalled();
    const asked = stage.simulator.requests.length;
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    expect(stage.simulator.requests.length).toBe(asked);
  });

  test("sends nothing in a dry run", async () => {
    const stage = await openStage();
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const { sidecar } = await openSidecar(stage, { dryRun: true });
    const report = await sidecar.sweep();
    expect(report.summary).toMatchObject({ unprotected: 1, confirmed: 0 });
    expect(stage.posts()).toEqual([]);
    const wish = { side: "long", stopLoss: "60000" } as const;
    expect(await caught(sidecar.setIntent(PLACE, wish))).toBeInstanceOf(LedgerError);
  });

  test("goes on when a listener throws, and logs it without secrets", async () => {
    const stage = await openStage();
    const onEvent = () => {
      throw new Error(`a slip with ${SECRET}`);
    };
    const { sidecar, lines } = await openSidecar(stage, { onEvent });
    sidecar.listen(onEvent);
    expect((await sidecar.sweep()).complete).toBe(true);
    const log = lines.join("");
    expect(log).toContain("a listener to the sidecar's events has thrown");
    expect(log).not.toContain(SECRET);
  });

  test("goes on when a listener, or its log, rejects later", async () => {
    const stage = await openStage();
    const reject = () => Promise.reject(new Error("no way to the chat"));
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", hear);
    onTestFinished(() => void process.off("unhandledRejection", hear));
    const { sidecar } = await openSidecar(stage, { onEvent: reject, log: { write: reject } });
    sidecar.listen(reject);
    expect((await sidecar.sweep()).complete).toBe(true);
    expect(unhandled).toEqual([]);
  });

  test("goes on when its log cannot be written", async () => {
    const stage = await openStage();
    const write = () => {
      throw new Error("no space left on device");
    };
    const { sidecar, events } = await openSidecar(stage, { log: { write } });
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.next(({ kind, data }) => kind === "outcome" && data["outcome"] === "confirmed");
    expect((await sidecar.sweep()).summary.protected).toBe(1);
  });

  test("calls nothing protected any more once it is closed", async () => {
    const stage = await openStage();
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const { sidecar, events } = await openSidecar(stage);
    await events.next(({ kind, data }) => kind === "outcome" && data["outcome"] === "confirmed");
    expect((await sidecar.sweep()).summary.protected).toBe(1);
    await sidecar.close();
    expect(sidecar.report()).toMatchObject({ complete: false, summary: { positions: 1, protected: 0, unknown: 1 } });
  });

  test("tells a listener no more once it has left", async () => {
    const stage = await openStage();
    const { sidecar } = await openSidecar(stage);
    let heard = 0;
    const leave = sidecar.listen(() => void (heard += 1));
    await sidecar.sweep();
    expect(heard).toBeGreaterThan(0);
    leave();
    const before = heard;
    await sidecar.sweep();
    expect(heard).toBe(before);
  });

  test("is refused where its token is open to others, and nothing stays open", async () => {
    const stage = await openStage();
    await writeFile(join(stage.folder, "token"), "a-token-that-anybody-can-read-0000000001", { mode: 0o644 });
    const http = { port: 0, tokenFile: "token" };
    const error = await caught(startSidecar({ ...stage.options, config: { ...stage.config, http } }));
    expect(error).toBeInstanceOf(StartRefused);
    const second = await openSidecar(stage);
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await second.events.next(({ kind, data }) => kind === "outcome" && data["outcome"] === "confirmed");
  });

  test("guards where its address is in use, and says so", async () => {
    const stage = await openStage();
    const http = { port: Number(new URL(stage.simulator.restUrl).port) };
    const { events, lines } = await openSidecar({
      ...stage,
      options: { ...stage.options, config: { ...stage.config, http } },
    });
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.next(({ kind, data }) => kind === "outcome" && data["outcome"] === "confirmed");
    expect(lines.join("")).toContain("(EADDRINUSE)");
  });
});

describe("an intent from the same program", () => {
  test("waits for its position, is applied to it, and would not loosen it", async () => {
    const stage = await openStage();
    const { sidecar, events } = await openSidecar(stage);
    await sidecar.sweep();
    const waiting = await sidecar.setIntent(PLACE, { side: "long", stopLoss: "60000", takeProfit: "70000" });
    expect(waiting).toMatchObject({
      status: "pending",
      intent: { stopLoss: "60000", who: "library", ttlSeconds: 600 },
    });
    stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await events.next(({ kind, data }) => kind === "outcome" && data["stopLoss"] === "60000");
    const tighter = await sidecar.setIntent(PLACE, { side: "long", stopLoss: "61000" });
    expect(tighter).toMatchObject({ status: "applied", intent: { stopLoss: "61000", state: "bound" } });
    const looser = await sidecar.setIntent(PLACE, { side: "long", stopLoss: "59000" });
    expect(looser).toEqual({
      status: "refused",
      code: "would-loosen",
      message: expect.stringContaining("61000") as string,
      standing: "61000",
      wanted: "59000",
    });
    expect(await sidecar.clearIntent(PLACE)).toBe(true);
    expect(await sidecar.clearIntent(PLACE)).toBe(false);
  });

  test("for a contract that the exchange does not have is refused, and so is a quote", async () => {
    const stage = await openStage();
    const { sidecar } = await openSidecar(stage);
    const place = { ...PLACE, symbol: "NOSUCHUSDT" };
    const missing = { code: "not-found", message: "the exchange knows no linear contract NOSUCHUSDT" };
    expect(await sidecar.setIntent(place, { side: "long", stopLoss: "60000" })).toEqual({
      status: "refused",
      ...missing,
    });
    expect(await sidecar.quote({ ...place, side: "long" })).toEqual({ kind: "none", ...missing });
  });

  test("for a contract that cannot be read is kept, and a quote is not there yet", async () => {
    const stage = await openStage();
    const { sidecar } = await openSidecar(stage);
    await sidecar.sweep();
    stage.simulator.exchange.setFault({ kind: "html", status: 502, path: "/v5/position/list", times: 1_000 });
    const intent = { side: "long", stopLoss: "60000" } as const;
    expect(await sidecar.setIntent(PLACE, intent)).toMatchObject({ status: "pending" });
    expect(await sidecar.quote({ ...PLACE, side: "long" })).toMatchObject({ kind: "none", code: "not-read-yet" });
  });

  test("that does not fit is answered with the field, and with the accounts there are", async () => {
    const stage = await openStage();
    const { sidecar } = await openSidecar(stage);
    const wish = { side: "long", stopLoss: "60000" } as const;
    expect(await sidecar.setIntent(PLACE, { side: "long", stopLoss: "5e4" })).toMatchObject({
      status: "refused",
      code: "unprocessable",
      message: expect.stringMatching(/^stopLoss: must be a positive decimal/) as string,
    });
    expect(await sidecar.setIntent({ ...PLACE, account: "other" }, wish)).toMatchObject({
      status: "refused",
      code: "not-found",
      message: "no such account; there are: main",
    });
    expect(await sidecar.setIntent({ ...PLACE, positionIdx: 2 }, wish)).toMatchObject({ code: "unprocessable" });
    expect(await sidecar.setIntent({ ...PLACE, symbol: "btcusdt" }, wish)).toMatchObject({ status: "refused" });
    expect(await sidecar.clearIntent({ ...PLACE, account: "other" })).toBe(false);
  });

  test("counts for the quote of the order that opens its position", async () => {
    const stage = await openStage();
    const { sidecar } = await openSidecar(stage);
    await sidecar.setIntent(PLACE, { side: "long", stopLoss: "58123.4" });
    expect(await sidecar.quote({ ...PLACE, side: "long", price: "60000" })).toMatchObject({
      kind: "quoted",
      fields: { stopLoss: "58123.4", takeProfit: "62400" },
    });
    expect(await sidecar.quote({ ...PLACE, account: "other", side: "long" })).toMatchObject({ code: "not-found" });
  });
});
