/** Guards one account: one pass at a time, woken by the stream, by schedule or by hand; events wake, passes decide. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessment } from "../assess/assess.js";
import type { Picture } from "../domain/picture.js";
import { contractText, keyText, type Position } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { Stream } from "../exchange/stream.js";
import { type PassOptions, type PassResult, runPass } from "../pass.js";
import { PassBook, type StepRecord } from "../verify/book.js";
import { Ear } from "./ear.js";
import type { Closer } from "./event.js";
import { type Hold, holdOf } from "./holding.js";
import { Live } from "./live.js";
import { Lives } from "./lives.js";
import { Looks } from "./looks.js";
import type { GuardParts } from "./parts.js";
import { Reflex } from "./reflex.js";
import type { AccountStatus } from "./status.js";
import { countByStatus, nakedMs } from "./tally.js";
import { ASLEEP, scopeOf, type WholeReason, type Wakes, wokenFor, wokenWhole } from "./wake.js";

/** Between two passes: a burst of pushes is looked at together. */
const GAP_MS = 150;
/** While the stream is down, everything is looked at so often. */
const DOWN_SWEEP_MS = 5_000;
/** A key that was refused is tried once in this time; anything else soon again. */
const REFUSED_RETRY_MS = 60_000;
const FAILED_RETRY_MS = 1_000;
/** A position that was pushed and that no read shows yet. */
const LOOK_AGAIN_MS = 500;

