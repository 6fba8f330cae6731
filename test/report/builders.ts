/** Reports for tests: valid from the start, so that a test says only what differs. */
import type {
  Report,
  ReportAccount,
  ReportExit,
  ReportFinding,
  ReportPosition,
  ReportStep,
} from "../../src/report/index.js";
import { summarize } from "../../src/report/index.js";

export function anExit(overrides: Partial<ReportExit> = {}): ReportExit {
  return {
    price: "49000",
    triggerBy: "MarkPrice",
    coverage: "1",
    source: "full",
    origin: "ours",
    distancePct: "-2",
    lossQuote: "500",
    covers: [{ source: "full", price: "49000", quantity: "0.5", triggerBy: "MarkPrice", orderId: "a1" }],
    ...overrides,
  };
}

export function aFinding(overrides: Partial<ReportFinding> = {}): ReportFinding {
  return {
    code: "stop-missing",
    severity: "critical",
    message: "no stop-loss rests at the exchange",
    ...overrides,
  };
}

export function aStep(overrides: Partial<ReportStep> = {}): ReportStep {
  return {
    action: "set-trading-stop",
    stopLoss: "49000",
    takeProfit: "52000",
    reason: "stop-missing",
    outcome: "planned",
    ...overrides,
  };
}

/** A protected long of 0.5 BTC. */
export function aPosition(overrides: Partial<ReportPosition> = {}): ReportPosition {
  return {
    account: "main",
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    side: "long",
    size: "0.5",
    entryPrice: "50000",
    markPrice: "50100",
    liquidationPrice: "45500",
    leverage: "10",
    marginMode: "isolated",
    notional: "25050",
    intent: null,
    status: "protected",
    nakedForMs: null,
    rule: "defaults",
    stopLoss: anExit(),
    takeProfit: anExit({ price: "52000", triggerBy: "LastPrice", distancePct: "4", lossQuote: "-1000" }),
    findings: [],
    steps: [],
    ...overrides,
  };
}

/** The same long without any exit. */
export function anUnprotectedPosition(overrides: Partial<ReportPosition> = {}): ReportPosition {
  return aPosition({
    status: "unprotected",
    nakedForMs: 61_000,
    stopLoss: null,
    takeProfit: null,
    findings: [
      aFinding(),
      aFinding({
        code: "take-profit-missing",
        severity: "warning",
        message: "no take-profit rests at the exchange, one at 4% is configured",
      }),
    ],
    steps: [aStep()],
    ...overrides,
  });
}

/** A row of which nothing but its contract could be read. */
export function anUnknownPosition(overrides: Partial<ReportPosition> = {}): ReportPosition {
  return aPosition({
    symbol: "XRPUSDT",
    positionIdx: null,
    side: null,
    size: null,
    entryPrice: null,
    markPrice: null,
    liquidationPrice: null,
    leverage: null,
    marginMode: null,
    notional: null,
    status: "unknown",
    rule: null,
    stopLoss: null,
    takeProfit: null,
    findings: [aFinding({ code: "unreadable", message: 'side is "Both", which this version does not know' })],
    ...overrides,
  });
}

export function anAccount(overrides: Partial<ReportAccount> = {}): ReportAccount {
  return { name: "main", complete: true, readable: true, gaps: [], findings: [], notCovered: [], ...overrides };
}

/** Its summary follows from its positions. */
export function aReport(overrides: Partial<Report> = {}): Report {
  const positions = overrides.positions ?? [aPosition()];
  return {
    schema: "bybit-backstop/report@1",
    generatedAt: "2026-01-01T00:00:00.000Z",
    command: "audit",
    complete: true,
    accounts: [anAccount()],
    summary: summarize(positions),
    positions,
    ...overrides,
  };
}
