/** The HTML page: self-contained, legible, and with drawings whose labels can be read. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Report, type ReportPosition, render } from "../../src/report/index.js";
import {
  aFinding,
  anAccount,
  anExit,
  anUnknownPosition,
  anUnprotectedPosition,
  aPosition,
  aReport,
} from "./builders.js";
import { parseXml } from "./markup.js";

const page = (report: Report) => render(report, "html", { color: false, width: 80 });
const urgent = [aFinding()];

/** The drawings of a page, each as XML of its own. */
function drawings(html: string): readonly string[] {
  return html.match(/<svg class="line".*?<\/svg>/g) ?? [];
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

/** Where texts stand on a line of 300 pixels, the narrowest one shown; digits of this size are at most 7 px wide. */
function textBoxes(svg: string): readonly Box[] {
  return [...svg.matchAll(/<text class="(?:name|price)[^"]*" x="([\d.]+)%" y="(\d+)">([^<]*)</g)].map(
    ([, x = "", y = "", text = ""]) => {
      const half = (text.replace(/^[‹›] /, "").length * (/[a-z]/.test(text) ? 5.5 : 7)) / 2;
      return { left: Number(x) * 3 - half, right: Number(x) * 3 + half, y: Number(y) };
    },
  );
}

function overlapping(boxes: readonly Box[]): readonly (readonly [Box, Box])[] {
  return boxes.flatMap((first, index) =>
    boxes
      .slice(index + 1)
      .filter((second) => Math.abs(first.y - second.y) < 12 && first.left < second.right && second.left < first.right)
      .map((second) => [first, second] as const),
  );
}

const price = fc.integer({ min: 1, max: 99_999_999 }).map((units) => (units / 1000).toFixed(3));
const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const anyPosition: fc.Arbitrary<ReportPosition> = fc
  .record({
    side: fc.constantFrom("long" as const, "short" as const),
    entryPrice: perhaps(price),
    markPrice: perhaps(price),
    liquidationPrice: perhaps(price),
    stopLoss: perhaps(price.map((value) => anExit({ price: value }))),
    takeProfit: perhaps(price.map((value) => anExit({ price: value }))),
  })
  .map((prices) => aPosition({ ...prices, findings: urgent }));

describe("the HTML page", () => {
  it("fetches nothing and runs nothing", () => {
    const html = page(aReport({ positions: [anUnprotectedPosition(), aPosition(), anUnknownPosition()] }));
    expect(html).not.toMatch(/https?:|<script|<link|<img|<iframe|@import|\bsrc=|\bhref=|javascript:|\son\w+=/i);
    expect(html).toContain("default-src 'none'");
  });

  it("is a document with language, title and headings", () => {
    const html = page(aReport({ positions: [anUnprotectedPosition()] }));
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toMatch(/<title>1 position: 1 unprotected · bybit-backstop<\/title>/);
    expect(html.match(/<h1>/g)).toHaveLength(1);
  });

  it("gives each identifier to one element only", () => {
    const positions = [anUnprotectedPosition(), anUnprotectedPosition(), aPosition(), aPosition(), anUnknownPosition()];
    const ids = [...page(aReport({ positions })).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("draws every position, the protected ones too, with a description in words", () => {
    const positions = [anUnprotectedPosition(), aPosition(), anUnknownPosition(), aPosition({ side: "short" })];
    const found = drawings(page(aReport({ positions })));
    expect(found).toHaveLength(4);
    for (const svg of found) {
      const elements = parseXml(svg);
      expect(elements[0]?.attributes.get("role")).toBe("img");
      expect(elements.map((element) => element.name)).toEqual(expect.arrayContaining(["title", "desc"]));
    }
    expect(found[0]).toContain("No stop.");
  });

  it("draws well-formed lines for whatever prices are known", () => {
    fc.assert(
      fc.property(anyPosition, (position) => {
        const [svg = ""] = drawings(page(aReport({ positions: [position] })));
        const shapes = parseXml(svg).flatMap(({ attributes }) =>
          ["x", "cx", "x1", "width"].map((a) => attributes.get(a)),
        );
        for (const value of shapes.filter((text) => text?.endsWith("%"))) {
          expect(Number.parseFloat(value ?? "")).toBeGreaterThanOrEqual(0);
          expect(Number.parseFloat(value ?? "")).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  it("never lets two labels of a drawing overlap, wherever the prices are", () => {
    fc.assert(
      fc.property(anyPosition, (position) => {
        const [svg = ""] = drawings(page(aReport({ positions: [position] })));
        expect(overlapping(textBoxes(svg))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("puts labels into more rows when their prices are too long for one", () => {
    const long = (digits: string) => `${digits}123456789012345`;
    const position = aPosition({
      findings: urgent,
      entryPrice: long("5."),
      markPrice: long("5.01"),
      liquidationPrice: long("4.4"),
      stopLoss: anExit({ price: long("4.8") }),
      takeProfit: anExit({ price: long("5.4") }),
    });
    const boxes = textBoxes(drawings(page(aReport({ positions: [position] })))[0] ?? "");
    expect(boxes).toHaveLength(10);
    expect(overlapping(boxes)).toEqual([]);
    expect(Math.min(...boxes.map(({ left }) => left))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...boxes.map(({ right }) => right))).toBeLessThanOrEqual(300);
  });

  it("keeps all labels of a drawing inside it", () => {
    fc.assert(
      fc.property(anyPosition, (position) => {
        const [svg = ""] = drawings(page(aReport({ positions: [position] })));
        for (const { left, right } of textBoxes(svg)) {
          expect(left).toBeGreaterThanOrEqual(0);
          expect(right).toBeLessThanOrEqual(300);
        }
      }),
    );
  });

  it("draws a long's stop left of its entry and a short's right of it", () => {
    const at = (position: ReportPosition, shape: RegExp) =>
      Number(shape.exec(drawings(page(aReport({ positions: [position] })))[0] ?? "")?.[1]);
    const stop = /class="m-stop" x1="([\d.]+)%"/;
    const entry = /class="m-entry" cx="([\d.]+)%"/;
    const long = aPosition({ findings: urgent });
    const short = aPosition({
      findings: urgent,
      side: "short",
      stopLoss: anExit({ price: "51000" }),
      takeProfit: null,
    });
    expect(at(long, stop)).toBeLessThan(at(long, entry));
    expect(at(short, stop)).toBeGreaterThan(at(short, entry));
  });

  it("still tells the other prices apart when liquidation is far away", () => {
    const [svg = ""] = drawings(
      page(aReport({ positions: [aPosition({ findings: urgent, liquidationPrice: "120" })] })),
    );
    const stop = Number(/class="m-stop" x1="([\d.]+)%"/.exec(svg)?.[1]);
    const target = Number(/class="m-target" x1="([\d.]+)%"/.exec(svg)?.[1]);
    expect(target - stop).toBeGreaterThan(40);
    expect(svg).toContain("not to scale");
  });

  it("shows what could not be seen above all positions", () => {
    const accounts = [
      anAccount({ complete: false, gaps: [{ category: "linear", what: "orders", reason: "HTTP 502" }] }),
    ];
    const html = page(aReport({ complete: false, accounts }));
    expect(html.indexOf("HTTP 502")).toBeGreaterThan(0);
    expect(html.indexOf("HTTP 502")).toBeLessThan(html.indexOf("BTCUSDT"));
  });

  it("never claims that all is well when nothing could be judged", () => {
    const accounts = [anAccount({ readable: false, complete: false })];
    expect(page(aReport({ complete: false, accounts, positions: [] }))).toContain("<h1>Nothing could be judged.</h1>");
  });

  it("does not call what is left alone all there is when an account could not be seen", () => {
    const accounts = [anAccount(), anAccount({ name: "other", readable: false, complete: false })];
    const positions = [aPosition({ status: "ignored" })];
    const html = page(aReport({ complete: false, accounts, positions }));
    expect(html).toContain("<h1>No position is left to protect, but not everything was seen.</h1>");
  });

  it("has text in light and dark that stands out from its ground by 4.5 to 1 or more", () => {
    const schemes = [...page(aReport()).matchAll(/--paper:#[^}]*/g)].map(([block]) => block).slice(0, 2);
    expect(schemes).toHaveLength(2);
    const pairs = [
      ...["ink", "soft", "red", "amber", "green"].flatMap((ink) => [`${ink}/paper`, `${ink}/card`]),
      "red/red-bg",
      "ink/red-bg",
      "amber/amber-bg",
      "green/green-bg",
      "ink/track",
    ];
    for (const scheme of schemes) {
      for (const pair of pairs) {
        const [ink = "", ground = ""] = pair.split("/").map((name) => colourOf(scheme, name));
        expect([pair, contrast(ink, ground) >= 4.5]).toEqual([pair, true]);
      }
    }
  });
});

function colourOf(scheme: string, name: string): string {
  return new RegExp(`--${name}:#([0-9a-f]{6})`).exec(scheme)?.[1] ?? "";
}

/** Contrast ratio as WCAG 2 defines it. */
function contrast(first: string, second: string): number {
  const [dark = 0, light = 0] = [luminance(first), luminance(second)].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((start) => {
    const share = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