export class Guard {
  readonly name: string;
  /** Resolves after `close`; rejects by a mistake of ours. */
  readonly done: Promise<void>;
  readonly #parts: GuardParts;
  readonly #book = new PassBook();
  readonly #live = new Live();
  readonly #lives = new Lives();
  readonly #looks: Looks;
  readonly #reflex: Reflex;
  readonly #ear: Ear;
  readonly #stream: Stream;
  readonly #told = new WeakSet<StepRecord>();
  readonly #laterLooks = new Map<string, () => void>();
  #fail: (error: unknown) => void = () => undefined;
  #wakes: Wakes = wokenWhole(ASLEEP, "start");
  #rouse: () => void = () => undefined;
  #isStopping = false;
  #picture: Picture | null = null;
  #assessment: Assessment | null = null;
  #latest: PassResult | null = null;
  #lastWholeStartMs = Number.NEGATIVE_INFINITY;
  #lastCompletePassAtMs: number | null = null;
  #lastPassMs: number | null = null;
  #trouble: string | null = null;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.name = parts.name;
    const { pass, tell, instrumentOf, watchesEntries } = parts;
    const closerOf = (position: Position) => this.#closerOf(position);
    const shared = { pass, tell, closerOf, live: this.#live, lives: this.#lives };
    const wakeFor = (contract: Contract) => this.#wakeFor(contract);
    this.#looks = new Looks(shared);
    this.#reflex = new Reflex({
      ...shared,
      instrumentOf,
      book: this.#book,
      isLive: () => this.#stream.isLive(),
      picture: () => this.#picture,
      heldBack: (position) => this.#heldBack(position),
      wake: wakeFor,
      failed: (error) => this.#fail(error),
    });
    this.#ear = new Ear({ ...shared, watchesEntries, reflex: this.#reflex, wake: (why) => this.wake(why), wakeFor });
    this.#stream = parts.openStream(this.#ear);
    this.done = new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#run().then(resolve, reject);
    });
  }

  wake(reason: WholeReason): void {
    this.#wakes = wokenWhole(this.#wakes, reason);
    this.#rouse();
  }

  /** Once a second: a look at everything is due where the stream cannot tell of changes. */
  tick(): void {
    const isDue = this.#nowMs() - this.#lastWholeStartMs >= DOWN_SWEEP_MS;
    if (isDue && this.#ear.state === "down" && this.#wakes.whole === null) this.wake("stream-down");
  }

  /** The latest pass over everything or over a part, which completes the picture; null: none yet. */
  latest(): PassResult | null {
    return this.#latest;
  }

  status(): AccountStatus {
    const { pass } = this.#parts;
    const frozen = this.#picture === null ? null : pass.frozen(this.#picture);
    return {
      name: this.name,
      reachable: this.#trouble === null,
      trouble: this.#trouble,
      lastCompletePassAtMs: this.#lastCompletePassAtMs,
      lastPassMs: this.#lastPassMs,
      stream: this.#ear.state,
      frozen: pass.writer === undefined ? "this is a dry run" : frozen,
      positions: countByStatus(this.#assessment),
      nakedMs: nakedMs(this.#lives.all(), this.#nowMs()),
      budgetLeft: 1 - this.#book.onTheWire(),
    };
  }

  /** Nothing new is sent from here on; what is on the wire is awaited. */
  async close(): Promise<void> {
    this.#isStopping = true;
    this.#rouse();
    for (const cancel of this.#laterLooks.values()) cancel();
    await this.#stream.close();
    await Promise.allSettled([this.done, this.#reflex.settled()]);
  }

  async #run(): Promise<void> {
    for (let scope = await this.#nextScope(); scope !== null; scope = await this.#nextScope()) {
      this.#wakes = scope === "account" ? ASLEEP : { ...this.#wakes, contracts: new Map() };
      await this.#pass(scope);
      this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#nowMs() + GAP_MS);
    }
  }

  /** Waits until a pass is due and allowed; null: the end. */
  async #nextScope(): Promise<ReadScope | null> {
    while (!this.#isStopping) {
      const scope = scopeOf(this.#wakes);
      const waitMs = this.#notBeforeMs - this.#nowMs();
      if (scope !== null && waitMs <= 0) return scope;
      await this.#roused(scope === null ? null : waitMs);
    }
    return null;
  }

  #roused(afterMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const cancel =
        afterMs === null ? () => undefined : this.#parts.timers.after(Math.max(1, afterMs), () => resolve());
      this.#rouse = () => {
        cancel();
        resolve();
      };
    });
  }

  async #pass(scope: ReadScope): Promise<void> {
    const startedMs = this.#nowMs();
    const isWhole = scope === "account";
    if (isWhole) this.#lastWholeStartMs = startedMs;
    this.#parts.tell({ kind: "pass-started", account: this.name, whole: isWhole });
    try {
      this.#ended(await runPass(this.#passOptions(scope)), isWhole, startedMs);
    } catch (error) {
      if (!(error instanceof ExchangeFailure)) throw error;
      this.#failed(error, isWhole, startedMs);
    }
  }

  #passOptions(scope: ReadScope): PassOptions {
    return {
      ...this.#parts.pass,
      manyChangesAgreed: false,
      scope,
      ...(this.#picture === null ? {} : { before: this.#picture }),
      book: this.#book,
      heldBack: (position) => this.#heldBack(position),
      isStopping: () => this.#isStopping,
      woken: () => this.#takeContracts(),
      onLook: (picture, assessment) => this.#looked(picture, assessment),
      onAnswer: (attempt, decidedFromMs) => this.#answered(attempt, decidedFromMs),
    };
  }

  #takeContracts(): readonly Contract[] {
    const { contracts } = this.#wakes;
    this.#wakes = { ...this.#wakes, contracts: new Map() };
    return [...contracts.values()];
  }

  #looked(picture: Picture, assessment: Assessment): void {
    this.#picture = picture;
    this.#assessment = assessment;
    const { unproven, tooEarly } = this.#looks.looked(picture, assessment, this.#nowMs());
    for (const contract of unproven) this.#wakeFor(contract);
    for (const contract of tooEarly) this.#lookLater(`too early ${contractText(contract)}`, contract, LOOK_AGAIN_MS);
    for (const { position } of assessment.positions) this.#lookAfterHold(position);
    this.#reflex.mend(assessment, picture);
    this.#parts.onPicture?.(picture);
  }

  #answered(attempt: Attempt, decidedFromMs: number): void {
    this.#reflex.wrote(attempt, decidedFromMs);
    this.#parts.tell({ kind: "sent", step: attempt.step, path: "pass", answer: attempt.answer.kind });
  }

  #ended(result: PassResult, isWhole: boolean, startedMs: number): void {
    const { tell, pass } = this.#parts;
    const { gaps } = result.assessment.snapshot;
    const reason = result.lostSight ?? gaps[0]?.reason ?? null;
    const tookMs = this.#nowMs() - startedMs;
    this.#latest = result;
    this.#trouble = null;
    if (isWhole) {
      this.#lives.began();
      this.#lastPassMs = tookMs;
      if (reason === null) this.#lastCompletePassAtMs = this.#nowMs();
    }
    for (const record of this.#book.judged()) {
      if (!this.#told.has(record)) tell({ kind: "outcome", record });
      this.#told.add(record);
    }
    if (pass.writer === undefined) {
      for (const { step, held } of result.planned) if (held === null) tell({ kind: "would-send", step });
    }
    const outcome = reason === null ? "complete" : "partial";
    tell({ kind: "pass", account: this.name, whole: isWhole, result: outcome, tookMs, reason, cause: null });
  }

  #failed({ facts, message }: ExchangeFailure, isWhole: boolean, startedMs: number): void {
    if (facts.cause === "closed") return;
    const isClosedToUs = facts.cause === "key" || facts.cause === "permission";
    const nowMs = this.#nowMs();
    this.#trouble = message;
    this.#notBeforeMs = nowMs + (isClosedToUs ? REFUSED_RETRY_MS : FAILED_RETRY_MS);
    // What woke the pass still holds; that a part was not seen is mended by looking at everything.
    this.wake("asked");
    const told = { account: this.name, whole: isWhole, tookMs: nowMs - startedMs, reason: message, cause: facts.cause };
    this.#parts.tell({ kind: "pass", result: "failed", ...told });
  }

  #heldBack(position: Position): string | null {
    return this.#parts.paused(position) ?? this.#hold(position)?.reason ?? null;
  }

  #hold(position: Position): Hold | null {
    const { policyOf, memory } = this.#parts.pass;
    const { protection } = policyOf(position.key, position.side);
    return holdOf(this.#lives.get(position.key), memory.recall(position), protection, this.#nowMs());
  }

  /** When the reason to wait ends, the position is looked at again. */
  #lookAfterHold(position: Position): void {
    const hold = this.#hold(position);
    if (hold === null) return;
    this.#lookLater(`hold ${keyText(position.key)}`, position.key, hold.untilMs - this.#nowMs());
  }

  /** Once per name at a time. */
  #lookLater(name: string, contract: Contract, afterMs: number): void {
    if (this.#laterLooks.has(name) || this.#isStopping) return;
    const cancel = this.#parts.timers.after(Math.max(1, afterMs), () => {
      this.#laterLooks.delete(name);
      this.#wakeFor(contract);
    });
    this.#laterLooks.set(name, cancel);
  }

  #closerOf(position: Position): Closer {
    const { closeSent, stopTriggered } = this.#parts.pass.memory.recall(position);
    return closeSent ? "us" : stopTriggered ? "its stop" : "another hand";
  }

  #wakeFor(contract: Contract): void {
    this.#wakes = wokenFor(this.#wakes, contract);
    this.#rouse();
  }

  #nowMs(): number {
    return this.#parts.pass.clock.now();
  }
}
