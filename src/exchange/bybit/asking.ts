/** What is asked for one series of requests at a time, and waited for no longer than it is worth. */
import { LATE, within } from "../../runtime/within.js";

/** So long what a look can do without may come after its rows: positions must not wait for more. */
export const LATE_MS = 800;
/** One request that does not answer must not keep others waiting; what answers within the wire's deadline counts. */
export const ALONE_WITHIN_MS = 5_500;

/**
 * Resolves when it has come, to true; to false where it has not in time, and at once where it was given up before.
 * `insists`: then it is waited for anew.
 */
export type Wait = (ms: number, insists?: boolean) => Promise<boolean>;

/** `ask` keeps what comes: it may be late, and is of use to whoever looks next. Without waiting nothing is told of its failure. */
export function oneAtATime(ask: () => Promise<void>): () => Wait {
  let underWay: Promise<void> | null = null;
  let givenUp: Promise<void> | null = null;

  function start(): Promise<void> {
    const work = ask().finally(() => {
      underWay = null;
    });
    work.catch(() => undefined);
    return work;
  }

  return () => {
    const work = (underWay ??= start());
    return async (ms, insists = false) => {
      if (work === givenUp && !insists) return false;
      const isLate = (await within(ms, work)) === LATE;
      if (isLate) givenUp = work;
      return !isLate;
    };
  };
}

/** What was asked for, or what stands for it where it does not come in time. */
export async function inTime<T>(work: Promise<T>, otherwise: T, withinMs = LATE_MS): Promise<T> {
  const came = await within(withinMs, work);
  return came === LATE ? otherwise : came;
}
