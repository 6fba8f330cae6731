/** What the probe found out: one value, printed as a table, as Markdown to send to us, or as JSON. */
import { print } from "../../domain/decimal.js";
import { pad } from "../../report/columns.js";
import { escapeMarkdown, oneLine, printableJson } from "../../report/escaping.js";
import type { ProbeContract } from "./contract.js";
import { MOST_UNITS } from "./contract.js";
import type { Result, Rounds } from "./rounds.js";

export type ProbeFormat = "table" | "markdown" | "json";

export interface Ground {
  readonly generatedAt: string;
  readonly version: string;
  readonly environment: "demo" | "testnet" | "custom";
  readonly url: string;
  readonly contract: ProbeContract;
  /** As the exchange names it; empty where it does not say. */
  readonly marginMode: string;
}

export interface ProbeFindings extends Ground, Rounds {}

/** 0 all as expected, 2 something differs, 3 some question was not settled, 1 something was left behind. 1 wins, then 2. */
export function probeExitCode({ results, left }: Rounds): 0 | 1 | 2 | 3 {
  if (left.length > 0) return 1;
  if (results.some(({ verdict }) => verdict === "differs")) return 2;
  return results.some(({ verdict }) => verdict === "unsettled") ? 3 : 0;
}

export function renderFindings(findings: ProbeFindings, format: ProbeFormat): string {
  switch (format) {
    case "table":
      return table(findings);
    case "markdown":
      return markdown(findings);
    case "json":
      return `${printableJson(JSON.stringify(document(findings), null, 2))}\n`;
  }
}

const WORDS: Readonly<Record<Result["verdict"], string>> = {
  "as-expected": "as expected",
  differs: "DIFFERS",
  unsettled: "not settled",
};

function groundText({ environment, url, contract, marginMode, version, generatedAt }: Ground): string {
  const mode = contract.positionIdx === 0 ? "one-way" : "hedge mode";
  const margin = marginMode === "" ? "margin mode unknown" : marginMode;
  const size = `${print(contract.unit)} ${contract.symbol} at a time, at most ${MOST_UNITS} of them`;
  return `${environment} (${url}), ${size}, ${mode}, ${margin}; bybit-backstop ${version}, ${generatedAt}`;
}

function countText({ results }: Rounds): string {
  const count = (verdict: Result["verdict"]) => results.filter((one) => one.verdict === verdict).length;
  return (["as-expected", "differs", "unsettled"] as const)
    .map((verdict) => `${count(verdict)} ${WORDS[verdict]}`)
    .join(", ");
}

function table(findings: ProbeFindings): string {
  const rows = findings.results.map((one) => [one.name, one.expected, one.seen ?? "-", WORDS[one.verdict]]);
  const titles = ["question", "expected", "seen", "verdict"];
  const widths = titles.map((title, column) =>
    Math.max(...[titles, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0, "left"))
      .join("  ")
      .trimEnd();
  const blocks = findings.results.map((one, index) =>
    [line(rows[index] ?? []), `  ${one.question}`, ...(one.detail === "" ? [] : [`  ${oneLine(one.detail)}`])].join(
      "\n",
    ),
  );
  return `${[groundText(findings), "", line(titles), ...blocks, "", countText(findings), ...leftLines(findings)].join("\n")}\n`;
}

function markdown(findings: ProbeFindings): string {
  const rows = findings.results.map(({ name, question, expected, seen, detail, verdict }) =>
    [`${name}: ${question}`, expected, seen ?? "", WORDS[verdict], detail].map(escapeMarkdown).join(" | "),
  );
  const head = ["| question | expected | seen | verdict | detail |", "|---|---|---|---|---|"];
  const body = rows.map((row) => `| ${row} |`);
  const left = leftLines(findings).map(escapeMarkdown);
  return `${[escapeMarkdown(groundText(findings)), "", ...head, ...body, "", countText(findings), ...left].join("\n")}\n`;
}

export function leftLines({ left }: Pick<Rounds, "left">): readonly string[] {
  return left.map((what) => `LEFT BEHIND: ${oneLine(what)}`);
}

function document({ contract, results, left, ...ground }: ProbeFindings): object {
  const { symbol, unit, positionIdx } = contract;
  return { schema: "bybit-backstop/probe@1", ...ground, symbol, unit: print(unit), positionIdx, results, left };
}
