/** Whatever bots, people, the stream and the exchange do in any order: when it is calm again, everything is protected. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { keyText, type Position } from "../../src/domain/position.js";
import { isLooserStop, isTighterStop } from "../../src/domain/price.js";
import type { ReadScope } from "../../src/domain/snapshot.js";
import {
  failure,
  type Fate,
  lie,
  lostWithEffect,
  lostWithoutEffect,
  refuses,
  truth,
} from "../builders/fake-exchange.js";
import { type Guarded, guarded, orderPush, pushOf } from "../builders/guard.js";
import { fullStop } from "../builders/order.js";
import { aPosition } from "../builders/position.js";

const SYMBOLS = ["AUSDT", "BUSDT", "CUSDT"] as const;

type Deed =
  | { readonly what: "open" | "close" | "flip" | "grow" | "reduce"; readonly symbol: string; readonly isTold: boolean }
  | { readonly what: "bot-stop"; readonly symbol: string; readonly permille: number; readonly isTold: boolean }
  | { readonly what: "drop" }
  | { readonly what: "live" }
  | { readonly what: "sweep" }
  | { readonly what: "repeat"; readonly symbol: string }
  | { readonly what: "wait"; readonly ms: number };

const aSymbol = fc.constantFrom(...SYMBOLS);
const aDeed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    what: fc.constantFrom(
      "open" as const,
      "open" as const,
      "close" as const,
      "flip" as const,
      "grow" as const,
      "reduce" as const,
    ),
    symbol: aSymbol,
    // Pushes are lost now and then.
    isTold: fc.integer({ min: 0, max: 9 }).map((dice) => dice > 1),
  }),
  fc.record({
    what: fc.constant("bot-stop" as const),
    symbol: aSymbol,
    permille: fc.integer({ min: 2, max: 19 }),
    isTold: fc.boolean(),
  }),
  fc.constantFrom<Deed>({ what: "drop" }, { what: "live" }, { what: "sweep" }),
  fc.record({ what: fc.constant("repeat" as const), symbol: aSymbol }),
  fc.record({ what: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
);

/** What becomes of writes and reads, drawn in their order; when the list is at its end, all goes well. */
const someFates: fc.Arbitrary<readonly Fate[]> = fc.array(
  fc.constantFrom(truth, truth, lie, lostWithEffect, lostWithoutEffect, refuses("zero-position"), refuses("other")),
  { maxLength: 12 },
);
const someReads: fc.Arbitrary<readonly ("well" | "fails" | "gap")[]> = fc.array(
  fc.constantFrom("well", "well", "well", "fails", "gap"),
  { maxLength: 20 },
);

interface Storm {
  readonly scene: Guarded;
  readonly held: Map<string, Position>;
  readonly calm: () => Promise<void>;
}

async function storm(deeds: readonly Deed[], fates: readonly Fate[], reads: readonly string[]): Promise<Storm> {
  let isCalm = false;
  let writes = 0;
  const held = new Map<string, Position>();
  const scene = await guarded({
    latencyMs: 40,
    fate: () => (isCalm ? truth : (fates[writes++] ?? truth)),
    beforeRead: (nth: number, _hand: unknown, scope: ReadScope) => {
      const how = isCalm || nth < 2 ? "well" : reads[nth % Math.max(1, reads.length)];
      if (how === "fails") throw failure("not-happened", "network", "no connection");
      if (how !== "gap" || scope === "account") return [];
      return scope.map(({ category, symbol }) => ({
        category,
        what: "positions" as const,
        symbols: [symbol],
        reason: "timeout",
      }));
    },
  });
  for (const deed of deeds) await happen(deed, scene, held);
  return {
    scene,
    held,
    calm: async () => {
      isCalm = true;
      scene.stream.comesLive();
      scene.guard.wake("schedule");
      await scene.clock.sleep(20_000);
      scene.guard.wake("schedule");
      await scene.clock.sleep(80_000);
      scene.guard.wake("schedule");
      await scene.clock.sleep(20_000);
    },
  };
}

async function happen(deed: Deed, scene: Guarded, held: Map<string, Position>): Promise<void> {
  const { exchange, clock, stream } = scene;
  if (deed.what === "wait") return clock.sleep(deed.ms);
  if (deed.what === "drop") return stream.isUp ? stream.drops() : undefined;
  if (deed.what === "live") return stream.isUp ? undefined : stream.comesLive();
  if (deed.what === "sweep") return scene.guard.wake("schedule");
  const before = held.get(deed.symbol);
  const standing = before === undefined ? null : exchange.stopOf(before.key);
  if (deed.what === "repeat") {
    if (before !== undefined && stream.isUp)
      scene.pushes(pushOf({ ...before, fullStopLoss: standing === null ? null : dec(standing) }, clock));
    return undefined;
  }
  if (deed.what === "bot-stop") return botStop(deed, scene, before);
  const after = changed(deed.what, deed.symbol, before, standing, clock.now());
  if (after === null) {
    if (before === undefined) return undefined;
    held.delete(deed.symbol);
    exchange.hand.close(before.key);
    if (deed.isTold && stream.isUp) scene.pushes({ kind: "position-flat", key: before.key, atMs: clock.now() });
    return undefined;
  }
  held.set(deed.symbol, after);
  if (deed.isTold && stream.isUp) scene.opens(after);
  else exchange.hand.put(after);
  return undefined;
}

