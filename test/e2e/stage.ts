/** A simulated exchange and a folder with a config for one test; both are gone when the test is. */
import type { TestContext } from "vitest";
import {
  type AccountOptions,
  type RecordedRequest,
  type SimulatedExchange,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../../src/exchange/simulator/index.js";
import type { Report, ReportPosition } from "../../src/report/index.js";
import { type Mirror, openMirror, type Rewrite } from "./mirror.js";
import { type ConfigParts, type Workplace, workplace } from "./cli.js";

export interface Stage extends Workplace {
  readonly simulator: Simulator;
  readonly exchange: SimulatedExchange;
  /** What the program sent, where a `rewrite` stands between. */
  readonly mirror: Mirror | null;
  /** What was sent to change something, oldest first. */
  posts(): readonly RecordedRequest[];
}

export interface StageOptions extends SimulatorOptions {
  /** Keys of the config; `accounts` of it replaces the accounts of the exchange. */
  readonly config?: ConfigParts;
  /** Changes answers on their way to the program. */
  readonly rewrite?: Rewrite;
}

/** Its key is bound to this machine and can do no more than trade. */
export const MAIN: AccountOptions = { name: "main", key: "k".repeat(18), secret: "s".repeat(36), ips: ["127.0.0.1"] };
export const SECOND: AccountOptions = { ...MAIN, name: "second", key: "j".repeat(18) };

export const PROTECTION = { mode: "create-only", stopLoss: { distance: "2%" }, takeProfit: { distance: "4%" } };

export async function openStage(context: TestContext, options: StageOptions = {}): Promise<Stage> {
  const { config, rewrite, ...rest } = options;
  const simulator = await startSimulator({ seed: 5, accounts: [MAIN], ...rest });
  const mirror = rewrite === undefined ? null : await openMirror(context, simulator.restUrl, rewrite);
  const reached = { ...simulator, restUrl: mirror?.url ?? simulator.restUrl };
  const place = await workplace(reached, { protection: PROTECTION, ...config });
  context.onTestFinished(async () => {
    await simulator.close();
    await place.close();
  });
  const { exchange } = simulator;
  return {
    ...place,
    simulator,
    exchange,
    mirror,
    posts: () => exchange.requests.filter(({ method }) => method !== "GET"),
  };
}

/** Two positions without any exit, of which the first is the riskier one, and one whose stop and take-profit stand. */
export function openBook({ exchange }: Stage, account = "main"): void {
  exchange.open({ account, symbol: "BTCUSDT", side: "long", size: "0.1" });
  exchange.open({ account, symbol: "ETHUSDT", side: "short", size: "1" });
  exchange.open({ account, symbol: "LTCUSDT", side: "long", size: "10", stopLoss: "72.5", takeProfit: "77" });
}

/** All is well in it. */
export function openGuardedBook({ exchange }: Stage, account = "main"): void {
  exchange.open({ account, symbol: "LTCUSDT", side: "long", size: "10", stopLoss: "72.5", takeProfit: "77" });
}

export function positionIn(report: Report, symbol: string, account = "main"): ReportPosition {
  const found = report.positions.find((one) => one.symbol === symbol && one.account === account);
  if (found === undefined) throw new Error(`the report has no ${symbol} of ${account}`);
  return found;
}

export function codesOf({ findings }: { findings: readonly { readonly code: string }[] }): readonly string[] {
  return findings.map(({ code }) => code);
}

/** What the body of a write said. */
export function bodyOf({ body }: RecordedRequest): Readonly<Record<string, unknown>> {
  return body as Readonly<Record<string, unknown>>;
}
