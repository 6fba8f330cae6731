/** How long a look waits: for whatever goes on, and only so long for what stays silent once something has come. */
import { type Category, contractText } from "../../domain/position.js";
import { LATE, within } from "../../runtime/within.js";
import { LATE_MS } from "./asking.js";
import type { SteadyClock } from "./budget.js";
import type { Answer, Client, Request } from "./client.js";
import type { Pace } from "./pace.js";

/** One try may be lost on the wire, and the next one answered: so long a look waits that holds nothing back. */
export const UNHURRIED_MS = 7_000;
/** Where missing stops wait for the look, silence is worth no more than anything else that is late. */
export const HASTY_MS = LATE_MS;
/** An exchange that is slow in everything is not silent. */
const SLOWNESSES = 2;
/** A further try that has waited so long for its turn was held back by us. */
const HELD_BACK_MS = 100;
/** A timer that fires so late tells of a process that stood still, and may have answers to read. */
const STALLED_MS = 200;
/** One that stands still again and again must not wait for ever. */
const MOST_STALLS = 3;
const UNWANTED = "nobody waits for it any more";
const NAMED_AFTER_MS = { least: 500, perContract: 20 };

export interface PatienceParts {
  readonly client: Client;
  readonly clock: SteadyClock;
  /** Kept from look to look. */
  readonly pace: Pace;
  /** How long silence is worth waiting for. */
  readonly silentMs: number;
}

/** Of one look at rows: its requests go through `client`, and what they bring is waited for with `wait`. */
export class Patience {
  readonly client: Client;
  readonly #clock: SteadyClock;
  readonly #pace: Pace;
  readonly #silentMs: number;
  readonly #first = signal();
  readonly #over = signal();
  #signMs: number;
  #slowestMs = 0;
  /** Requests that still wait for their turn in the budget: that these are not answered is our own doing. */
  #queued = 0;
  #stalls = 0;
  #hasCome = false;
  #wentOn = false;
  readonly #shownAtMs = new Map<string, number>();
  #isOver = false;

  constructor({ client, clock, pace, silentMs }: PatienceParts) {
    this.client = { ...client, read: (wanted) => this.#read(client, wanted) };
    this.#clock = clock;
    this.#pace = pace;
    this.#silentMs = silentMs;
    this.#signMs = clock.monotonicMs();
  }

  /** What it brings; what stands for it where the look goes on without. `isGood`: it shows something of the account. */
  async wait<T>(work: Promise<T>, isGood: (value: T) => boolean, instead: () => T): Promise<T> {
    this.#sign();
    const done = work.then((value) => {
      this.#sign();
      if (isGood(value)) this.hears();
      return value;
    });
    // It may fail when nobody waits for it any more.
    done.catch(() => undefined);
    for (let ms = this.#leftMs(); ms > 0 && !this.#isOver; ms = this.#leftMs()) {
      const came = await this.#cameWithin(ms, done);
      if (came !== LATE) return came;
    }
    this.#wentOn = true;
    return instead();
  }

  /** For what is asked for beside the rows: no further try leaves when the look is over. */
  beside(client: Client): Client {
    const veto = (wanted: { readonly veto?: () => string | null }) =>
      wanted.veto?.() ?? (this.#isOver ? UNWANTED : null);
    return { ...client, read: (wanted) => client.read({ ...wanted, veto: () => veto(wanted) }) };
  }

  /** The exchange answers: what stays silent from now on is silent by itself. */
  hears(): void {
    if (!this.#hasCome) this.#sign();
    this.#hasCome = true;
    this.#first.give();
  }

  /** The rows of these contracts have come. */
  shows(category: Category, symbols: readonly string[]): void {
    for (const symbol of symbols) this.#shownAtMs.set(contractText({ category, symbol }), this.#clock.steadyMs());
  }

  /** When the rows of each contract had come, by `contractText`. */
  shownAtMs(): ReadonlyMap<string, number> {
    return new Map(this.#shownAtMs);
  }

  /** After so long without any answer a list is asked for contract by contract as well. */
  namedAfterMs(contracts: number): number {
    const { least, perContract } = NAMED_AFTER_MS;
    return Math.max(least, perContract * contracts, SLOWNESSES * this.#slowestMs);
  }

  /** True: the look went on without something that may still have come. */
  wentOn(): boolean {
    return this.#wentOn;
  }

  /** The look is over: nothing is waited for, and no further try leaves. */
  end(): void {
    this.#isOver = true;
    this.#over.give();
  }

  /** A try that fails, and the next one, are no sign of life. */
  async #read<T>(client: Client, wanted: Request<T>): Promise<Answer<T>> {
    let tries = 0;
    let queuedMs: number | null = null;
    const waits = (): void => {
      if (queuedMs === null) this.#queued += 1;
      queuedMs = this.#clock.monotonicMs();
    };
    const leaves = (): void => {
      if (queuedMs === null) return;
      const waitedMs = this.#clock.monotonicMs() - queuedMs;
      queuedMs = null;
      this.#queued -= 1;
      if ((tries += 1) === 1 || waitedMs >= HELD_BACK_MS) this.#sign();
    };
    const veto = () => wanted.veto?.() ?? (this.#isOver ? UNWANTED : null);
    try {
      const answer = await client.read({ ...wanted, veto, waits, leaves });
      this.#sign();
      this.#slowestMs = Math.max(this.#slowestMs, answer.roundTripMs);
      this.#pace.note(answer.roundTripMs);
      return answer;
    } finally {
      leaves();
    }
  }

  #sign(): void {
    this.#signMs = this.#clock.monotonicMs();
  }

  #leftMs(): number {
    if (!this.#hasCome) return Number.POSITIVE_INFINITY;
    const mostMs = Math.max(this.#silentMs, Math.min(SLOWNESSES * this.#pace.slowestMs(), UNHURRIED_MS));
    return this.#queued > 0 ? mostMs : this.#signMs + mostMs - this.#clock.monotonicMs();
  }

  async #cameWithin<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
    if (ms === Number.POSITIVE_INFINITY) return Promise.race([work, this.#first.given, this.#over.given]);
    const dueMs = this.#clock.monotonicMs() + ms;
    const came = await within(ms, Promise.race([work, this.#over.given]));
    const isStalled = came === LATE && this.#leftMs() <= 0 && this.#clock.monotonicMs() - dueMs > STALLED_MS;
    if (isStalled && (this.#stalls += 1) <= MOST_STALLS) this.#sign();
    return came;
  }
}

interface Signal {
  readonly given: Promise<typeof LATE>;
  give(): void;
}

/** Ends a wait before what it waits for has come. */
function signal(): Signal {
  let give: () => void = () => undefined;
  const given = new Promise<typeof LATE>((resolve) => {
    give = () => resolve(LATE);
  });
  return { given, give };
}
