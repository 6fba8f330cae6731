/** What is sent without waiting for a pass: a missing stop, straight from the push; another hand's tighter stop, given back. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessed, Assessment } from "../assess/assess.js";
import type { Decimal } from "../domain/decimal.js";
import { type Picture, seenAtMs } from "../domain/picture.js";
import {
  contractText,
  isOtherOpening,
  keyText,
  type Position,
  type PositionKey,
  type TriggerBy,
} from "../domain/position.js";
import { isPast, isTighterStop } from "../domain/price.js";
import type { Contract } from "../domain/snapshot.js";
import { sendAtOnce } from "../pass/express.js";
import { basePrice } from "../policy/levels.js";
import { objection } from "../plan/guard.js";
import type { PlannedStep, SetTradingStop, Step } from "../plan/step.js";
import type { PassBook } from "../verify/book.js";
import { isFreshEnough, mayStillLeave } from "../verify/freshness.js";
import { stopAtOnce, type UrgentStop } from "./at-once.js";
import type { Live } from "./live.js";
import type { Lives } from "./lives.js";
import type { GuardParts } from "./parts.js";
import { Rivals, type SeenStop } from "./rivals.js";

type Stood = Pick<SeenStop, "price" | "triggerBy">;

export interface ReflexParts extends Pick<GuardParts, "pass" | "instrumentOf" | "tell"> {
  readonly book: PassBook;
  readonly live: Live;
  readonly lives: Pick<Lives, "get">;
  readonly isLive: () => boolean;
  /** Null before the first look: nothing is sent then. */
  readonly picture: () => Picture | null;
  readonly heldBack: (position: Position) => string | null;
  /** A look has to tell what became of it. */
  readonly wake: (contract: Contract) => void;
  /** A mistake of ours. */
  readonly failed: (error: unknown) => void;
}

/** A push that waited longer than this for its turn is no longer what a stop is decided from. */
const MOST_WAIT_MS = 10_000;
/** Above every missing stop of a plan would be wrong: ours stands, only looser. Above every move of a plan. */
const GIVE_BACK_PRIORITY = 2e15;
/** An entry that brings a stop of its own shows it a moment after the position. */
const CARRIED_STOP_MS = 2_000;

export class Reflex {
  readonly rivals = new Rivals();
  readonly #parts: ReflexParts;
  readonly #wire = new Set<Promise<void>>();
  readonly #contracts = new Map<string, number>();
  readonly #carried = new Map<string, number>();

  constructor(parts: ReflexParts) {
    this.#parts = parts;
  }

  /** A filled entry has brought a stop of its own. */
  carries(stop: SeenStop): void {
    this.rivals.saw(stop);
    this.#carried.set(keyText(stop.key), stop.atMs);
  }

  /** A stop that we had attached to an entry order has replaced the one that stood, which is put back where it is tighter. */
  broughtByUs({ key, side, price, atMs }: Omit<SeenStop, "triggerBy">, stood: Stood): void {
    this.rivals.saw({ key, side, ...stood, atMs });
    this.rivals.wrote({ key, side, price, decidedFromMs: atMs, answeredAtMs: atMs });
  }

  /** True: something for this contract is on the wire, and a look is asked for when it is answered. */
  isBusy(contract: Contract): boolean {
    return (this.#contracts.get(contractText(contract)) ?? 0) > 0;
  }

  /** The position has closed or flipped: neither what was tried nor what is owed counts for the next. */
  ended(key: PositionKey): void {
    this.#parts.book.ended(key);
    this.rivals.ended(key);
  }

  /** True: the stop is on its way. */
  sendStop(position: Position, receivedAtMs: number): boolean {
    const { book, pass } = this.#parts;
    const picture = this.#parts.picture();
    const carriedAtMs = this.#carried.get(keyText(position.key)) ?? Number.NEGATIVE_INFINITY;
    if (
      pass.writer === undefined ||
      picture === null ||
      receivedAtMs - carriedAtMs < CARRIED_STOP_MS ||
      !book.isFree(position, receivedAtMs, seenAtMs(picture, position.key))
    )
      return false;
    const urgent = this.#urgentStop(position, receivedAtMs);
    if (urgent === null) return false;
    const veto = (step: Step) => this.#noLongerDue(step, position, receivedAtMs);
    this.#send(urgent.planned, position, receivedAtMs, veto);
    return true;
  }

  /** Where a write of ours has replaced a tighter stop on the way, the tighter one is put back. */
  mend(assessment: Assessment, picture: Picture): void {
    const { book, pass } = this.#parts;
    const nowMs = pass.clock.now();
    for (const assessed of assessment.positions) {
      const { position, stop } = assessed;
      if (stop.standingFull === null) continue;
      this.#look(assessed, stop.standingFull, seenAtMs(picture, position.key));
      const replaced = this.rivals.replaced(position.key, position.side, stop.standingFull, nowMs);
      if (replaced === null || pass.writer === undefined || !book.isFree(position, seenAtMs(picture, position.key)))
        continue;
      if (isOver(replaced, assessed)) {
        this.rivals.forgive(replaced);
        continue;
      }
      const configured = assessed.policy.protection.stopLoss?.triggerBy ?? "MarkPrice";
      const step = giveBack(replaced, replaced.triggerBy ?? configured);
      if (!isFreshEnough(step, picture, pass.clock) || objection(step, assessed) !== null) continue;
      const held = () => pass.frozen(picture) ?? this.#parts.heldBack(position);
      if (held() !== null) continue;
      const veto = () => held() ?? this.#noLongerOwed(step, position);
      this.#send({ step, priority: GIVE_BACK_PRIORITY, held: null }, position, seenAtMs(picture, position.key), veto);
      this.#parts.tell({ kind: "mended", key: position.key, price: replaced.price, replacedBy: stop.standingFull });
    }
  }

  /** What a look shows while a stop of ours is under way may be what that is about to replace. */
  #look({ position: { key, side }, stop }: Assessed, price: Decimal, atMs: number): void {
    const { book, pass } = this.#parts;
    if (!book.isOnTheWire(key) && !this.rivals.isWatching(key, pass.clock.now())) return;
    const leg = stop.all?.legs.find((one) => one.source === "full" && one.price.eq(price));
    // A row states its stop before the order is listed that says by which price it goes.
    this.rivals.saw({ key, side, price, triggerBy: leg?.triggerBy ?? null, atMs });
  }

