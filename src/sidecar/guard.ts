/** Guards one account: one pass at a time, woken by the stream, by schedule or by hand; events wake, passes decide. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessment } from "../assess/assess.js";
import { lookedForInVain, type Picture } from "../domain/picture.js";
import { contractText, keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { Stream } from "../exchange/stream.js";
import { type PassOptions, type PassResult, runPass } from "../pass.js";
import { PassBook } from "../verify/book.js";
import { LAST_AFTER_MS } from "../verify/tries.js";
import { Bell } from "./bell.js";
import { Ear } from "./ear.js";
import type { SidecarEvent, Tell } from "./event.js";
import { Hearsay } from "./hearsay.js";
import { AttachedStops, lookBack } from "./hindsight.js";
import { LaterLooks } from "./later.js";
import { Live } from "./live.js";
import { closerBy, Lives } from "./lives.js";
import { Looks } from "./looks.js";
import type { Attacher } from "./attach.js";
import { attacherFor } from "./attaching.js";
import type { GuardParts } from "./parts.js";
import { PassEvents } from "./pass-events.js";
import { Passes } from "./passes.js";
import { Reflex } from "./reflex.js";
import { Restraint } from "./restraint.js";
import type { AccountStatus } from "./status.js";
import { accountStatus, type Pulse, pulseOf, seenSince } from "./tally.js";
import type { WholeReason } from "./wake.js";

/** Between two passes: a burst of pushes is looked at together. */
const GAP_MS = 150;
/** When a look at everything is due, a pass looks on for its own effects no longer than this. */
const MOST_LOOKING_ON_MS = 2_000;
/** While the stream is down, everything is looked at so often. */
const DOWN_SWEEP_MS = 5_000;
/** What a pass could not see. */
const UNSEEN_RETRY_MS = 1_000;
/** A position that is known and that a read does not show. */
const LOOK_AGAIN_MS = 500;

