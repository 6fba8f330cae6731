/** Guards one account: one pass at a time, woken by the stream, by schedule or by hand; events wake, passes decide. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessment } from "../assess/assess.js";
import type { Picture } from "../domain/picture.js";
import { contractText, keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { Stream } from "../exchange/stream.js";
import { type PassOptions, type PassResult, runPass } from "../pass.js";
import { PassBook, type StepRecord } from "../verify/book.js";
import { Ear } from "./ear.js";
import type { Tell } from "./event.js";
import { type Hold, holdOf } from "./holding.js";
import { LaterLooks } from "./later.js";
import { Live } from "./live.js";
import { closerBy, Lives } from "./lives.js";
import { Looks } from "./looks.js";
import type { Attacher } from "./attach.js";
import { attacherFor } from "./attaching.js";
import type { GuardParts } from "./parts.js";
import { Passes } from "./passes.js";
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
/** A position that is known and that a read does not show. */
const LOOK_AGAIN_MS = 500;

export class Guard {
  readonly name: string;
  /** Resolves after `close`; rejects by a mistake of ours. */
  readonly done: Promise<void>;
  readonly #parts: GuardParts;
  readonly #book = new PassBook();
  readonly #passes = new Passes();
  readonly #live = new Live();
  readonly #lives = new Lives();
  readonly #looks: Looks;
  readonly #reflex: Reflex;
  readonly #ear: Ear;
  readonly #attacher: Attacher | null;
  /** Entry orders whose exits we have sent. */
  readonly #attached = new Set<string>();
  readonly #stream: Stream;
  readonly #told = new WeakSet<StepRecord>();
  readonly #later: LaterLooks;
  #fail: (error: unknown) => void = () => undefined;
  #wakes: Wakes = wokenWhole(ASLEEP, "start");
  #rouse: () => void = () => undefined;
  #isStopping = false;
  #picture: Picture | null = null;
  #assessment: Assessment | null = null;
  #latest: PassResult | null = null;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.name = parts.name;
    const { pass, instrumentOf, attach } = parts;
    const tell: Tell = (event) => {
      if (event.kind === "life" && event.change === "grew") this.#grew(event.key);
      parts.tell(event);
    };
    const closerOf = (position: Position) => closerBy(pass.memory.recall(position));
    const shared = { pass, tell, closerOf, live: this.#live, lives: this.#lives };
    const wakeFor = (contract: Contract) => this.#wakeFor(contract);
    this.#later = new LaterLooks(parts.timers, wakeFor);
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
    this.#attacher = attacherFor(parts, {
      picture: () => this.#picture,
      isStopping: () => this.#isStopping,
      sent: (orderId) => this.#attached.add(orderId),
    });
    const watchesEntries = () => attach?.isWanted() ?? false;
    const isAttachedByUs = (orderId: string) => this.#attached.has(orderId);
    this.#ear = new Ear({
      ...shared,
      watchesEntries,
      isAttachedByUs,
      reflex: this.#reflex,
      wake: (why) => this.wake(why),
      wakeFor,
    });
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
    const isDue = this.#nowMs() - this.#passes.lastWholeStartMs >= DOWN_SWEEP_MS;
    if (isDue && this.#ear.state === "down" && this.#wakes.whole === null) this.wake("stream-down");
  }

  /** How long the pass that runs now has been running, milliseconds; 0: none runs. */
  runningMs(): number {
    return this.#passes.runningMs(this.#nowMs());
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
      reachable: this.#passes.trouble === null,
      trouble: this.#passes.trouble,
      lastCompletePassAtMs: this.#passes.lastCompleteMs,
      lastPassMs: this.#passes.lastWholeTookMs,
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
    this.#later.close();
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
    const isWhole = scope === "account";
    this.#passes.started(this.#nowMs(), isWhole);
    this.#parts.tell({ kind: "pass-started", account: this.name, whole: isWhole });
    try {
      this.#ended(await runPass(this.#passOptions(scope)), isWhole);
    } catch (error) {
      if (!(error instanceof ExchangeFailure)) throw error;
      this.#failed(error, isWhole);
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
      isToldFlat: (key) => this.#live.lastPushed(key) === null,
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
    for (const contract of this.#looks.looked(picture, assessment, this.#nowMs())) {
      this.#later.add(`missing ${contractText(contract)}`, contract, LOOK_AGAIN_MS);
    }
    for (const { position } of assessment.positions) this.#lookAfterHold(position);
    this.#reflex.mend(assessment, picture);
    this.#attacher?.consider(picture).catch((error: unknown) => this.#fail(error));
  }

  #answered(attempt: Attempt, decidedFromMs: number): void {
    this.#reflex.wrote(attempt, decidedFromMs);
    this.#parts.tell({ kind: "sent", step: attempt.step, path: "pass", answer: attempt.answer.kind });
  }

  #ended(result: PassResult, isWhole: boolean): void {
    const { gaps } = result.assessment.snapshot;
    const reason = result.lostSight ?? gaps[0]?.reason ?? null;
    const isComplete = reason === null;
    const tookMs = this.#passes.ended({ isWhole, isComplete, nowMs: this.#nowMs() });
    this.#latest = result;
    if (isWhole) this.#lives.began();
    this.#tellSteps(result);
    const told = { account: this.name, whole: isWhole, tookMs, reason, cause: null };
    this.#parts.tell({ kind: "pass", result: isComplete ? "complete" : "partial", ...told });
  }

  #tellSteps({ planned }: PassResult): void {
    const { tell, pass } = this.#parts;
    for (const record of this.#book.judged()) {
      if (!this.#told.has(record)) tell({ kind: "outcome", record });
      this.#told.add(record);
    }
    if (pass.writer !== undefined) return;
    for (const { step, held } of planned) if (held === null) tell({ kind: "would-send", step });
  }

  #failed({ facts, message }: ExchangeFailure, isWhole: boolean): void {
    if (facts.cause === "closed") return;
    const isClosedToUs = facts.cause === "key" || facts.cause === "permission";
    const nowMs = this.#nowMs();
    const tookMs = this.#passes.failed(message, nowMs);
    this.#notBeforeMs = nowMs + (isClosedToUs ? REFUSED_RETRY_MS : FAILED_RETRY_MS);
    // What woke the pass still holds; that a part was not seen is mended by looking at everything.
    this.wake("asked");
    const told = { account: this.name, whole: isWhole, tookMs, reason: message, cause: facts.cause };
    this.#parts.tell({ kind: "pass", result: "failed", ...told });
  }

  #grew(key: PositionKey): void {
    const position = this.#lives.get(key)?.position;
    if (position !== undefined) this.#parts.pass.memory.remember(position, { grown: true });
  }

  #heldBack(position: Position): string | null {
    return this.#parts.paused(position.key) ?? this.#hold(position)?.reason ?? null;
  }

  #hold(position: Position): Hold | null {
    const { policyOf, memory } = this.#parts.pass;
    const { protection } = policyOf(position.key, position.side);
    return holdOf(this.#lives.get(position.key), memory.recall(position), protection, this.#nowMs());
  }

  /** When the reason to wait ends, the position is looked at again. */
  #lookAfterHold(position: Position): void {
    const hold = this.#hold(position);
    if (hold === null || this.#isStopping) return;
    this.#later.add(`hold ${keyText(position.key)}`, position.key, hold.untilMs - this.#nowMs());
  }

  #wakeFor(contract: Contract): void {
    this.#wakes = wokenFor(this.#wakes, contract);
    this.#rouse();
  }

  #nowMs(): number {
    return this.#parts.pass.clock.now();
  }
}
