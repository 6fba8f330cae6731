/** What is asked for one series of requests at a time, and waited for no longer than it is worth. */
import { LATE, within } from "../../runtime/within.js";
import { ExchangeFailure } from "../failure.js";
import { type Answer, type Client, mayTryAgain, type Request } from "./client.js";

/** So long what a look can do without may come after its rows: positions must not wait for more. */
export const LATE_MS = 800;

/** What answers within the wire's deadline counts, however slow the exchange is. */
export const ALONE_WITHIN_MS = 5_500;

/** A slow exchange is slow in everything: what comes beside lists is worth twice the time that they took. */
export function worthWaitingMs(listsTookMs: number): number {
  return Math.min(ALONE_WITHIN_MS, Math.max(LATE_MS, 2 * listsTookMs));
}

/** What fails at once is asked for again after this pause. */
const AGAIN_AFTER_MS = 250;

/** The same line for what nobody must wait for: a read that hangs so long is given up, one that fails is tried again for as long. */
export function hurriedly(client: Client, withinMs: number): Client {
  async function read<T>(wanted: Request<T>): Promise<Answer<T>> {
    const endpoint = `${wanted.method} ${wanted.path}`;
    const timeout = new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint });
    const first = await within(withinMs, client.readOnce(wanted).catch(passing));
    if (first === LATE) throw timeout;
    if (!(first instanceof ExchangeFailure)) return first;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    const again = await within(withinMs, client.read(wanted));
    if (again === LATE) throw first;
    return again;
  }
  return { ...client, read };
}

function passing(error: unknown): ExchangeFailure {
  if (error instanceof ExchangeFailure && mayTryAgain(error)) return error;
  throw error;
}

/** Resolves when it has come, to true; to false where it has not in time, and at once where it was given up before. */
export type Wait = (ms: number) => Promise<boolean>;

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
    return async (ms) => {
      if (work === givenUp) return false;
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
