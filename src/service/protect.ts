/** One pass over every account that sets what is missing and proves it. */
import type { AccountOutcome } from "../report/build.js";
import type { Report } from "../report/index.js";
import { type FirstReading, firstReading, type PassChoice, passOver } from "./accounts.js";
import { openAccountBooks, type OpenAccountBooks } from "./books/once.js";
import { closeAll, type Connected, connectAll } from "./connect.js";
import { systemClock, within } from "../runtime/index.js";
import type { Ground } from "./ground.js";
import { refuseStrongKey } from "./key-rights.js";
import { reportOf } from "./report.js";

export interface ProtectChoice {
  /** `read`: a dry run, which is handed no writer. */
  readonly access: "read" | "write";
  /** Asked before anything is sent for an account, one account after the other; absent: nobody is asked. */
  readonly approve?: PassChoice["approve"];
  /** True: nothing more is to be sent; what is on the wire is awaited. */
  readonly isStopping?: () => boolean;
  /** Called before each write leaves. */
  readonly onSend?: () => void;
}

/** An exchange that lets nothing in must not keep the report from a job that waits for it. */
const MOST_MS = 180_000;

/** What is left then is for the next command. */
const UPKEEP_WITHIN_MS = 10_000;

/** @throws StartRefused for a key that may do more than it should; then nothing was sent */
export async function protectOnce(ground: Ground, choice: ProtectChoice): Promise<Report> {
  const connected = connectAll(ground, choice.access);
  try {
    const keys = await Promise.all(connected.map(firstReading));
    connected.forEach((one, index) => refuseStrongKey(one, keys[index]?.first, ground.log));
    const books = await openAccountBooks(ground, choice.access);
    try {
      const outcomes = await passes(connected, keys, { choice, books }, ground);
      const report = reportOf("protect", outcomes);
      await upkeep({ connected, outcomes, books, isStopping: choice.isStopping }, ground);
      return report;
    } finally {
      await books.close();
    }
  } finally {
    await closeAll(connected);
  }
}

interface Upkeep {
  readonly connected: readonly Connected[];
  readonly outcomes: readonly AccountOutcome[];
  readonly books: OpenAccountBooks;
  readonly isStopping: (() => boolean) | undefined;
}

/** The report is made: nothing that goes wrong here may cost it. */
async function upkeep({ connected, outcomes, books, isStopping }: Upkeep, { log }: Ground): Promise<void> {
  let isLate = false;
  const isOver = () => isLate || isStopping?.() === true;
  const ended = outcomes.map(async (outcome) => {
    const one = connected.find(({ account }) => account.name === outcome.name);
    if (one === undefined || outcome.kind !== "seen" || outcome.lostSight !== null || isOver()) return;
    await books.endClosed(one, outcome.picture, isOver);
  });
  const work = Promise.all(ended).catch((error: unknown) => log.error({ err: error }, "what has closed was not ended"));
  await within(UPKEEP_WITHIN_MS, work);
  isLate = true;
}

async function passes(
  connected: readonly Connected[],
  keys: readonly FirstReading[],
  {
    choice: { approve, isStopping = () => false, onSend },
    books,
  }: { readonly choice: ProtectChoice; readonly books: OpenAccountBooks },
  ground: Ground,
): Promise<readonly AccountOutcome[]> {
  const endMs = systemClock.monotonicMs() + MOST_MS;
  const isDue = (): boolean => isStopping() || (approve === undefined && systemClock.monotonicMs() >= endMs);
  // The brake on many moves is for sweeps: who runs one pass asks for it, and can see its plan with a dry run.
  const asked = approve === undefined ? {} : { approve };
  // Whom a person is asked about comes after the other.
  const all = gathering(approve === undefined ? connected.length : 1);
  const choice = {
    manyChangesAgreed: true,
    isStopping: isDue,
    ...asked,
    ...(onSend === undefined ? {} : { onSend }),
  };
  const runs = connected.map((one, index) => async () => {
    const key = keys[index];
    if (key === undefined) throw new RangeError("every account has a key reading");
    const place = all.place();
    try {
      await books.recognise(one);
      const own = { ...choice, beforeEnd: place, books: books.of(one.account.name) };
      return await passOver(one, key.coming, own, ground);
    } finally {
      void place();
    }
  });
  if (approve === undefined) return Promise.all(runs.map((run) => run()));
  const outcomes: AccountOutcome[] = [];
  for (const run of runs) outcomes.push(await run());
  return outcomes;
}

/** Each that has a place arrives there once, and goes on when all have. */
function gathering(size: number): { place(): () => Promise<void> } {
  let missing = size;
  let goOn: () => void = () => undefined;
  const complete = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  return {
    place: () => {
      let isHere = false;
      return () => {
        if (!isHere) missing -= 1;
        isHere = true;
        if (missing <= 0) goOn();
        return complete;
      };
    },
  };
}