export class Guard {
  readonly name: string;
  /** Resolves after `close`; rejects by a mistake of ours. */
  readonly done: Promise<void>;
  readonly #parts: GuardParts;
  readonly #book = new PassBook(LAST_AFTER_MS.sidecar);
  readonly #passes: Passes;
  readonly #bell: Bell;
  readonly #live = new Live();
  readonly #lives = new Lives();
  readonly #restraint: Restraint;
  readonly #looks: Looks;
  readonly #hearsay: Hearsay;
  readonly #reflex: Reflex;
  readonly #ear: Ear;
  readonly #attacher: Attacher | null;
  readonly #attached = new AttachedStops();
  readonly #stream: Stream;
  readonly #events: PassEvents;
  readonly #later: LaterLooks;
  #fail: (error: unknown) => void = () => undefined;
  #isStopping = false;
  #picture: Picture | null = null;
  #assessment: Assessment | null = null;
  #latest: PassResult | null = null;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.#passes = new Passes(parts.random);
    this.#bell = new Bell(parts.timers);
    this.#bell.ring("start");
    this.name = parts.name;
    const { pass, instrumentOf, attach } = parts;
    const tell: Tell = (event) => {
      if (event.kind === "life") this.#changed(event);
      parts.tell(event);
    };
    const closerOf = (position: Position) => closerBy(pass.memory.recall(position));
    const shared = { pass, tell, closerOf, live: this.#live, lives: this.#lives };
    const wakeFor = (contract: Contract) => this.#bell.ringFor(contract);
    this.#later = new LaterLooks(parts.timers, () => this.#nowMs(), wakeFor);
    this.#restraint = new Restraint({ ...parts, lives: this.#lives });
    this.#looks = new Looks(shared);
    this.#hearsay = new Hearsay(shared);
    this.#events = new PassEvents(parts);
    this.#reflex = new Reflex({
      ...shared,
      instrumentOf,
      book: this.#book,
      isLive: () => this.#stream.isLive(),
      picture: () => this.#picture,
      heldBack: (position) => this.#restraint.on(position),
      wake: wakeFor,
      failed: (error) => this.#fail(error),
    });
    this.#attacher = attacherFor(parts, {
      picture: () => this.#picture,
      isStopping: () => this.#isStopping,
      sent: ({ orderId, key, side, stopLoss }) => this.#attached.sent(orderId, key, side, stopLoss.price),
    });
    this.#ear = new Ear({
      ...shared,
      hearsay: this.#hearsay,
      watchesEntries: () => attach?.isWanted() ?? false,
      attached: this.#attached,
      reflex: this.#reflex,
      ...(parts.orderIntents === undefined ? {} : { orderIntents: parts.orderIntents }),
      wake: (why) => this.wake(why),
      wakeFor,
      exchangeNowMs: parts.exchangeNowMs,
    });
    this.#stream = parts.openStream(this.#ear);
    this.done = new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#run().then(resolve, reject);
    });
  }

  wake(reason: WholeReason): void {
    this.#bell.ring(reason);
  }

  lookAt(contract: Contract): void {
    this.#bell.ringFor(contract);
  }

  /** Once a second: a look at everything is due where the stream cannot tell of changes. */
  tick(): Pulse {
    this.#hearsay.tick();
    const isDue = this.#nowMs() - this.#passes.lastWholeStartMs >= DOWN_SWEEP_MS;
    if (isDue && this.#ear.state === "down" && !this.#bell.wantsAll()) this.wake("stream-down");
    return pulseOf(this.#passes, this.#parts);
  }

  /** How long the pass that runs now has been running, milliseconds; 0: none runs. */
  runningMs(): number {
    return this.#passes.runningMs(this.#nowMs());
  }

  /** The latest pass over everything or over a part, which completes the picture; null: none yet. */
  latest(): PassResult | null {
    const seen = this.runningMs() > 0 ? seenSince(this.#latest, this.#picture, this.#assessment) : this.#latest;
    return seen === null ? null : { ...seen, assessment: this.#hearsay.now(seen.assessment) };
  }

  status(): AccountStatus {
    const { pass, silentForMs } = this.#parts;
    const frozen = this.#picture === null ? null : pass.frozen(this.#picture);
    return accountStatus({
      name: this.name,
      passes: this.#passes,
      assessment: this.#assessment === null ? null : this.#hearsay.now(this.#assessment),
      lives: this.#lives.all(),
      stream: this.#ear.state,
      frozen: pass.writer === undefined ? "this is a dry run" : frozen,
      silentForMs: silentForMs(),
      onTheWire: this.#book.onTheWire(),
      nowMs: this.#nowMs(),
    });
  }

  /** Nothing new is sent from here on; what is on the wire is awaited. */
  async close(): Promise<void> {
    this.#isStopping = true;
    this.#bell.rouse();
    this.#later.close();
    await this.#stream.close();
    await Promise.allSettled([this.done, this.#reflex.settled()]);
  }

  async #run(): Promise<void> {
    for (let scope = await this.#nextScope(); scope !== null; scope = await this.#nextScope()) {
      this.#bell.answered(scope);
      await this.#pass(scope);
      this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#nowMs() + GAP_MS);
    }
  }

  /** Waits until a pass is due and allowed; null: the end. */
  async #nextScope(): Promise<ReadScope | null> {
    while (!this.#isStopping) {
      const scope = this.#bell.scope();
      const waitMs = this.#notBeforeMs - this.#nowMs();
      if (scope !== null && waitMs <= 0) return scope;
      await this.#bell.sleep(scope === null ? null : waitMs);
    }
    return null;
  }

  async #pass(scope: ReadScope): Promise<void> {
    const isWhole = scope === "account";
    this.#passes.started(this.#nowMs(), isWhole);
    this.#events.started(isWhole);
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
      heldBack: (position) => this.#restraint.on(position),
      isStopping: () => this.#isStopping,
      isOverdue: () => this.#bell.wantsAll() && this.runningMs() > MOST_LOOKING_ON_MS,
      isToldFlat: (key) => this.#live.lastPushed(key) === null,
      woken: () => this.#bell.takeContracts(),
      onLook: (picture, assessment) => this.#looked(picture, assessment),
      onAnswer: (attempt, decidedFromMs) => this.#answered(attempt, decidedFromMs),
    };
  }

  #looked(picture: Picture, assessment: Assessment): void {
    const earlier = this.#assessment;
    this.#picture = picture;
    this.#assessment = assessment;
    this.#parts.orderIntents?.resting(picture.snapshot.orders.map(({ orderLinkId }) => orderLinkId));
    lookBack(assessment, picture, {
      pass: this.#parts.pass,
      lives: this.#lives,
      earlier,
      attached: this.#attached,
      isAttached: (orderId) => this.#parts.attach?.leftAlone.isAttached(orderId) ?? false,
      reflex: this.#reflex,
    });
    const time = { nowMs: this.#nowMs(), pass: this.#passes.count };
    const missing = this.#looks.looked(picture, assessment, time);
    const doubtful = assessment.positions.filter(({ status, stop }) => status === "unknown" && stop.isContradicted);
    const unclear = [...missing, ...doubtful.map(({ position }) => position.key)];
    this.#later.looked(picture.latest.scope, [...unclear, ...lookedForInVain(picture)]);
    for (const contract of unclear) this.#later.unseen(contract, LOOK_AGAIN_MS);
    for (const contract of this.#hearsay.looked(picture, assessment))
      this.#later.add(`lagging ${contractText(contract)}`, contract, LOOK_AGAIN_MS);
    for (const { position } of assessment.positions)
      for (const { why, afterMs } of this.#restraint.looksAfter(position)) this.#lookLater(why, position.key, afterMs);
    this.#reflex.mend(assessment, picture);
    this.#attacher?.consider(picture).catch((error: unknown) => this.#fail(error));
  }

  #answered(attempt: Attempt, decidedFromMs: number): void {
    this.#reflex.wrote(attempt, decidedFromMs);
    this.#parts.tell({ kind: "sent", step: attempt.step, path: "pass", answer: attempt.answer.kind });
  }

  #ended(result: PassResult, isWhole: boolean): void {
    const reason = result.lostSight ?? result.assessment.snapshot.gaps[0]?.reason ?? null;
    const tookMs = this.#passes.ended({ isWhole, isComplete: reason === null, nowMs: this.#nowMs() });
    this.#latest = result;
    result.underWay?.catch((error: unknown) => this.#fail(error));
    for (const contract of lookedForInVain(result.picture)) this.#later.unseen(contract, UNSEEN_RETRY_MS);
    // It is news, whatever else lasts.
    for (const contract of result.unanswered)
      this.#later.add(`unanswered ${contractText(contract)}`, contract, UNSEEN_RETRY_MS);
    for (const { step, held } of result.planned) if (held === null) this.#lookAfterTries(step.key);
    if (isWhole) this.#lives.began();
    this.#events.ended(result, reason, { isWhole, tookMs });
  }

  #failed(failure: ExchangeFailure, isWhole: boolean): void {
    const { cause } = failure.facts;
    if (cause === "closed") return;
    const nowMs = this.#nowMs();
    const tookMs = this.#passes.failed(failure, { isWhole, nowMs });
    this.#notBeforeMs = nowMs + this.#passes.retryAfterMs(cause);
    // What woke the pass still holds; that a part was not seen is mended by looking at everything.
    this.wake("asked");
    this.#events.failed(failure, this.#passes.refusal, { isWhole, tookMs });
  }

  #changed({ change, key }: Extract<SidecarEvent, { kind: "life" }>): void {
    const position = this.#lives.get(key)?.position;
    if (change === "grew" && position !== undefined) this.#parts.pass.memory.remember(position, { grown: true });
    if (change !== "closed" && change !== "flipped") return;
    this.#reflex.ended(key);
    this.#looks.ended(key);
  }

  #lookAfterTries(key: PositionKey): void {
    const nowMs = this.#nowMs();
    const retryMs = this.#book.retryAtMs(key, nowMs);
    if (retryMs !== null) this.#lookLater("tries", key, retryMs - nowMs);
  }

  #lookLater(why: string, key: PositionKey, afterMs: number): void {
    if (!this.#isStopping) this.#later.add(`${why} ${keyText(key)}`, key, afterMs);
  }

  #nowMs(): number {
    return this.#parts.pass.clock.now();
  }
}
