/** What a schema cannot say: rules between keys, each checked on the parts of the config that are sound. */
import type { Mode } from "../policy/protection.js";
import { fractionOf, multipleOf } from "./levels.js";
import type { KeyPath, Problem } from "./problems.js";
import type { AccountDocument, ProtectionDocument, RuleDocument } from "./schema.js";
import { isReference } from "./secrets.js";
import type { Shape } from "./shape.js";
import type { Source } from "./source.js";

export function crossProblems(source: Source, shape: Shape): Problem[] {
  return [
    ...duplicateNames(
      source,
      shape.accountTexts.map(({ name }) => name),
    ),
    ...shape.accounts.flatMap((account, index) => (account === null ? [] : accountProblems(source, account, index))),
    ...(shape.protection === null ? [] : protectionProblems(source, shape.protection, shape.rules)),
  ];
}

function duplicateNames(source: Source, names: readonly (string | null)[]): Problem[] {
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === null || first === index) return [];
    return [source.problem(["accounts", index, "name"], `is the name of accounts[${first}] too`, "a name used once")];
  });
}

function accountProblems(source: Source, account: AccountDocument, index: number): Problem[] {
  const custom = account.environment === "custom";
  const urls = (["restUrl", "wsUrl"] as const).flatMap((key) => {
    const path: KeyPath = ["accounts", index, key];
    const given = account[key] !== undefined;
    if (custom && !given) return [source.problem(path, "is missing", "a URL: environment custom needs both URLs")];
    if (!custom && given) {
      const what = `does not go with environment ${account.environment}`;
      return [source.problem(path, what, "only with environment custom; remove the key")];
    }
    return [];
  });
  const literals = (["key", "secret"] as const).flatMap((key) => {
    if (custom || source.mayHoldKeys || isReference(account[key])) return [];
    const what = `is a literal, which environment ${account.environment} refuses`;
    const allowed = "${NAME} for an environment variable, or file:PATH";
    return [source.problem(["accounts", index, key], what, allowed)];
  });
  return [...urls, ...literals];
}

interface Effective {
  readonly mode: Mode;
  readonly stopDistance: string | undefined;
  readonly takeProfitDistance: string | undefined;
}

function protectionProblems(
  source: Source,
  defaults: ProtectionDocument,
  rules: readonly (RuleDocument | null)[],
): Problem[] {
  const base: Effective = {
    mode: defaults.mode,
    stopDistance: defaults.stopLoss?.distance,
    takeProfitDistance: defaults.takeProfit?.distance,
  };
  const ofRules = rules.flatMap((rule, index) => (rule === null ? [] : ruleProblems(source, base, rule, index)));
  return [...effectiveProblems(source, base, ["protection"]), ...ofRules];
}

/** A rule is judged by what it changes; what it inherits was judged once, where it stands. */
function ruleProblems(source: Source, base: Effective, rule: RuleDocument, index: number): Problem[] {
  if (rule.ignore === true) return [];
  const path: KeyPath = ["rules", index];
  const changes = rule.mode !== undefined || rule.stopLoss !== undefined || rule.takeProfit !== undefined;
  if (!changes) return [];
  const effective: Effective = {
    mode: rule.mode ?? base.mode,
    stopDistance: rule.stopLoss === null ? undefined : (rule.stopLoss?.distance ?? base.stopDistance),
    takeProfitDistance: rule.takeProfit === null ? undefined : (rule.takeProfit?.distance ?? base.takeProfitDistance),
  };
  const nothingToInherit =
    rule.takeProfit && effective.takeProfitDistance === undefined
      ? [source.problem([...path, "takeProfit", "distance"], "is missing", "a distance: there is none to inherit")]
      : [];
  return [...nothingToInherit, ...effectiveProblems(source, effective, path)];
}

function effectiveProblems(source: Source, effective: Effective, path: KeyPath): Problem[] {
  const { mode, stopDistance, takeProfitDistance } = effective;
  if (stopDistance === undefined && mode !== "report-only") {
    const allowed = "a distance such as { distance: 2% }, or mode: report-only; there is no built-in distance";
    return [source.problem([...path, "stopLoss"], `is required with mode ${mode}`, allowed)];
  }
  const multiple = takeProfitDistance === undefined ? null : multipleOf(takeProfitDistance);
  if (multiple === null) return [];
  const at: KeyPath = [...path, "takeProfit", "distance"];
  if (stopDistance === undefined) {
    return [
      source.problem(at, "is a multiple of a stop-loss that is not there", "a percentage, or a stopLoss with it"),
    ];
  }
  const reached = fractionOf(stopDistance).times(multiple).times(100);
  if (reached.lt(100)) return [];
  const what = `is ${reached.toFixed()}% with a stop-loss of ${stopDistance}`;
  return [source.problem(at, what, "a multiple that stays below 100%")];
}
