/** Faults that a test asks for: which requests they hit, how often, and what then goes wrong. */

export const WIRE_FAULTS = [
  "retCode",
  "html",
  "hang",
  "stall",
  "reset",
  "empty",
  "truncated",
  "ackButIgnore",
  "effectThenReset",
  "delayedEffect",
] as const;
const PAGING_FAULTS = ["lastCursorEmptyPage", "lastCursorRepeat", "selfCursor"] as const;
const STREAM_FAULTS = [
  "streamRefuseAuth",
  "streamDropBeforeAuthReply",
  "streamDropAfterSubscribe",
  "streamSilent",
  "streamDuplicate",
  "streamReorder",
  "streamLose",
] as const;
export const FAULT_KINDS = [...WIRE_FAULTS, ...PAGING_FAULTS, "zeroPosition", ...STREAM_FAULTS] as const;

export type WireFaultKind = (typeof WIRE_FAULTS)[number];
export type PagingFaultKind = (typeof PAGING_FAULTS)[number];
export type StreamFaultKind = (typeof STREAM_FAULTS)[number];
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * `path` and `account` narrow what is hit (absent: all). The first `after` hits pass, then `times` (default 1) fail.
 * `afterEffect`: the request takes effect before the answer goes wrong.
 */
export interface Fault {
  readonly kind: FaultKind;
  readonly path?: string | undefined;
  readonly account?: string | undefined;
  readonly times?: number | undefined;
  readonly after?: number | undefined;
  readonly afterEffect?: boolean | undefined;
  readonly retCode?: number | undefined;
  readonly retMsg?: string | undefined;
  /** For `html`: 403 or 502 and the like. */
  readonly status?: number | undefined;
  /** For `delayedEffect`. */
  readonly delayMs?: number | undefined;
}

interface Armed {
  readonly fault: Fault;
  passesLeft: number;
  hitsLeft: number;
}
export type FaultList = Armed[];

export function armFault(list: FaultList, fault: Fault): void {
  list.push({ fault, passesLeft: fault.after ?? 0, hitsLeft: fault.times ?? 1 });
}

export interface FaultTarget {
  readonly path?: string;
  readonly account?: string | null;
}

/** The first armed fault of these kinds that fits; it is used up by being taken. */
export function takeFault(list: FaultList, kinds: readonly FaultKind[], target: FaultTarget): Fault | undefined {
  for (const armed of list) {
    const { fault } = armed;
    if (!kinds.includes(fault.kind) || armed.hitsLeft <= 0) continue;
    if (fault.path !== undefined && target.path !== undefined && fault.path !== target.path) continue;
    if (fault.account !== undefined && fault.account !== target.account) continue;
    if (armed.passesLeft > 0) {
      armed.passesLeft -= 1;
      continue;
    }
    armed.hitsLeft -= 1;
    if (armed.hitsLeft === 0) list.splice(list.indexOf(armed), 1);
    return fault;
  }
  return undefined;
}