  /** By whatever way a stop of ours went out: what it may replace is watched for. */
  wrote({ step, answer, answeredAtMs }: Attempt, decidedFromMs: number): void {
    if (step.action !== "set-trading-stop" || step.stopLoss === null) return;
    if (answer.kind !== "acknowledged" && answer.kind !== "uncertain") return;
    const { price, purpose } = step.stopLoss;
    const wrote = { key: step.key, side: step.side, price, decidedFromMs, answeredAtMs };
    if (purpose !== "loosen") return this.rivals.wrote(wrote);
    // What was loosened by name has replaced the stop that it spoke of on purpose, and no tighter one.
    const position = this.#parts.lives.get(step.key)?.position;
    const meantToReplace =
      position === undefined ? null : this.#parts.pass.memory.recall(position).intent?.mayLoosenFrom;
    if (meantToReplace != null) this.rivals.wrote({ ...wrote, meantToReplace });
  }

  async settled(): Promise<void> {
    await Promise.all(this.#wire);
  }

  #urgentStop(position: Position, receivedAtMs: number): UrgentStop | null {
    const { live, instrumentOf, pass, picture: latest, heldBack } = this.#parts;
    const orders = live.ordersOf(position.key);
    const instrument = instrumentOf(position.key);
    const picture = latest();
    if (orders === null || instrument === null || picture === null) return null;
    return stopAtOnce({
      position,
      receivedAtMs,
      orders,
      instrument,
      marginMode: picture.snapshot.marginMode,
      policy: pass.policyOf(position.key, position.side),
      life: pass.memory.recall(position),
      held: pass.frozen(picture) ?? heldBack(position),
    });
  }

  /** Held against everything that was pushed and looked at while a tighter stop waited to be put back. */
  #noLongerOwed({ stopLoss }: SetTradingStop, { key, side, openedAtMs }: Position): string | null {
    const { lives, pass, picture: latest } = this.#parts;
    const picture = latest();
    const now = lives.get(key)?.position;
    if (picture === null || !mayStillLeave(key, picture, pass.clock))
      return "what it was decided from has become too old";
    if (now === undefined || now.side !== side || isOtherOpening(openedAtMs, now.openedAtMs))
      return "the position is not there any more";
    const isTighter =
      now.fullStopLoss !== null && stopLoss !== null && isTighterStop(now.fullStopLoss, stopLoss.price, side);
    return isTighter ? "a tighter stop stands by now" : null;
  }

  /** Held against everything that was pushed while the step waited for its turn. */
  #noLongerDue(step: Step, decidedFrom: Position, receivedAtMs: number): string | null {
    const { live, isLive, pass } = this.#parts;
    if (!isLive()) return "the stream is down, so a look has to decide";
    const hasSlept = receivedAtMs <= (pass.clock.wokeAtMs?.() ?? Number.NEGATIVE_INFINITY);
    if (hasSlept || pass.clock.now() - receivedAtMs > MOST_WAIT_MS)
      return "what it was decided from has become too old";
    const latest = live.lastPushed(decidedFrom.key);
    if (latest === null) return "the position is not there any more";
    const urgent = this.#urgentStop(latest ?? decidedFrom, receivedAtMs);
    return urgent === null ? "it is no longer needed, or a look has to decide" : objection(step, urgent.assessed);
  }

  #send(planned: PlannedStep, position: Position, decidedFromMs: number, veto: (step: Step) => string | null): void {
    const contract = contractText(position.key);
    const sending = this.#sent(planned, position, decidedFromMs, veto).catch(this.#parts.failed);
    this.#wire.add(sending);
    this.#contracts.set(contract, (this.#contracts.get(contract) ?? 0) + 1);
    void sending.finally(() => {
      this.#wire.delete(sending);
      this.#contracts.set(contract, (this.#contracts.get(contract) ?? 1) - 1);
      this.#parts.wake(position.key);
    });
  }

  async #sent(planned: PlannedStep, position: Position, decidedFromMs: number, veto: (step: Step) => string | null) {
    const { book, pass, tell } = this.#parts;
    for (const attempt of await sendAtOnce(planned, { position, book, veto }, pass)) {
      this.wrote(attempt, decidedFromMs);
      tell({ kind: "sent", step: attempt.step, path: "push", answer: attempt.answer.kind });
    }
  }
}

/** By the mark, which no single trade moves. */
function isOver({ price }: SeenStop, { position, market }: Assessed): boolean {
  const mark = market === null ? null : basePrice(position, market, "MarkPrice", "stop-loss");
  return mark !== null && isPast(price, mark, position.side, "stop-loss");
}

function giveBack({ key, side, price }: SeenStop, triggerBy: TriggerBy): SetTradingStop {
  const stopLoss = { price, triggerBy, purpose: "give-back" } as const;
  return { action: "set-trading-stop", key, side, stopLoss, takeProfit: null, reason: "stop-replaced" };
}
