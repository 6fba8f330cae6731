/** Policies for tests: a stop at 2%, no take-profit, create-only. */
import { dec } from "../../src/domain/decimal.js";
import type { Policy, Protection, Rule, StopLossWish, TakeProfitWish } from "../../src/policy/protection.js";
import type { ResolvedPolicy } from "../../src/policy/resolve.js";

export function stopAt(fraction: string, triggerBy: StopLossWish["triggerBy"] = "MarkPrice"): StopLossWish {
  return { distance: dec(fraction), triggerBy };
}

export function takeProfitAt(fraction: string, triggerBy: TakeProfitWish["triggerBy"] = "LastPrice"): TakeProfitWish {
  return { distance: { kind: "fraction", fraction: dec(fraction) }, triggerBy };
}

export function takeProfitInR(multiple: string, triggerBy: TakeProfitWish["triggerBy"] = "LastPrice"): TakeProfitWish {
  return { distance: { kind: "risk-multiple", multiple: dec(multiple) }, triggerBy };
}

export function aProtection(overrides: Partial<Protection> = {}): Protection {
  return {
    mode: "create-only",
    stopLoss: stopAt("0.02"),
    takeProfit: null,
    pastStop: "rebase",
    pastTakeProfit: "skip",
    liquidationBuffer: dec("0.005"),
    onScaleIn: "keep",
    onDrift: "restore",
    hedged: "protect",
    attachToOrders: false,
    graceMs: 0,
    vanishMs: 5_000,
    ...overrides,
  };
}

export function aRule(overrides: Partial<Rule> = {}): Rule {
  return { name: "rules[0]", match: {}, ignore: false, overrides: {}, ...overrides };
}

export function aPolicy(overrides: Partial<Policy> = {}): Policy {
  return { scope: "all", defaults: aProtection(), rules: [], ...overrides };
}

export function resolved(overrides: Partial<ResolvedPolicy> = {}): ResolvedPolicy {
  return { rule: "defaults", protection: aProtection(), ignored: false, inScope: true, ...overrides };
}
