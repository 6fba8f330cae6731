/** The formats that other programs read: JUnit, SARIF, GitHub commands, Markdown for pull requests. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Report, render } from "../../src/report/index.js";
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

const OPTIONS = { color: false, width: 80 };

const mixed = aReport({
  complete: false,
  accounts: [
    anAccount({ complete: false, gaps: [{ category: "inverse", what: "positions", reason: "HTTP 502" }] }),
    anAccount({ name: "second", findings: [aFinding({ code: "key-without-ip", severity: "warning" })] }),
  ],
  positions: [
    anUnprotectedPosition(),
    anUnknownPosition(),
    aPosition({ account: "second", symbol: "ETHUSDT", positionIdx: 2, side: "short" }),
    aPosition({ symbol: "DOGEUSDT", status: "ignored", stopLoss: null, takeProfit: null }),
  ],
});

describe("JUnit", () => {
  const elements = (report: Report) => parseXml(render(report, "junit", OPTIONS).trimEnd());
  const named = (report: Report, name: string) => elements(report).filter((element) => element.name === name);

  it("has a suite per account and a case per position, named by account, category, symbol and side", () => {
    const report = aReport({ positions: [anUnprotectedPosition(), aPosition({ symbol: "ETHUSDT" })] });
    expect(named(report, "testsuite").map((suite) => suite.attributes.get("name"))).toEqual(["main"]);
    const cases = named(report, "testcase").map(({ attributes }) => [
      attributes.get("classname"),
      attributes.get("name"),
    ]);
    expect(cases).toEqual([
      ["main.linear", "BTCUSDT long"],
      ["main.linear", "ETHUSDT long"],
    ]);
  });

  it("fails for findings, errs for what is unknown or unseen, and skips what is ignored", () => {
    const [root] = elements(mixed);
    // Failed: the unprotected position, the account finding. Erred: the unreadable position, the gap.
    expect(root?.attributes.get("tests")).toBe("6");
    expect(root?.attributes.get("failures")).toBe("2");
    expect(root?.attributes.get("errors")).toBe("2");
    const suites = named(mixed, "testsuite").map(({ attributes }) => Number(attributes.get("skipped")));
    expect(suites.reduce((sum, skipped) => sum + skipped, 0)).toBe(1);
    expect(named(mixed, "failure")).toHaveLength(2);
    expect(named(mixed, "error")).toHaveLength(2);
    expect(named(mixed, "skipped")).toHaveLength(1);
  });

  it("counts what is skipped on each suite and not on all of them, as Jenkins' schema wants it", () => {
    const [root] = elements(mixed);
    expect([...(root?.attributes.keys() ?? [])]).toEqual(["name", "tests", "failures", "errors", "time"]);
  });

  it("passes a position whose only finding is for information", () => {
    const findings = [aFinding({ code: "hedge-leg", severity: "info" })];
    expect(named(aReport({ positions: [aPosition({ findings })] }), "failure")).toHaveLength(0);
  });

  it("errs for an account that could not be read, even where no gap says why", () => {
    const report = aReport({ positions: [], accounts: [anAccount({ readable: false, complete: false })] });
    expect(named(report, "error")).toHaveLength(1);
  });
});

describe("SARIF", () => {
  const run = (report: Report) => JSON.parse(render(report, "sarif", OPTIONS)).runs[0];

  it("states each rule once, and every result points at its rule", () => {
    const { tool, results } = run(mixed);
    const ids: string[] = tool.driver.rules.map((rule: { id: string }) => rule.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const result of results) expect(ids[result.ruleIndex]).toBe(result.ruleId);
  });

  it("turns critical into error, warning into warning, and info into note", () => {
    const severities = ["critical", "warning", "info"] as const;
    const findings = severities.map((severity) => aFinding({ code: `a-${severity}`, severity }));
    const levels = run(aReport({ positions: [aPosition({ findings })] })).results.map(
      (result: { level: string }) => result.level,
    );
    expect(levels).toEqual(["error", "warning", "note"]);
  });

  it("names the position, and gives each result a place in a file as GitHub demands", () => {
    const [location] = run(aReport({ positions: [anUnprotectedPosition()] })).results[0].locations;
    expect(location.logicalLocations[0].fullyQualifiedName).toBe("main/linear/BTCUSDT/0");
    expect(location.physicalLocation.artifactLocation.uri).toBe("config/backstop.yaml");
    expect(location.physicalLocation.region.startLine).toBe(1);
  });

  it("recognises the same finding of the same position in the next report, though prices and words differ", () => {
    const later = anUnprotectedPosition({ markPrice: "48000", findings: [aFinding({ message: "still none" })] });
    const prints = (report: Report) =>
      run(report).results.map((r: { partialFingerprints: object }) => r.partialFingerprints);
    const before = prints(aReport({ positions: [anUnprotectedPosition()] }));
    expect(prints(aReport({ positions: [aPosition({ symbol: "ETHUSDT" }), later] }))[0]).toEqual(before[0]);
  });

  it("keeps the same finding apart on the legs of a hedge, on two accounts, and twice on one position", () => {
    const findings = [aFinding()];
    const positions = [
      anUnprotectedPosition({ positionIdx: 1, findings }),
      anUnprotectedPosition({ positionIdx: 2, findings }),
      anUnprotectedPosition({ positionIdx: 1, account: "second", findings: [aFinding(), aFinding()] }),
    ];
    const prints = run(aReport({ positions })).results.map(
      (result: { partialFingerprints: { primaryLocationLineHash: string } }) =>
        result.partialFingerprints.primaryLocationLineHash,
    );
    expect(new Set(prints).size).toBe(4);
  });

  it("calls the execution unsuccessful when something could not be seen, and says what", () => {
    const [invocation] = run(mixed).invocations;
    expect(invocation.executionSuccessful).toBe(false);
    expect(invocation.toolExecutionNotifications[0].message.text).toContain("HTTP 502");
    expect(run(aReport()).invocations[0].executionSuccessful).toBe(true);
  });
});

describe("GitHub commands", () => {
  const lines = (report: Report) => render(report, "github", OPTIONS).trimEnd().split("\n");

  it("are an error for critical, a warning for warning, a notice for info and for steps", () => {
    const findings = (["critical", "warning", "info"] as const).map((severity) => aFinding({ severity, message: "m" }));
    const report = aReport({ positions: [aPosition({ findings, steps: [aStep({ outcome: "confirmed" })] })] });
    expect(lines(report).slice(0, 4)).toEqual([
      "::error title=BTCUSDT long%3A stop-missing::m",
      "::warning title=BTCUSDT long%3A stop-missing::m",
      "::notice title=BTCUSDT long%3A stop-missing::m",
      "::notice title=BTCUSDT long::set stop 49000, take-profit 52000 (stop-missing): confirmed",
    ]);
  });

  it("end with a line of plain text that sums up", () => {
    expect(lines(aReport()).at(-1)).toBe("bybit-backstop audit: 1 position: 1 protected");
    expect(lines(mixed).at(-1)).toContain("INCOMPLETE");
  });

  it("mention a position without stop even when a waiver left it without a finding", () => {
    const waived = anUnprotectedPosition({ findings: [], steps: [] });
    expect(lines(aReport({ positions: [waived] }))[0]).toBe("::notice title=BTCUSDT long::unprotected");
  });
});

describe("Markdown", () => {
  it("puts what needs attention in the open and folds the protected positions away", () => {
    const positions = [anUnprotectedPosition(), aPosition({ symbol: "CALMUSDT" })];
    const text = render(aReport({ positions }), "markdown", OPTIONS);
    expect(text.indexOf("BTCUSDT")).toBeLessThan(text.indexOf("<details>"));
    expect(text.indexOf("CALMUSDT")).toBeGreaterThan(text.indexOf("<details>"));
  });
});

describe("the page of findings", () => {
  const path = new URL("../../docs/findings.md", import.meta.url);

  it("has a section, with a cure, for each code in its tables", () => {
    expect(existsSync(path)).toBe(true);
    const page = readFileSync(path, "utf8");
    const codes = [...page.matchAll(/^\| \[`([a-z-]+)`\]\(#([a-z-]+)\)/gm)];
    expect(codes.length).toBeGreaterThan(25);
    for (const [, code = "", anchor] of codes) {
      expect(anchor).toBe(code);
      expect(page.split(`### ${code}\n`)[1]?.split("\n###")[0]).toContain("**Cure:**");
    }
  });
});
