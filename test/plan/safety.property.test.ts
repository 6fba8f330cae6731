/** What no plan ever does, for any account, policy and mode. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assess, type Assessed, type Assessment } from "../../src/assess/assess.js";
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { keyText } from "../../src/domain/position.js";
import { isBeyondLiquidation, isLooserStop, isPast, isTighterStop, tightestTick } from "../../src/domain/price.js";
import { plan } from "../../src/plan/plan.js";
import type { PlannedStep, SetTradingStop } from "../../src/plan/step.js";
import { basePrice, knownLiquidation } from "../../src/policy/levels.js";
import type { Mode, Protection } from "../../src/policy/protection.js";
import { anAccount, MODES, protectionIn, violation } from "../builders/arbitrary.js";
import { carryOut } from "../builders/model.js";
import { resolved } from "../builders/policy.js";
import { aSnapshot, type SnapshotShape } from "../builders/snapshot.js";

const aLife: fc.Arbitrary<LifeRecord> = fc
  .record({
    rebased: fc.boolean(),
    movedForLiquidation: fc.boolean(),
    stopTriggered: fc.boolean(),
    closeSent: fc.boolean(),
  })
  .map((life) => ({ ...UNWRITTEN_LIFE, ...life }));

interface Planned {
  readonly account: SnapshotShape;
  readonly wish: Protection;
  readonly assessment: Assessment;
  readonly steps: readonly PlannedStep[];
}

type LifeOf = (key: string) => LifeRecord;

function planFor(account: SnapshotShape, wish: Protection, lifeOf: LifeOf, agreed = true): Planned {
  const assessment = assess({
    snapshot: aSnapshot(account),
    policyOf: () => resolved({ protection: wish }),
    lifeOf: ({ key }) => lifeOf(keyText(key)),
  });
  return { account, wish, assessment, steps: plan(assessment, { manyChangesAgreed: agreed, frozen: null }) };
}

/** The check of one step against the position as it was judged. */
type Check = (step: SetTradingStop, assessed: Assessed, planned: Planned) => boolean;

function everyPlan(
  check: (planned: Planned) => boolean | void,
  modes: readonly Mode[] = MODES,
  options: { readonly seed?: number; readonly numRuns: number } = { numRuns: 250 },
): string | null {
  const plans = fc.property(anAccount, protectionIn(modes), aLife, (account, wish, life) =>
    check(planFor(account, wish, () => life)),
  );
  return violation(plans, options);
}

function everyStep(check: Check, modes: readonly Mode[] = MODES): string | null {
  return everyPlan((planned) => {
    const byKey = new Map(planned.assessment.positions.map((each) => [keyText(each.position.key), each] as const));
    return planned.steps.every(({ step, held }) => {
      const assessed = byKey.get(keyText(step.key));
      if (assessed === undefined) return false;
      return held !== null || step.action === "close-position" || check(step, assessed, planned);
    });
  }, modes);
}

test("the generated accounts do give every kind of step, so that these properties speak of something", () => {
  const kinds = new Set<string>();
  const collect = ({ steps }: Planned) => {
    for (const { step } of steps) {
      kinds.add(step.action === "close-position" ? `close ${step.reason}` : (step.stopLoss?.purpose ?? "profit only"));
    }
  };
  expect(everyPlan(collect, MODES, { seed: 7, numRuns: 1_500 })).toBeNull();
  expect([...kinds].sort()).toEqual([
    "add",
    "close stop-past",
    "close take-profit-past",
    "inside-liquidation",
    "nearest",
    "profit only",
    "rebase",
    "tighten",
  ]);
});

describe("never loosen", () => {
  test("no step loosens a Full stop that stands", () => {
    expect(
      everyStep(({ stopLoss }, { stop, position }) => {
        return (
          stopLoss === null ||
          stop.standingFull === null ||
          !isLooserStop(stopLoss.price, stop.standingFull, position.side)
        );
      }),
    ).toBeNull();
  });

  test("a step that touches a Full stop makes it strictly tighter", () => {
    expect(
      everyStep(({ stopLoss }, { stop, position }) => {
        return (
          stopLoss === null ||
          stop.standingFull === null ||
          isTighterStop(stopLoss.price, stop.standingFull, position.side)
        );
      }),
    ).toBeNull();
  });

  test("carried out, a plan never lowers the cover of any position, and never moves its last exit away", () => {
    expect(
      violation(
        fc.property(anAccount, protectionIn(MODES), (account, wish) => {
          const before = planFor(account, wish, () => UNWRITTEN_LIFE);
          const after = planFor(carryOut(account, before.steps).shape, wish, () => UNWRITTEN_LIFE);
          const byKey = new Map(after.assessment.positions.map((each) => [keyText(each.position.key), each] as const));
          return before.assessment.positions.every(({ position, stop }) => {
            const then = byKey.get(keyText(position.key));
            if (then === undefined || stop.inside === null) return true;
            if (then.stop.inside === null) return false;
            const isLower = then.stop.inside.coverage.lt(stop.inside.coverage);
            const wasWhole = stop.inside.coverage.eq(1);
            return !isLower && !(wasWhole && isLooserStop(then.stop.inside.price, stop.inside.price, position.side));
          });
        }),
        { numRuns: 250 },
      ),
    ).toBeNull();
  });

  test("create-only never touches the stop of a position whose Full stop stands", () => {
    expect(
      everyStep(({ stopLoss }, { stop }) => stop.standingFull === null || stopLoss === null, ["create-only"]),
    ).toBeNull();
  });

  test("create-only never touches a take-profit that stands", () => {
    expect(
      everyStep(
        ({ takeProfit }, assessed) => takeProfit === null || assessed.takeProfit === null,
        ["create-only", "tighten-only"],
      ),
    ).toBeNull();
  });

  test("create-only and pastStop never touch a position that is protected", () => {
    expect(
      everyStep(({ stopLoss }, { status }) => status !== "protected" || stopLoss === null, ["create-only"]),
    ).toBeNull();
  });
});

