/** What a pass makes of refused closes, stops that land elsewhere, and an account that is refused half way. */
import { describe, expect, test } from "vitest";
import { exitCode } from "../../src/report/index.js";
import { lie, refuses, truth } from "../builders/fake-exchange.js";
import { outcomesOf, play, told } from "../builders/pass.js";
import { instrumentFor } from "../builders/market.js";
import { aPosition } from "../builders/position.js";

const long = aPosition();
const { key } = long;

describe("a close that the exchange refuses", () => {
  test("is sent once, and what is left open gets the tightest stop", async () => {
    const { exchange, report } = await play({
      positions: [aPosition({ entry: "110" })],
      protection: { pastStop: "close" },
      fate: (request) => ("quantity" in request ? refuses("limit", "available balance not enough") : truth),
    });
    expect(exchange.writes.map(({ kind }) => kind)).toEqual(["close", "trading-stop"]);
    expect(exchange.stopOf(key)).toBe("99.9");
    expect(told(report, key).status).toBe("protected");
  });
});

describe("a stop that the exchange puts at a looser price than it was sent", () => {
  const landsAt = (price: string) => {
    let refreshes = 0;
    const played = play({
      positions: [long],
      fate: () => lie,
      beforeWrite: (_write, hand) => hand.setStop(key, price),
      pass: { refreshInstruments: () => void (refreshes += 1) },
    });
    return { played, refreshes: () => refreshes };
  };

  test("is told as drift, and never as a success", async () => {
    const { report, result } = await landsAt("90").played;
    expect(outcomesOf(result, key)).toEqual(["uncertain"]);
    expect(told(report, key).findings.map(({ code }) => code)).toContain("intent-drift");
    expect(exitCode(report, "warning")).toBe(2);
  });

  test("has the contract's rules read anew: its tick may have changed", async () => {
    const scene = landsAt("90");
    await scene.played;
    expect(scene.refreshes()).toBeGreaterThan(0);
  });

  test("at the very price that was sent is neither drift nor a reason to read rules", async () => {
    const scene = landsAt("98");
    const { report } = await scene.played;
    expect(told(report, key).findings.map(({ code }) => code)).not.toContain("intent-drift");
    expect(scene.refreshes()).toBe(0);
  });
});

test.each([["permission"], ["clock"]] as const)(
  "an account refused for its %s half way is left alone after three refusals in a row",
  async (cause) => {
    const positions = Array.from({ length: 12 }, (_one, nth) => aPosition({ symbol: `C${nth}USDT` }));
    let sent = 0;
    const { exchange, result } = await play({
      positions,
      spacingMs: 111,
      fate: () =>
        ++sent <= 3 ? truth : { kind: "fails", failure: cause === "clock" ? "not-happened" : "refused", cause },
    });
    expect(exchange.writes.length).toBeLessThanOrEqual(6);
    expect(result.book.accountTrouble()).toMatchObject({ cause });
  },
);

describe("a contract in an auction, which takes no exits", () => {
  test("has its phase read anew in the same pass: the auction ends, and contracts are kept for an hour", async () => {
    let present: string | null = "CallAuction";
    let known: string | null = present;
    const contract = {
      ...instrumentFor(long),
      get preMarketPhase() {
        return known;
      },
    };
    const { exchange, result, again } = await play({
      positions: [long],
      instruments: [contract],
      pass: {
        refreshInstruments: () => {
          known = present;
        },
      },
    });
    expect(result.assessment.positions.map(({ status }) => status)).toEqual(["unprotectable"]);
    present = null;
    expect(exchange.writes).toEqual([]);
    await again();
    expect(exchange.stopOf(key)).toBe("98");
  });
});
