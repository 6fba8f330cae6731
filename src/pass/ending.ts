/**
 * The last word of a pass: what stops did not wait for is looked at now; and where the result is a report, so is what
 * has become old while others were written to.
 */
import { nextView, secondView, type Attentive, type View } from "./view.js";

/** What a report says may have been asked for so long before. */
const MOST_AGE_MS = 1_000;
/** What such a look shows may have to be done, and takes its time again. */
const MOST_LOOKS = 3;
const MOST_TRIES = 3;
const TRY_AGAIN_MS = 500;

export class Ending {
  readonly #options: Attentive;
  #looks = 0;
  #seen: View | null = null;
  #hasWaited = false;

  constructor(options: Attentive) {
    this.#options = options;
  }

  /** The same view: it may be told. Another one: there may be more to do. Null: nothing could be looked at again. */
  async look(view: View): Promise<View | null> {
    const { beforeEnd, clock, scope = "account" } = this.#options;
    // A pass over some contracts is woken for them again.
    if (view.picture.snapshot.wentOnWithout && scope === "account" && !this.#hasWaited) {
      this.#hasWaited = true;
      this.#seen = await nextView(view, "account", this.#options, "prompt");
      return this.#seen ?? this.look(view);
    }
    if (view.inDoubt.length > 0) return secondView(view, this.#options, "prompt");
    if (beforeEnd === undefined) return view;
    await beforeEnd();
    const isYoung = clock.now() - view.picture.snapshot.requestedAtMs <= MOST_AGE_MS;
    if (isYoung || view === this.#seen || this.#looks === MOST_LOOKS) return view;
    this.#looks += 1;
    this.#seen = await this.#lookAgain(view);
    return this.#seen;
  }

  async #lookAgain(view: View): Promise<View | null> {
    // A look sends nothing: one is made also where the program is to end.
    for (let nth = 1; nth === 1 || (nth <= MOST_TRIES && this.#options.isStopping?.() !== true); nth += 1) {
      if (nth > 1) await this.#options.clock.sleep(TRY_AGAIN_MS);
      const next = await nextView(view, "account", this.#options, "prompt");
      if (next !== null) return next;
    }
    return null;
  }
}
