/**
 * The last word of a pass: what stops did not wait for is looked at now, and what the books hold open and no look has
 * shown; where the result is a report, so is what has become old while others were written to.
 */
import type { Picture } from "../domain/picture.js";
import type { Snapshot } from "../domain/snapshot.js";
import { secondView } from "./first-looks.js";
import { type Attentive, nextView, type View } from "./view.js";

/** What a report says may have been asked for so long before. */
const MOST_AGE_MS = 1_000;
/** What such a look shows may have to be done, and takes its time again. */
const MOST_LOOKS = 3;
const MOST_TRIES = 3;
const TRY_AGAIN_MS = 500;
const STOPPED_WITHIN_MS = 5_000;
const STOP_NOTICED_MS = 250;
/** Enough for three tries of the request, each given up after five seconds. */
const MOST_ROLE_LOOKS = 6;

export class Ending {
  readonly #options: Attentive;
  #looks = 0;
  /** The latest look of its own, and when it had come. */
  #seen: { readonly view: View; readonly atMs: number } | null = null;
  #hasWaited = false;
  #roleLooks = 0;

  constructor(options: Attentive) {
    this.#options = options;
  }

  /** True: something was left out, or is in doubt, for the sake of stops that had to leave first; or stops wait for a word. */
  isOwedALook(view: View): boolean {
    return this.#leftSomethingOut(view.picture) || view.inDoubt.length > 0 || this.#waitsForRole(view);
  }

  /** Now it is waited for. The same picture: it could not be looked at. */
  async catchUp(view: View): Promise<View> {
    if (this.#leftSomethingOut(view.picture)) this.#hasWaited = true;
    else if (view.inDoubt.length > 0) return secondView(view, this.#options, "prompt");
    else {
      this.#roleLooks += 1;
      await this.#options.clock.sleep(TRY_AGAIN_MS);
    }
    const next = await this.#nextInTime(view);
    if (next !== null) this.#saw(next);
    return next ?? view;
  }

  /** A pass over some contracts is woken for them again. */
  #leftSomethingOut({ snapshot }: Picture): boolean {
    const { scope = "account" } = this.#options;
    return snapshot.wentOnWithout && scope === "account" && !this.#hasWaited;
  }

  /** Nothing may be written as long as the account has not said whether others copy its trades. */
  #waitsForRole({ picture, planned }: View): boolean {
    const { scope = "account", frozen } = this.#options;
    const { snapshot } = picture;
    if (scope !== "account" || snapshot.copyTradingMaster !== "unread" || planned.length === 0) return false;
    const isAllThatFreezes =
      frozen(picture) !== null && frozen({ ...picture, snapshot: asNoMaster(snapshot) }) === null;
    return isAllThatFreezes && this.#roleLooks < MOST_ROLE_LOOKS;
  }

  /**
   * The same view: it may be told. Another one: there may be more to do. Null: nothing could be looked at again.
   * `isOwed`: a write was answered since the view, which may not be told then.
   */
  async look(view: View, isOwed = false): Promise<View | null> {
    const { beforeEnd, clock, remembered } = this.#options;
    // Once asked for by name it is shown, told as not open, or a gap.
    if (remembered.isLacking(view.picture)) return this.#lookAgain(view);
    if (beforeEnd === undefined) return view;
    await beforeEnd();
    // A look that waited for what stays silent was long under way; one more would tell nothing younger.
    const sinceMs = view === this.#seen?.view ? this.#seen.atMs : view.picture.snapshot.requestedAtMs;
    const isYoung = !isOwed && clock.now() - sinceMs <= MOST_AGE_MS;
    if (isYoung || this.#looks === MOST_LOOKS) return view;
    this.#looks += 1;
    return this.#lookAgain(view);
  }

  #saw(view: View): void {
    this.#seen = { view, atMs: this.#options.clock.now() };
  }

  async #lookAgain(view: View): Promise<View | null> {
    // A look sends nothing: one is made also where the program is to end.
    for (let nth = 1; nth === 1 || (nth <= MOST_TRIES && this.#options.isStopping?.() !== true); nth += 1) {
      if (nth > 1) await this.#options.clock.sleep(TRY_AGAIN_MS);
      const next = await this.#nextInTime(view);
      if (next === null) continue;
      this.#saw(next);
      return next;
    }
    return null;
  }

  /** Whoever ends a program does not wait for an exchange that is silent. */
  async #nextInTime(view: View): Promise<View | null> {
    let isOver = false;
    const looking = nextView(view, "account", this.#options, "prompt").finally(() => {
      isOver = true;
    });
    return Promise.race([looking, this.#stopped(() => isOver)]);
  }

  /** Resolves a while after the program was told to end, or when that does not matter any more. */
  async #stopped(isOver: () => boolean): Promise<null> {
    const { clock, isStopping } = this.#options;
    for (let waitedMs = 0; waitedMs < STOPPED_WITHIN_MS && !isOver(); ) {
      await clock.sleep(STOP_NOTICED_MS);
      if (isStopping?.() === true) waitedMs += STOP_NOTICED_MS;
    }
    return null;
  }
}

function asNoMaster(snapshot: Snapshot): Snapshot {
  return { ...snapshot, copyTradingMaster: false };
}
