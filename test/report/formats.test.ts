/** What all formats have in common: nobody unprotected is left out, and no foreign text breaks out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FORMATS, type Format, type Report, render } from "../../src/report/index.js";
import {
  aFinding,
  anAccount,
  anUnknownPosition,
  anUnprotectedPosition,
  aPosition,
  aReport,
  aStep,
} from "./builders.js";
import { parseXml } from "./markup.js";

const OPTIONS = { color: false, width: 120 };

const show = (report: Report, format: Format) => render(report, format, OPTIONS);

/** Text as an exchange, a config file or an attacker might produce it. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(..."<>&\"'|`\\[]()*_~#:,%\r\n\t \u0000\u001b\u0085\u2028\u202e\ud800\ufffe]]>-x/"),
  }),
  fc.constantFrom("</title><script>alert(1)</script>", "\r\n::error::forged", "\u001b[2J", "| a | b |", "&#0;", "]]>"),
);

function reportWith(text: string, command: Report["command"] = "audit"): Report {
  const finding = aFinding({ message: text });
  return aReport({
    command,
    complete: false,
    accounts: [
      anAccount({
        name: "main",
        complete: false,
        findings: [aFinding({ code: "key-without-ip", severity: "warning", message: text })],
        gaps: [{ category: "inverse", what: "positions", reason: text }],
        notCovered: [text],
      }),
    ],
    positions: [
      anUnprotectedPosition({
        symbol: text,
        findings: [finding],
        steps: [aStep({ outcome: "refused", detail: text })],
      }),
      anUnknownPosition({ symbol: text, findings: [finding] }),
      aPosition({ symbol: text, rule: text }),
    ],
  });
}

it("refuses a word that is no format, and names those that are", () => {
  const attempt = () => show(aReport(), "xml" as Format);
  expect(attempt).toThrow(RangeError);
  expect(attempt).toThrow("format is one of table, json, markdown, html, junit, sarif, github, and no other word");
});

describe.each(FORMATS)("the %s format", (format) => {
  it("names every position that has no stop, and the reason", () => {
    const symbols = ["BTCUSDT", "1000PEPEUSDT", "SOLPERP", "BTCUSD"];
    const text = show(aReport({ positions: symbols.map((symbol) => anUnprotectedPosition({ symbol })) }), format);
    for (const symbol of symbols) expect(text).toContain(symbol);
    expect(text.replace(/\\/g, "")).toContain("stop-missing");
  });

  it("ends with exactly one newline, also when there is nothing to report", () => {
    for (const report of [aReport(), aReport({ positions: [] }), aReport({ positions: [], accounts: [] })]) {
      expect(show(report, format)).toMatch(/[^\n]\n$/);
    }
  });

  it("shows the position with the critical finding before the one with a warning and the protected one", () => {
    const positions = [
      aPosition({ symbol: "CALMUSDT" }),
      aPosition({ symbol: "WARNUSDT", findings: [aFinding({ code: "take-profit-missing", severity: "warning" })] }),
      anUnprotectedPosition({ symbol: "NAKEDUSDT" }),
    ];
    // JSON and JUnit keep the report's own order, which is already most dangerous first.
    const ordered = format === "json" || format === "junit" ? positions.toReversed() : positions;
    const text = show(aReport({ positions: ordered }), format);
    const places = ["NAKEDUSDT", "WARNUSDT", "CALMUSDT"].map((symbol) => text.indexOf(symbol)).filter((at) => at >= 0);
    expect(places.length).toBeGreaterThanOrEqual(2);
    expect(places).toEqual([...places].sort((first, second) => first - second));
  });

  it("says loudly what could not be seen", () => {
    const accounts = [
      anAccount({ complete: false, gaps: [{ category: "inverse", what: "positions", reason: "page 2 timed out" }] }),
    ];
    expect(show(aReport({ complete: false, accounts }), format)).toContain("page 2 timed out");
  });

  it("stays silent about gaps when everything was seen", () => {
    expect(show(aReport(), format)).not.toMatch(/incomplete|not everything|could not be/i);
  });
});

describe("a text from outside", () => {
  it("leaves JSON readable and unchanged", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(JSON.parse(show(reportWith(text), "json"))).toEqual(reportWith(text));
      }),
    );
  });

  it("leaves SARIF readable, with one result per finding", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const log = JSON.parse(show(reportWith(text), "sarif"));
        expect(log.runs[0].results).toHaveLength(3);
      }),
    );
  });

  it("never makes JUnit anything but well-formed XML of the same elements", () => {
    const names = (text: string) => parseXml(show(reportWith(text), "junit").trimEnd()).map((element) => element.name);
    const expected = names("x");
    fc.assert(
      fc.property(anyText, (text) => {
        expect(names(text)).toEqual(expected);
      }),
    );
  });

  it("never adds, removes or changes a tag of the HTML page", () => {
    const tags = (text: string) =>
      [...show(reportWith(text), "html").matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/(y|height)="\d+"/g, ""));
    const expected = tags("x");
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tags(text)).toEqual(expected);
      }),
    );
  });

  it("never ends a workflow command early or starts another", () => {
    const heads = (text: string) =>
      show(reportWith(text), "github")
        .split(/\r\n|[\r\n]/)
        .map((line) => /^::(error|warning|notice) title=[^:,\r\n]*::/.exec(line)?.[1] ?? "text");
    const expected = heads("x");
    fc.assert(
      fc.property(anyText, (text) => {
        expect(heads(text)).toEqual(expected);
      }),
    );
  });

  it("never adds a cell or a row to a Markdown table", () => {
    const pipes = (text: string) =>
      show(reportWith(text), "markdown")
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .map((line) => line.replace(/\\./g, "").split("|").length);
    const expected = pipes("x");
    fc.assert(
      fc.property(anyText, (text) => {
        expect(pipes(text)).toEqual(expected);
      }),
    );
  });

  it("never brings HTML into Markdown", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const html = show(reportWith(text), "markdown").match(/<[^>]*>?/g) ?? [];
        expect(html.every((tag) => /^<\/?(sub|br|details|summary)>$/.test(tag))).toBe(true);
      }),
    );
  });

  it("never moves the cursor or colours of a terminal", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(show(reportWith(text), "table").replaceAll("\n", "")).not.toMatch(
          /\p{Control}|[\u202a-\u202e\u2066-\u2069]/u,
        );
      }),
    );
  });
});
