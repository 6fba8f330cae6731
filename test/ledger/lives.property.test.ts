/** After a time in which nobody watched: a life is called the same, or another, only where it truly is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { recognised } from "../../src/ledger/lives.js";
import { violation } from "../builders/arbitrary.js";
import { life } from "./stage.js";

const MINUTE_MS = 60_000;
const START_MS = 1_700_000_000_000;

/** What truly happened, in milliseconds after the start, by the exchange's clock. */
const truths = fc
  .record({
    /** From the opening to the first and the last time that it was seen open. */
    firstSeen: fc.integer({ min: 0, max: 3 * MINUTE_MS }),
    seenFor: fc.integer({ min: 0, max: 3 * MINUTE_MS }),
    /** From then to a close and a new opening, not in the same moment; null: it is still open. */
    reopened: fc.option(fc.integer({ min: 251, max: 3 * MINUTE_MS })),
    /** How exactly the exchange tells the same opening twice. */
    jitter: fc.integer({ min: -100, max: 0 }),
    /** Our clock minus the exchange's. */
    skew: fc.integer({ min: -MINUTE_MS, max: MINUTE_MS }),
    isOpeningKnown: fc.boolean(),
    isOpeningTold: fc.boolean(),
  })
  .map(({ firstSeen, seenFor, reopened, jitter, skew, isOpeningKnown, isOpeningTold }) => {
    const lastSeen = firstSeen + seenFor;
    const opening = START_MS + (reopened === null ? jitter : lastSeen + reopened);
    return {
      isSame: reopened === null,
      life: life({ openedAtMs: isOpeningKnown ? START_MS : null, firstSeenMs: START_MS + firstSeen + skew }),
      lastSeenMs: START_MS + lastSeen + skew,
      position: { side: "long", openedAtMs: isOpeningTold ? opening : null } as const,
      areBothKnown: isOpeningKnown && isOpeningTold,
    };
  });

test("whatever the clocks within a minute, with or without knowing when it was last seen", () => {
  const property = fc.property(truths, ({ isSame, life: stored, lastSeenMs, position, areBothKnown }) => {
    const truth = isSame ? "same" : "another";
    const allowed = areBothKnown ? [truth] : [truth, "unproven"];
    expect(allowed).toContain(recognised(stored, position, lastSeenMs));
    expect(allowed).toContain(recognised(stored, position));
  });
  expect(violation(property, { numRuns: 2_000 })).toBeNull();
});

test("the other side is another life, and so is one after the end, unless it opened in the same moment", () => {
  const ended = life({ ended: { how: "closed", atMs: START_MS } });
  const position = { side: "long", openedAtMs: ended.openedAtMs } as const;
  expect(recognised(ended, { ...position, side: "short" })).toBe("another");
  expect(recognised(ended, { ...position, openedAtMs: null })).toBe("another");
  expect(recognised(ended, position)).toBe("same");
  expect(recognised({ ...ended, openedAtMs: null }, position)).toBe("another");
});
