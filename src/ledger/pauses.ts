/** Where nothing may be written for a while: asked right before every write, and read anew when the file changes. */
import { statSync } from "node:fs";
import { glob } from "../policy/resolve.js";
import { type Pause, type PauseFile, pauseFilePath, readPauseFile } from "./pause-file.js";

export type { Pause } from "./pause-file.js";

export interface Pauses {
  /** Why nothing may be written there at this moment of the wall clock; null: nobody paused it. */
  reasonFor(place: Place, nowMs: number): string | null;
  /** Those in force at this moment of the wall clock, in the order in which they were made. */
  all(nowMs: number): readonly Pause[];
  /** Why the file cannot be read, which pauses everything; null: it can. */
  damage(): string | null;
}

export interface Place {
  readonly account: string;
  readonly symbol: string;
}

/** Costs one look at the file's facts for each ask. */
export function openPauses(stateDir: string): Pauses {
  const file = pauseFilePath(stateDir);
  let held: Compiled = { damage: null, pauses: [] };
  let heldMark: string | null = null;

  function current(): Compiled {
    // Taken before the file is read: one that is replaced in between is read once more, instead of never.
    const mark = markOf(file);
    if (mark !== null && mark === heldMark) return held;
    held = compiled(readPauseFile(stateDir), file);
    // What could not be read is tried again at each ask: it may have been this process that could not.
    heldMark = held.damage === null ? mark : null;
    return held;
  }

  return {
    reasonFor: (place, nowMs) => {
      const { damage, pauses } = current();
      if (damage !== null) return damage;
      const meant = pauses.filter(({ pause, covers }) => isInForce(pause, nowMs) && covers(place));
      return meant.length === 0 ? null : reasonText(longest(meant.map(({ pause }) => pause)));
    },
    all: (nowMs) => inForce(current().pauses, nowMs),
    damage: () => current().damage,
  };
}

export function isInForce({ untilMs }: Pause, nowMs: number): boolean {
  return untilMs === null || nowMs < untilMs;
}

/** `account main, symbol BTC*, until 2026-01-01T00:10:00.000Z: maintenance` */
export function pauseText(pause: Pause): string {
  return `${scopeText(pause)}, ${untilText(pause)}${because(pause)}`;
}

/** The damage in full: what it does and what ends it. */
export function damageText(file: string, why: string): string {
  const cure = "`npx bybit-backstop resume` without --account and --symbol begins a new one";
  return `${file} is damaged (${why}), so everything is paused; ${cure}`;
}

interface Compiled {
  readonly damage: string | null;
  readonly pauses: readonly { readonly pause: Pause; readonly covers: (place: Place) => boolean }[];
}

function compiled(read: PauseFile, file: string): Compiled {
  if (read.kind === "damaged") return { damage: damageText(file, read.why), pauses: [] };
  const pauses = read.pauses.map((pause) => {
    const symbolMatches = glob(pause.symbol ?? undefined);
    const covers = ({ account, symbol }: Place) =>
      (pause.account === null || pause.account === account) && symbolMatches(symbol);
    return { pause, covers };
  });
  return { damage: null, pauses };
}

function inForce(pauses: Compiled["pauses"], nowMs: number): readonly Pause[] {
  return pauses.map(({ pause }) => pause).filter((pause) => isInForce(pause, nowMs));
}

/** The one that ends last is the one that must be waited for. */
function longest(pauses: readonly Pause[]): Pause {
  return pauses.reduce((long, pause) => (endMs(pause) > endMs(long) ? pause : long));
}

function endMs({ untilMs }: Pause): number {
  return untilMs ?? Number.POSITIVE_INFINITY;
}

function reasonText(pause: Pause): string {
  return `paused ${untilText(pause)} (${scopeText(pause)})${because(pause)}`;
}

function scopeText({ account, symbol }: Pause): string {
  return `${account === null ? "all accounts" : `account ${account}`}, ${symbol === null ? "all symbols" : `symbol ${symbol}`}`;
}

function untilText({ untilMs }: Pause): string {
  return untilMs === null ? "until resumed" : `until ${new Date(untilMs).toISOString()}`;
}

function because({ reason }: Pause): string {
  return reason === null ? "" : `: ${reason}`;
}

/** Changes whenever the file does; null: it cannot be looked at. */
function markOf(file: string): string | null {
  try {
    const facts = statSync(file, { bigint: true, throwIfNoEntry: false });
    return facts === undefined ? "absent" : `${facts.dev}/${facts.ino}/${facts.size}/${facts.mtimeNs}/${facts.ctimeNs}`;
  } catch {
    return null;
  }
}
