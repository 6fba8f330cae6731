/** The part of a guard that gives entry orders their exits, under the same pauses and switches as everything else. */
import type { Picture } from "../domain/picture.js";
import type { AmendOrder } from "../plan/attach.js";
import { type Attacher, createAttacher } from "./attach.js";
import type { GuardParts } from "./parts.js";

export interface AttachingParts {
  /** Null before the first look. */
  readonly picture: () => Picture | null;
  readonly isStopping: () => boolean;
  /** These exits are on the wire. */
  readonly sent: (step: AmendOrder) => void;
}

/** Null: this guard attaches nothing. */
export function attacherFor(parts: GuardParts, { picture, isStopping, sent }: AttachingParts): Attacher | null {
  const { attach, pass, paused, tell, orderIntents } = parts;
  if (attach === undefined) return null;
  return createAttacher({
    send: attach.send,
    exchangeNow: attach.exchangeNow,
    leftAlone: attach.leftAlone,
    clock: pass.clock,
    // What an intent waits for gets its levels as it opens, or none.
    isSpokenFor: (key, side, { orderLinkId }) => orderIntents?.waitsFor(key, side, orderLinkId) === true,
    policyOf: (key, side) => {
      const policy = pass.policyOf(key, side);
      // What is paused is out of scope for as long as it is.
      return paused(key) === null ? policy : { ...policy, inScope: false };
    },
    frozen: () => {
      const latest = picture();
      if (isStopping()) return "the program is stopping";
      return latest === null ? "nothing was looked at yet" : pass.frozen(latest);
    },
    on: (event) => {
      if (event.outcome === "sent") sent(event.step);
      tell({ kind: "attach", event });
    },
  });
}
