/** The last look before a write: what waited for its turn is held against its contract as it stands now. */
import { assess } from "../assess/assess.js";
import { pictureOf, seenAtMs, slownessMs } from "../domain/picture.js";
import { type Contract, isBlindFor, type Snapshot } from "../domain/snapshot.js";
import { ExchangeFailure } from "../exchange/failure.js";
import { plan } from "../plan/plan.js";
import type { Step } from "../plan/step.js";
import type { PassOptions } from "./options.js";
import type { View } from "./view.js";

/** What has come within this time is as good as a look made now. */
const KNOWN_WITHIN_MS = 100;
/** Where its rows took longer, another hand may have acted between the first of them and the last. */
const MOST_SLOWNESS_MS = 400;

/** What a last look has shown. */
export interface LastLook {
  readonly view: View;
  /** False: what was known before stands in for the open orders, and says how old it all is. */
  readonly isWhole: boolean;
}

/** The contract of the step alone, as it is now; null: what is known is young enough, or nothing newer can be had. */
export async function lastLook(step: Step, latest: View, options: PassOptions): Promise<LastLook | null> {
  const { reader, clock, policyOf, memory } = options;
  const tookMs = Math.min(slownessMs(latest.picture, step.key), MOST_SLOWNESS_MS);
  if (clock.now() - seenAtMs(latest.picture, step.key) <= tookMs + KNOWN_WITHIN_MS) return null;
  const { category, symbol } = step.key;
  try {
    const looked = await reader.snapshot([{ category, symbol }], "for-a-write");
    const showsRows = !looked.gaps.some((gap) => gap.what === "positions" && isBlindFor(gap, step.key));
    if (!showsRows) return null;
    const snapshot = withKnown(looked, latest.picture.snapshot, step.key);
    const picture = { ...pictureOf(snapshot), again: snapshot };
    const assessment = assess({
      snapshot,
      policyOf: ({ key, side }) => policyOf(key, side),
      lifeOf: (position) => memory.recall(position),
      nowMs: clock.calendarMs?.() ?? clock.now(),
      steadyMs: clock.now(),
    });
    const planned = plan(assessment, { frozen: null, manyChangesAgreed: true });
    return {
      view: { picture, assessment, planned, braked: null, inDoubt: [] },
      isWhole: !lacksOrders(looked, step.key),
    };
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}

function lacksOrders({ gaps }: Snapshot, contract: Contract): boolean {
  return gaps.some((gap) => gap.what === "orders" && isBlindFor(gap, contract));
}

/**
 * A row that was read may state a tighter stop of another hand, whatever else of the look has failed: what was known
 * before stands in for orders, prices and rules that it lacks.
 */
function withKnown(looked: Snapshot, known: Snapshot, contract: Contract): Snapshot {
  const isOwn = (row: { readonly category: string; readonly symbol: string | null }) =>
    row.category === contract.category && (row.symbol === null || row.symbol === contract.symbol);
  const orders = lacksOrders(looked, contract)
    ? { orders: known.orders.filter(isOwn), unreadableOrders: known.unreadableOrders.filter(isOwn) }
    : {};
  return {
    ...looked,
    ...orders,
    gaps: [],
    instruments: new Map([...known.instruments, ...looked.instruments]),
    tickers: new Map([...known.tickers, ...looked.tickers]),
  };
}

/** Lets so many in at a time as `most` says at that moment; each leaves by what it was given. */
export function createGate(most: () => number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const letIn = (): void => {
    while (inside < most()) {
      const next = waiting.shift();
      if (next === undefined) return;
      inside += 1;
      next();
    }
  };
  const leave = (): void => {
    inside -= 1;
    letIn();
  };
  return async () => {
    const entered = new Promise<void>((resolve) => void waiting.push(resolve));
    letIn();
    await entered;
    let isInside = true;
    return () => {
      if (isInside) leave();
      isInside = false;
    };
  };
}
