/** A mistake that nothing has caught: told without its secrets, what is under way is ended, and the exit code says so. */
import { describe, expect, test } from "vitest";
import { CANARY, filesIn, leaks } from "./canary.js";
import { reportIn } from "./cli.js";
import { startRun } from "./sidecar.js";
import { openBook, openStage } from "./stage.js";

/** Planted into the process from outside: it goes off on SIGUSR2. */
function planted(code: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}`, ...SECRETS };
}

const SECRETS = { K: CANARY.key, S: CANARY.secret };

const MISTAKES: readonly (readonly [string, string])[] = [
  [
    "a rejection with a signed request hanging on it",
    `process.on("SIGUSR2", () => void Promise.reject(Object.assign(new Error("with " + process.env.S), { config: { headers: { "X-BAPI-API-KEY": process.env.K } } })))`,
  ],
  [
    "a rejection that is no error",
    `process.on("SIGUSR2", () => void Promise.reject({ requestOptions: { key: process.env.K, secret: process.env.S } }))`,
  ],
  [
    "an exception in a timer",
    `process.on("SIGUSR2", () => setTimeout(() => { throw new Error("with " + process.env.S) }, 1))`,
  ],
];

describe("the sidecar", { concurrent: true }, () => {
  test.for(MISTAKES)("ends with 70 after %s, and tells it without secrets", async ([, code], context) => {
    const stage = await openStage(context, { accounts: [CANARY] });
    openBook(stage);
    const sidecar = startRun(context, stage, [], planted(code));
    await sidecar.watching();
    expect(await sidecar.end("SIGUSR2")).toBe(70);
    const told = sidecar.logged.all.filter(({ level }) => level === "fatal");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ level: "fatal", msg: expect.stringMatching(/^a bug: the sidecar ends/) as string });
    expect(leaks(stage, [sidecar.output(), ...filesIn(stage)])).toEqual([]);
  });

  test("awaits the answer to what is on the wire, and the next one goes on from there", async (context) => {
    const stage = await openStage(context, { accounts: [CANARY], latencyMs: 300 });
    const [, code] = MISTAKES[0] ?? ["", ""];
    const sidecar = startRun(context, stage, [], planted(code));
    await sidecar.watching();
    const { handle } = stage.exchange;
    const arrived = new Promise<void>((resolve) => {
      stage.exchange.handle = (request) => {
        if (request.method === "POST") resolve();
        return handle(request);
      };
    });
    openBook(stage);
    await arrived;
    expect(await sidecar.end("SIGUSR2")).toBe(70);
    const after = sidecar.logged.all.slice(sidecar.logged.all.findIndex(({ level }) => level === "fatal"));
    expect(after.map(({ msg }) => msg)).toContain("POST /v5/position/trading-stop answered");
    const next = startRun(context, stage);
    await next.watching();
    expect(reportIn(await stage.backstop(["audit"])).summary.protected).toBe(3);
    expect(await next.end()).toBe(0);
  });

  test("waits no longer than a moment for an answer that does not come", async (context) => {
    const stage = await openStage(context, { accounts: [CANARY] });
    const [, code] = MISTAKES[0] ?? ["", ""];
    const sidecar = startRun(context, stage, [], planted(code));
    await sidecar.watching();
    stage.exchange.setFault({ kind: "hang", path: "/v5/position/trading-stop", times: 100 });
    openBook(stage);
    await sidecar.says("a position has opened");
    const startedMs = performance.now();
    expect(await sidecar.end("SIGUSR2")).toBe(70);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