describe("right place", () => {
  test("no level is on the wrong side of the price that triggers it", () => {
    expect(
      everyStep(({ stopLoss, takeProfit }, { position, market }) => {
        if (market === null) return false;
        const isRight = (exit: "stop-loss" | "take-profit", level: typeof takeProfit) => {
          const base = level === null ? null : basePrice(position, market, level.triggerBy, exit);
          return level === null || (base !== null && !isPast(level.price, base, position.side, exit));
        };
        return isRight("stop-loss", stopLoss) && isRight("take-profit", takeProfit);
      }),
    ).toBeNull();
  });

  test("every level is above zero and an exact multiple of the tick", () => {
    expect(
      everyStep(({ stopLoss, takeProfit }, { market }) =>
        [stopLoss, takeProfit].every(
          (level) =>
            level === null ||
            (market !== null && level.price.gt(0) && level.price.mod(market.instrument.tickSize).isZero()),
        ),
      ),
    ).toBeNull();
  });

  test("no stop that triggers by mark is placed where liquidation would come first, if any tick lies between", () => {
    expect(
      everyStep(({ stopLoss }, { position, market }) => {
        if (stopLoss === null || stopLoss.triggerBy !== "MarkPrice" || market === null) return true;
        const base = basePrice(position, market, "MarkPrice", "stop-loss");
        const liquidation = knownLiquidation(position, base);
        if (base === null || liquidation === null) return true;
        const tightest = tightestTick(base, market.instrument.tickSize, position.side, "stop-loss");
        const noneFits = isBeyondLiquidation(tightest, liquidation, position.side);
        return noneFits || !isBeyondLiquidation(stopLoss.price, liquidation, position.side);
      }),
    ).toBeNull();
  });

  test("every step carries its position's own positionIdx and side", () => {
    expect(
      everyPlan(({ steps, assessment }) =>
        steps.every(({ step }) =>
          assessment.positions.some(
            ({ position }) => keyText(position.key) === keyText(step.key) && position.side === step.side,
          ),
        ),
      ),
    ).toBeNull();
  });

  test("a close is never larger than its position", () => {
    expect(
      everyPlan(({ steps, assessment }) =>
        steps.every(({ step }) => {
          if (step.action !== "close-position") return true;
          const owner = assessment.positions.find(({ position }) => keyText(position.key) === keyText(step.key));
          return owner !== undefined && step.quantity.eq(owner.position.size);
        }),
      ),
    ).toBeNull();
  });
});

