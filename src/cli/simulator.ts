/** `backstop simulator`: the simulated exchange as a server, for bots and for trying things out. */
import { randomAccount, startSimulator } from "../exchange/simulator/index.js";
import type { Console } from "./console.js";
import { Refusal } from "./exit.js";

export interface SimulatorCommand {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly latency: number;
}

/** Where nobody else can ask, the key is bound to the address, as a real one should be. */
const LOOPBACK = ["127.0.0.1", "::1"];

export async function simulator(options: SimulatorCommand, console: Console): Promise<void> {
  const { host, port, seed, latency } = options;
  const accounts = [{ ...randomAccount("main"), ips: LOOPBACK.includes(host) ? LOOPBACK : [] }];
  const server = await startSimulator({ host, port, seed, latencyMs: latency, accounts }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : "unknown reason";
    throw new Refusal(
      `--host ${host} --port ${port}: cannot listen (${why}); allowed: an address of this machine and a free port, or 0`,
    );
  });
  const [account] = server.accounts;
  const { restUrl, wsUrl, controlUrl } = server;
  console.out(`${JSON.stringify({ restUrl, wsUrl, controlUrl, key: account?.key, secret: account?.secret })}\n`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  await server.close();
}
