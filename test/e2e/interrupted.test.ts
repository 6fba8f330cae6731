/** Ctrl+C while nothing can be on the wire: nobody waits for reads that nobody will see. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, type TestContext, test } from "vitest";
import { PROGRAM } from "./cli.js";
import { openStage, type Stage } from "./stage.js";

/** Takes every request and answers none. */
async function silentExchange({ onTestFinished }: TestContext) {
  const server = createServer();
  const asked = once(server, "request");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function start(args: readonly string[], { folder, env }: Pick<Stage, "folder" | "env">) {
  const program = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  return { program, closed: once(program, "close") as Promise<[number | null, NodeJS.Signals | null]> };
}

describe.concurrent("a first signal, before anything was sent,", () => {
  test.for([
    [["audit"], "SIGINT"],
    [["protect", "--dry-run"], "SIGINT"],
    [["protect", "--yes"], "SIGINT"],
    [["protect"], "SIGTERM"],
  ] as const)("ends %j by %s, however long the exchange would take", async ([args, signal], context) => {
    const exchange = await silentExchange(context);
    const stage = await openStage(context, { config: { accounts: [accountAt(exchange.url)] } });
    const { program, closed } = start(args, stage);
    await exchange.asked;
    program.kill(signal);
    expect(await closed).toEqual([null, signal]);
  });
});

function accountAt(restUrl: string) {
  return {
    name: "main",
    environment: "custom",
    restUrl,
    wsUrl: restUrl.replace("http", "ws"),
    key: "k".repeat(18),
    secret: "s".repeat(36),
  };
}