describe("no more than asked", () => {
  test("report-only plans nothing", () => {
    expect(everyPlan(({ steps }) => steps.length === 0, ["report-only"])).toBeNull();
  });

  test("a take-profit is set only where one is configured", () => {
    expect(
      everyStep(({ takeProfit }, _assessed, { wish }) => takeProfit === null || wish.takeProfit !== null),
    ).toBeNull();
  });

  test("a stop is moved only in the modes that may move", () => {
    expect(
      everyStep(
        ({ stopLoss }) => stopLoss === null || !["tighten", "inside-liquidation"].includes(stopLoss.purpose),
        ["create-only"],
      ),
    ).toBeNull();
  });

  test("a position is named at most once", () => {
    expect(
      everyPlan(({ steps }) => new Set(steps.map(({ step }) => keyText(step.key))).size === steps.length),
    ).toBeNull();
  });

  test("no step sets nothing", () => {
    expect(everyStep(({ stopLoss, takeProfit }) => stopLoss !== null || takeProfit !== null)).toBeNull();
  });

  test("what cannot be known, protected or is ignored gets no step", () => {
    expect(
      everyPlan(({ steps, assessment }) => {
        const named = new Set(steps.map(({ step }) => keyText(step.key)));
        return assessment.positions.every(
          ({ position, status }) =>
            !["unknown", "unprotectable", "ignored"].includes(status) || !named.has(keyText(position.key)),
        );
      }),
    ).toBeNull();
  });

  test("a position with an order that cannot be read gets no step, even where it is covered", () => {
    expect(
      everyPlan(({ steps, assessment }) => {
        const named = new Set(steps.map(({ step }) => keyText(step.key)));
        return assessment.positions.every(
          ({ position, stop }) => stop.doubt === null || !named.has(keyText(position.key)),
        );
      }),
    ).toBeNull();
  });

  test("only pastStop and pastTakeProfit that say close ever close", () => {
    expect(
      everyPlan(({ steps, wish }) =>
        steps.every(({ step }) => {
          if (step.action !== "close-position") return true;
          return step.reason === "stop-past" ? wish.pastStop === "close" : wish.pastTakeProfit === "close";
        }),
      ),
    ).toBeNull();
  });

  test("a position is never closed while a stop stands for any part of it and its level is merely past", () => {
    expect(
      everyPlan(({ steps, assessment }) =>
        steps.every(({ step }) => {
          if (step.action !== "close-position" || step.reason !== "stop-past") return true;
          const owner = assessment.positions.find(({ position }) => keyText(position.key) === keyText(step.key));
          return owner?.stop.all === null;
        }),
      ),
    ).toBeNull();
  });

  test("priorities are distinct, and the steps come in their order", () => {
    expect(
      everyPlan(({ steps }) => {
        const priorities = steps.map(({ priority }) => priority);
        return priorities.every((priority, index) => index === 0 || priority <= (priorities[index - 1] ?? 0));
      }),
    ).toBeNull();
  });

  test("nothing that is planned objects to itself: the guard finds no fault", () => {
    expect(everyPlan(({ steps }) => steps.every(({ held }) => held === null))).toBeNull();
  });
});

describe("enough", () => {
  test("carried out, a plan leaves nothing to do: one pass converges", () => {
    expect(
      violation(
        fc.property(anAccount, protectionIn(MODES), (account, wish) => {
          fc.pre(wish.pastTakeProfit !== "close");
          const first = planFor(account, wish, () => UNWRITTEN_LIFE);
          const { shape, lives } = carryOut(account, first.steps);
          const second = planFor(shape, wish, (key) => lives.get(key) ?? UNWRITTEN_LIFE);
          expect(second.steps).toEqual([]);
        }),
        { numRuns: 250 },
      ),
    ).toBeNull();
  });

  test("with pastTakeProfit close, what is left after the stop is the close, and then nothing", () => {
    expect(
      violation(
        fc.property(anAccount, protectionIn(MODES), (account, wish) => {
          const closing = { ...wish, pastTakeProfit: "close" as const };
          const first = planFor(account, closing, () => UNWRITTEN_LIFE);
          const once = carryOut(account, first.steps);
          const second = planFor(once.shape, closing, (key) => once.lives.get(key) ?? UNWRITTEN_LIFE);
          const twice = carryOut(once.shape, second.steps);
          const third = planFor(twice.shape, closing, (key) => once.lives.get(key) ?? UNWRITTEN_LIFE);
          return second.steps.every(({ step }) => step.action === "close-position") && third.steps.length === 0;
        }),
        { numRuns: 200 },
      ),
    ).toBeNull();
  });

  test("every naked position that may be written, and whose level exists, gets a stop, a close, or was told to be left", () => {
    expect(
      everyPlan(
        ({ steps, assessment, wish }) => {
          const named = new Set(steps.map(({ step }) => keyText(step.key)));
          return assessment.positions
            .filter(
              ({ status, hedgedBy }) =>
                status === "unprotected" && (wish.hedged === "protect" || hedgedBy.length === 0),
            )
            .every(({ position, wanted, market, life }) => {
              if (wanted.stopLoss.kind === "impossible" || market === null) return true;
              const isPastStop = wanted.stopLoss.kind === "past";
              // A price below its own tick leaves no level under it.
              const base = isPastStop ? wanted.stopLoss.base : null;
              const noTick =
                base !== null && !tightestTick(base, market.instrument.tickSize, position.side, "stop-loss").gt(0);
              const isLeft = isPastStop && (wish.pastStop === "alert" || life.closeSent || noTick);
              return isLeft || named.has(keyText(position.key));
            });
        },
        ["create-only", "tighten-only", "sync"],
      ),
    ).toBeNull();
  });

  test("the plan does not depend on the order of positions and orders, but for the queue among equals", () => {
    expect(
      violation(
        fc.property(anAccount, protectionIn(MODES), (account, wish) => {
          const turned = {
            ...account,
            positions: (account.positions ?? []).toReversed(),
            orders: (account.orders ?? []).toReversed(),
          };
          const texts = ({ steps }: Planned) => steps.map(({ step }) => JSON.stringify(step)).sort();
          expect(texts(planFor(turned, wish, () => UNWRITTEN_LIFE))).toEqual(
            texts(planFor(account, wish, () => UNWRITTEN_LIFE)),
          );
        }),
      ),
    ).toBeNull();
  });
});
