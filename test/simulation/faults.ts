/** Everything that can go wrong in a run: each kind with the fault of docs/faults.md that it stands for, its unit and its rates. */

export interface FaultKind {
  /** As numbered in docs/faults.md: F1 to F48. */
  readonly of: string;
  readonly what: string;
  /** `read`, `write`: a chance at each request; `push`: at each push; `connect`: at each connection; `journal`: at each write to the ledger; `every`: mean seconds between two. */
  readonly unit: "read" | "write" | "push" | "connect" | "journal" | "every";
  /** A seed picks one of these. */
  readonly rates: readonly number[];
}

const CHANCES = [0.001, 0.01, 0.05] as const;
const WRITE_CHANCES = [0.05, 0.15, 0.3] as const;

const read = (of: string, what: string, rates: readonly number[] = CHANCES): FaultKind => ({
  of,
  what,
  unit: "read",
  rates,
});
const write = (of: string, what: string): FaultKind => ({ of, what, unit: "write", rates: WRITE_CHANCES });
const push = (of: string, what: string): FaultKind => ({ of, what, unit: "push", rates: [0.005, 0.03, 0.15] });
const connect = (of: string, what: string): FaultKind => ({ of, what, unit: "connect", rates: [0.1, 0.4] });
const journal = (of: string, what: string, rates: readonly number[] = [0.01, 0.1]): FaultKind => ({
  of,
  what,
  unit: "journal",
  rates,
});
const every = (of: string, what: string, rates: readonly number[] = [1_200, 3_600, 7_200]): FaultKind => ({
  of,
  what,
  unit: "every",
  rates,
});

export const FAULTS = {
  readServerError: read("F1", "a read is answered with 10000, 10016, 10429, 502 or 429"),
  readHang: read("F3", "a read is never answered", [0.0005, 0.003]),
  readReset: read("F1", "a read's connection is reset"),
  readGarbage: read("F6", "a read's answer is empty, cut off, stalled, or a web page with status 200"),
  readRateLimit: read("F7", "a read is refused with 10006", [0.001, 0.01]),
  readStale: read("F17", "a read shows the account as it was up to two seconds ago", [0.005, 0.05]),
  pageFails: read("F15", "a page in the middle of a list fails", [0.05, 0.2]),
  cursorLoop: read(
    "F16",
    "a list's cursor leads back to itself, or to a last page that is empty or repeated",
    [0.01, 0.05],
  ),
  emptyList: read("F18", "a list of positions is empty although there are some", [0.002, 0.01]),
  schemaNewField: read("F19", "a row has a new field, or one as another type", [0.01, 0.05]),
  schemaNewEnum: read("F19", "a row has an unknown word where something is decided", [0.002, 0.01]),
  schemaMissing: read("F19", "a row lacks a field", [0.002, 0.01]),
  doubledRow: read("F20", "a row comes twice, or two different rows for one position", [0.002, 0.01]),
  noMark: read("F27", "a price is missing, zero or empty", [0.005, 0.03]),
  writeServerErrorBefore: write("F2", "a write is answered with a server error, without effect"),
  writeServerErrorAfter: write("F2", "a write is answered with a server error, after its effect"),
  writeTimeoutBefore: write("F3", "a write is never answered and has no effect"),
  writeTimeoutAfter: write("F4", "a write is never answered, after its effect"),
  writeResetAfter: write("F4", "a write's connection is reset, after its effect"),
  writeLateEffect: write("F5", "a write is acknowledged, and takes effect up to eight seconds later"),
  writeGarbage: write("F6", "a write's answer is empty, cut off, stalled, or a web page with status 200"),
  writeRateLimit: write("F7", "a write is refused with 10006"),
  writeNotModified: write("F12", "a write is answered with 34040, without effect"),
  writeLie: write("F12", "a write is acknowledged and has no effect"),
  writeZeroPosition: write("F21", "a write is refused for a position of zero"),
  writeStopLimits: write("F14", "a write is refused with 110061, 110058 or 3400214"),
  writeNeverLeft: write("F41", "a write cannot be sent: no name, no connection"),
  flipInWrite: write("F21", "the position flips while a write is under way"),
  closeInWrite: write("F21", "the position closes while a write is under way"),
  growInWrite: write("F22", "the position grows or shrinks while a write is under way"),
  handInWrite: write("F28", "another hand sets a tighter stop while a write is under way"),
  pushLost: push("F30", "a push is lost"),
  pushDoubled: push("F31", "a push comes twice"),
  pushLate: push("F31", "a push comes up to three seconds late, one in five up to five minutes, and out of order"),
  pushGarbage: push("F34", "a push is no JSON, of an unknown topic, or lacks a field"),
  streamAuthRefused: connect("F33", "the login is refused"),
  streamUnsettled: connect("F33", "the connection drops before or after the login, or never answers"),
  streamDrop: every("F29", "the private stream drops"),
  streamHalfOpen: every("F29", "the private stream falls silent without an end"),
  pushBurst: every("F32", "hundreds of pushes at once", [3_600, 7_200]),
  ipBan: every("F8", "the address is shut out with HTTP 403", [7_200, 14_400]),
  clockStep: every("F38", "our wall clock steps, up to an hour either way"),
  keyRefused: every("F11", "the key is refused for its address (10010) for a minute or two", [7_200]),
  keyReadOnly: every("F11", "the key loses the right to write for a minute or two", [7_200]),
  keyInvalid: every(
    "F10",
    "the key counts as unknown, badly signed or expired (10003, 10004, 33004) for a minute or two",
    [7_200],
  ),
  switchDown: every("F45", "the dead man's switch hangs, refuses, or answers with an error for up to ten minutes"),
  networkDown: every("F41", "nothing reaches the exchange for up to a minute"),
  tickChange: every("F25", "a contract's tick changes", [3_600, 10_800]),
  auction: every("F24", "a contract goes into a call auction for some minutes", [7_200]),
  positionMode: every("F23", "the account switches between one-way and hedge mode while flat", [3_600]),
  deleverage: every("F26", "auto-deleveraging takes a part of a position", [3_600]),
  liquidationUnknown: every("F26", "the exchange states no liquidation price", [3_600]),
  thinBook: every("F21", "market orders find only a part of their quantity for a while", [3_600]),
  kill: every("F36", "the process is killed, at a random await of the write path, and started again", [1_800, 3_600]),
  suspend: every("F37", "the process, or its whole machine, is suspended for ten seconds to twenty minutes", [3_600]),
  stall: every("F42", "the process stands still for up to thirty seconds", [1_800]),
  journalFull: every("F39", "the ledger takes no writes for a while"),
  journalFails: journal("F39", "one write to the ledger fails"),
  journalSlow: journal("F39", "one write to the ledger takes up to four seconds"),
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULTS;
