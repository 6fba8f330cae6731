/** How one account stands: its positions counted by what their stop is worth, its passes, its stream. */
import type { Assessment } from "../assess/assess.js";
import type { Status } from "../assess/status.js";
import type { Picture } from "../domain/picture.js";
import { keyText } from "../domain/position.js";
import type { PassResult } from "../pass.js";
import type { Life } from "./lives.js";
import type { GuardParts } from "./parts.js";
import type { Passes } from "./passes.js";
import type { AccountStatus } from "./status.js";

export interface Standing {
  readonly name: string;
  readonly passes: Passes;
  /** As it counts at this moment; null before the first look. */
  readonly assessment: Assessment | null;
  readonly lives: readonly Life[];
  readonly stream: AccountStatus["stream"];
  readonly frozen: string | null;
  readonly silentForMs: number;
  readonly onTheWire: number;
  readonly nowMs: number;
}

/** Without any answer for so long the exchange cannot be reached: it is asked for its time where nothing else is asked. */
const SILENT_MS = 30_000;
/** A pass that has been running for so long, and as long without an answer, will bring nothing. */
const BLIND_MS = 10_000;

export function accountStatus(standing: Standing): AccountStatus {
  const { name, passes, assessment, lives, stream, frozen, onTheWire, silentForMs, nowMs } = standing;
  const isUnanswered = silentForMs >= BLIND_MS && passes.runningMs(nowMs) >= BLIND_MS;
  const trouble = passes.trouble ?? (isUnanswered ? "the exchange does not answer" : null);
  return {
    name,
    reachable: isReachable(standing),
    trouble,
    refusal: passes.refusal,
    lastCompletePassAtMs: passes.lastCompleteMs,
    lastPassMs: passes.lastWholeTookMs,
    stream,
    frozen,
    positions: countByStatus(assessment, lives, trouble !== null),
    nakedForMs: nakedForMs(lives, nowMs),
    budgetLeft: 1 - onTheWire,
  };
}

/** It answers, be it with errors, and has not closed itself to us. */
export function isReachable({ passes, silentForMs }: Pick<Standing, "passes" | "silentForMs">): boolean {
  return silentForMs < SILENT_MS && (passes.trouble === null || !passes.isClosedToUs);
}

/** What tells, at little cost, whether an account comes to anything. */
export interface Pulse extends Pick<AccountStatus, "reachable" | "lastCompletePassAtMs"> {
  readonly silentForMs: number;
  readonly unansweredForMs: number;
}

export function pulseOf(passes: Passes, parts: Pick<GuardParts, "silentForMs" | "unansweredForMs">): Pulse {
  const silentForMs = parts.silentForMs();
  return {
    reachable: isReachable({ passes, silentForMs }),
    lastCompletePassAtMs: passes.lastCompleteMs,
    silentForMs,
    unansweredForMs: parts.unansweredForMs(),
  };
}

const NONE: Readonly<Record<Status, number>> = {
  protected: 0,
  unprotected: 0,
  underprotected: 0,
  misplaced: 0,
  unprotectable: 0,
  unknown: 0,
  ignored: 0,
};

/** What was not seen counts as unknown, and so does everything while nothing of the account can be read. */
function countByStatus(
  assessment: Assessment | null,
  lives: readonly Life[],
  isBlind: boolean,
): Readonly<Record<Status, number>> {
  if (isBlind || assessment === null) return { ...NONE, unknown: lives.length };
  const counts = { ...NONE, unknown: assessment.unseen.length };
  for (const { status } of assessment.positions) counts[status] += 1;
  return counts;
}

/** While a pass runs, what its looks have shown since the one before it ended; its steps are told when it has. */
export function seenSince(
  before: PassResult | null,
  picture: Picture | null,
  assessment: Assessment | null,
): PassResult | null {
  return before === null || picture === null || assessment === null
    ? before
    : { ...before, picture, assessment, planned: [] };
}

/** By `keyText`, for how long each position has been watched without a whole stop, milliseconds. */
function nakedForMs(lives: readonly Life[], nowMs: number): ReadonlyMap<string, number> {
  return new Map(
    lives.flatMap(({ position: { key }, nakedSinceMs }) =>
      nakedSinceMs === null ? [] : [[keyText(key), nowMs - nakedSinceMs] as const],
    ),
  );
}