function changed(
  what: "open" | "close" | "flip" | "grow" | "reduce",
  symbol: string,
  before: Position | undefined,
  standing: string | null,
  nowMs: number,
): Position | null {
  const fresh = (side: Position["side"]) => aPosition({ symbol, side, openedAtMs: nowMs });
  if (what === "close") return null;
  if (before === undefined) return fresh("long");
  if (what === "flip") return fresh(before.side === "long" ? "short" : "long");
  const size = what === "reduce" ? before.size.div(2) : before.size.plus(1);
  return { ...before, size, fullStopLoss: standing === null ? null : dec(standing) };
}

/** A bot only ever tightens. */
function botStop(deed: Extract<Deed, { what: "bot-stop" }>, scene: Guarded, position: Position | undefined): void {
  if (position === undefined) return;
  const { exchange, clock, stream } = scene;
  const price = dec("100")
    .times(position.side === "long" ? 1_000 - deed.permille : 1_000 + deed.permille)
    .div(1_000);
  const standing = exchange.stopOf(position.key);
  if (standing !== null && !isTighterStop(price, dec(standing), position.side)) return;
  exchange.hand.setStop(position.key, price.toFixed());
  if (deed.isTold && stream.isUp)
    scene.pushes(orderPush(fullStop(position, price.toFixed(), { orderId: `bot-${price.toFixed()}` }), clock));
}

/** What stands, said so that a failure names it. */
function stopText({ exchange }: Guarded, { key, side }: Position): string {
  const stop = exchange.stopOf(key);
  if (stop === null) return `${keyText(key)} is naked`;
  const isLoose = isLooserStop(dec(stop), dec(side === "long" ? "98" : "102"), side);
  return `${keyText(key)} is ${isLoose ? `looser than configured: ${stop}` : "guarded"}`;
}

describe("after any storm", () => {
  test("every position that is open has a stop on its own side, at the configured level or tighter", async () => {
    const property = fc.asyncProperty(
      fc.array(aDeed, { maxLength: 25 }),
      someFates,
      someReads,
      async (deeds, fates, reads) => {
        const { scene, held, calm } = await storm(deeds, fates, reads);
        await calm();
        for (const position of held.values()) {
          expect(stopText(scene, position)).toBe(`${keyText(position.key)} is guarded`);
        }
        expect(scene.guard.status().positions.protected).toBe(held.size);
        await scene.close();
      },
    );
    expect(
      await fc
        .check(property, { numRuns: 150 })
        .then((found) => (found.failed ? fc.defaultReportMessage(found) : null)),
    ).toBeNull();
  });

  test("nothing is sent any more when it is calm: a second sweep has nothing to do", async () => {
    const property = fc.asyncProperty(
      fc.array(aDeed, { maxLength: 20 }),
      someFates,
      someReads,
      async (deeds, fates, reads) => {
        const { scene, calm } = await storm(deeds, fates, reads);
        await calm();
        const writes = scene.exchange.writes.length;
        scene.guard.wake("schedule");
        await scene.clock.sleep(30_000);
        expect(scene.exchange.writes.length).toBe(writes);
        await scene.close();
      },
    );
    expect(
      await fc.check(property, { numRuns: 80 }).then((found) => (found.failed ? fc.defaultReportMessage(found) : null)),
    ).toBeNull();
  });

  test("no position had more than three writes in any minute of one life", async () => {
    const property = fc.asyncProperty(
      fc.array(aDeed, { maxLength: 20 }),
      someFates,
      someReads,
      async (deeds, fates, reads) => {
        const { scene, calm } = await storm(
          deeds.filter(({ what }) => what !== "close" && what !== "flip"),
          // What had no effect is no write.
          fates.filter(({ kind }) => kind !== "fails"),
          reads,
        );
        await calm();
        for (const symbol of SYMBOLS) {
          const times = scene.exchange.writes
            .filter(({ request }) => request.key.symbol === symbol)
            .map(({ atMs }) => atMs);
          for (const atMs of times)
            expect(times.filter((other) => other >= atMs && other < atMs + 60_000).length).toBeLessThanOrEqual(3);
        }
        await scene.close();
      },
    );
    expect(
      await fc.check(property, { numRuns: 80 }).then((found) => (found.failed ? fc.defaultReportMessage(found) : null)),
    ).toBeNull();
  });
});
