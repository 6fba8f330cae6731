/** Which protection applies to a position: the defaults, or the first rule that matches. */
import picomatch from "picomatch";
import type { PositionKey, Side } from "../domain/position.js";
import type { Policy, Protection, ProtectionOverrides, Rule } from "./protection.js";

export interface ResolvedPolicy {
  /** "defaults" or the rule's name, for reports. */
  readonly rule: string;
  readonly protection: Protection;
  readonly ignored: boolean;
  /** False: `scope: listed` and no rule names this position; it is audited and never written. */
  readonly inScope: boolean;
}

/** A function that answers for any position; each rule is compiled once, and always answers with the same value. */
export function compilePolicy({ defaults, scope, rules }: Policy): (key: PositionKey, side: Side) => ResolvedPolicy {
  const otherwise = { rule: "defaults", protection: defaults, ignored: false, inScope: scope === "all" };
  const compiled = rules.map((rule) => ({ answer: answerOf(rule, defaults), matches: compileMatch(rule) }));
  return (key, side) => compiled.find(({ matches }) => matches(key, side))?.answer ?? otherwise;
}

function answerOf({ name, overrides, ignore }: Rule, defaults: Protection): ResolvedPolicy {
  return { rule: name, protection: override(defaults, overrides), ignored: ignore, inScope: true };
}

function compileMatch({ match }: Rule): (key: PositionKey, side: Side) => boolean {
  const symbolMatches = glob(match.symbol);
  const accountMatches = glob(match.account);
  return (key, side) =>
    symbolMatches(key.symbol) &&
    accountMatches(key.account) &&
    (match.side === undefined || match.side === side) &&
    (match.category === undefined || match.category === key.category);
}

/** As symbols and account names are matched everywhere, upper and lower case alike; undefined matches all. */
export function glob(pattern: string | undefined): (text: string) => boolean {
  return pattern === undefined ? () => true : picomatch(pattern, { nocase: true });
}

/** The defaults with only what the overrides name replaced; a stop or take-profit is merged field by field. */
export function override(defaults: Protection, overrides: ProtectionOverrides): Protection {
  const { stopLoss, takeProfit, ...rest } = overrides;
  return {
    ...defaults,
    ...rest,
    stopLoss: merge(defaults.stopLoss, stopLoss, "MarkPrice"),
    takeProfit: merge(defaults.takeProfit, takeProfit, "LastPrice"),
  };
}

type Wish<Distance> = { readonly distance: Distance; readonly triggerBy: "LastPrice" | "MarkPrice" | "IndexPrice" };

function merge<Distance>(
  base: Wish<Distance> | null,
  wish: Partial<Wish<Distance>> | null | undefined,
  usualTrigger: Wish<Distance>["triggerBy"],
): Wish<Distance> | null {
  if (wish === undefined) return base;
  if (wish === null) return null;
  const distance = wish.distance ?? base?.distance;
  if (distance === undefined) return null;
  return { distance, triggerBy: wish.triggerBy ?? base?.triggerBy ?? usualTrigger };
}
