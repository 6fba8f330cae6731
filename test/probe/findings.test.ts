/** What the probe prints: a table for people, Markdown to send, and an exit code for scripts. */
import { describe, expect, test } from "vitest";
import { probeExitCode, type ProbeFindings, renderFindings } from "../../src/cli/probe/findings.js";
import type { Result } from "../../src/cli/probe/rounds.js";
import { dec } from "../../src/domain/decimal.js";

function result(more: Partial<Result> = {}): Result {
  return {
    name: "off-tick",
    question: "Is a price between two ticks refused, cut or rounded?",
    expected: "cut",
    seen: "cut",
    detail: "0.31217 became 0.3121",
    verdict: "as-expected",
    ...more,
  };
}

const DIFFERENT = result({ name: "flip", seen: "the old stop stays", verdict: "differs" });
const OPEN = result({ name: "rights", seen: null, verdict: "unsettled", detail: "no answer" });

function findings(results: readonly Result[], left: readonly string[] = []): ProbeFindings {
  const amounts = { tickSize: dec("0.0001"), unit: dec("20.2"), unitNotional: dec("6.5") };
  return {
    generatedAt: "2026-01-01T00:00:00.000Z",
    version: "1.2.3",
    environment: "demo",
    url: "https://demo.example.com",
    contract: { symbol: "MANAUSDT", positionIdx: 0, ...amounts },
    marginMode: "ISOLATED_MARGIN",
    results,
    left,
  };
}

describe("the exit code", () => {
  test.each<[string, readonly Result[], readonly string[], number]>([
    ["is 0 when all is as expected", [result()], [], 0],
    ["is 3 when a question was not settled", [result(), OPEN], [], 3],
    ["is 2 when an answer differs, also with another not settled", [OPEN, DIFFERENT], [], 2],
    ["is 1 when something was left behind, whatever was answered", [result(), DIFFERENT], ["a position"], 1],
  ])("%s", (_what, results, left, code) => {
    expect(probeExitCode({ results, left })).toBe(code);
  });
});

describe("the findings", () => {
  test("as a table: expected against seen in columns, the question and its figures beneath", () => {
    expect(renderFindings(findings([result(), DIFFERENT, OPEN]), "table").split("\n")).toEqual([
      "demo (https://demo.example.com), 20.2 MANAUSDT at a time, at most 3 of them, one-way, ISOLATED_MARGIN; " +
        "bybit-backstop 1.2.3, 2026-01-01T00:00:00.000Z",
      "",
      "question  expected  seen                verdict",
      "off-tick  cut       cut                 as expected",
      "  Is a price between two ticks refused, cut or rounded?",
      "  0.31217 became 0.3121",
      "flip      cut       the old stop stays  DIFFERS",
      "  Is a price between two ticks refused, cut or rounded?",
      "  0.31217 became 0.3121",
      "rights    cut       -                   not settled",
      "  Is a price between two ticks refused, cut or rounded?",
      "  no answer",
      "",
      "1 as expected, 1 DIFFERS, 1 not settled",
      "",
    ]);
  });

  test("as Markdown: one row each, in which the exchange's words cannot speak Markdown", () => {
    const words = "10001 a|b <img src=x> `c`";
    const lines = renderFindings(findings([result({ detail: words })], ["MANAUSDT: a position"]), "markdown").split(
      "\n",
    );
    const row = lines.find((line) => line.startsWith("| off-tick")) ?? "";
    expect(row).toContain("10001 a\\|b &lt;img src=x&gt; \\`c\\`");
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(6);
    expect(lines).toContain("LEFT BEHIND: MANAUSDT: a position");
  });

  test("as JSON: everything, amounts as text", () => {
    const parsed: unknown = JSON.parse(renderFindings(findings([result()]), "json"));
    expect(parsed).toMatchObject({
      schema: "bybit-backstop/probe@1",
      environment: "demo",
      symbol: "MANAUSDT",
      unit: "20.2",
      results: [result()],
      left: [],
    });
  });
});
