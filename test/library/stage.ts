/** A simulated exchange, a folder, and options that lead the library there; all is gone when the test is. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  type Config,
  type Options,
  type RunningSidecar,
  type SidecarEvent,
  type SidecarOptions,
  type Simulator,
  type SimulatorOptions,
  startSidecar,
  startSimulator,
} from "../../src/index.js";
import { createHeard, type Heard } from "../stream/stage.js";

export const KEY = "LibraryKey00000001";
export const SECRET = "LibrarySecret000000000000000000000A1";

const CONTRACTS = { ContractTrade: ["Order", "Position"] };
export const MAIN = { name: "main", key: KEY, secret: SECRET, ips: ["127.0.0.1"], permissions: CONTRACTS };
export const PLACE = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 } as const;

export interface Stage {
  readonly simulator: Simulator;
  readonly folder: string;
  readonly config: Config;
  readonly options: Options;
  /** What was sent to change something. */
  posts(): readonly string[];
}

export async function openStage(changes: Partial<Config> = {}, more: SimulatorOptions = {}): Promise<Stage> {
  const simulator = await startSimulator({ seed: 5, accounts: [MAIN], ...more });
  const folder = await mkdtemp(join(tmpdir(), "backstop-library-"));
  onTestFinished(async () => {
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { restUrl, wsUrl } = simulator;
  const config: Config = {
    accounts: [{ name: "main", environment: "custom", restUrl, wsUrl, key: KEY, secret: SECRET }],
    protection: { stopLoss: { distance: "2%" }, takeProfit: { distance: "4%" } },
    ...changes,
  };
  return {
    simulator,
    folder,
    config,
    options: { config, cwd: folder, env: {} },
    posts: () => simulator.requests.filter(({ method }) => method !== "GET").map(({ path }) => path),
  };
}

export interface Guarded {
  readonly sidecar: RunningSidecar;
  readonly events: Heard<SidecarEvent>;
  /** The lines of its log. */
  readonly lines: readonly string[];
}

export async function openSidecar(stage: Stage, more: SidecarOptions = {}): Promise<Guarded> {
  const events = createHeard<SidecarEvent>();
  const lines: string[] = [];
  const log = { write: (line: string) => lines.push(line) };
  const sidecar = await startSidecar({ ...stage.options, log, onEvent: (event) => events.add(event), ...more });
  onTestFinished(() => sidecar.close());
  return { sidecar, events, lines };
}

export async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}
