/** Pausing and resuming: what is added to the pauses, what is taken from them, and what holds afterwards. */
import { glob } from "../policy/resolve.js";
import {
  changePauseFile,
  type Pause,
  PauseFileError,
  pauseFilePath,
  type PauseFile,
  readPauseFile,
  type WaitingClock,
} from "./pause-file.js";
import { damageText, isInForce } from "./pauses.js";

export { PauseFileError, type WaitingClock } from "./pause-file.js";

/** Every account with every symbol; an empty list means all there are. */
export interface PauseScope {
  readonly accounts: readonly string[];
  /** Symbols, or globs such as BTC*. */
  readonly symbols: readonly string[];
}

export interface PauseWish extends PauseScope {
  /** Wall clock, milliseconds since 1970; null: until resumed. */
  readonly untilMs: number | null;
  readonly reason: string | null;
}

export interface Paused {
  readonly added: readonly Pause[];
  /** Everything that is paused now. */
  readonly inForce: readonly Pause[];
}

export interface Resumed {
  readonly removed: readonly Pause[];
  /** Pauses that were not removed and still hold something of what was to be resumed: they reach farther. */
  readonly stillHolding: readonly Pause[];
  /** Everything that is paused now. */
  readonly inForce: readonly Pause[];
  /** What was wrong with the file that was replaced; null: nothing. */
  readonly damage: string | null;
}

/**
 * A pause never shortens another of the same place: a script's ten minutes must not end what a person paused.
 * @throws PauseFileError when the file is damaged, which pauses everything already, or cannot be written
 */
export async function addPauses(stateDir: string, wish: PauseWish, clock: WaitingClock): Promise<Paused> {
  const nowMs = clock.now();
  const added = placesOf(wish).map((place) => ({
    ...place,
    untilMs: wish.untilMs,
    sinceMs: nowMs,
    reason: wish.reason,
  }));
  const change = (found: PauseFile) => {
    const standing = soundPauses(found, stateDir).filter((pause) => isInForce(pause, nowMs));
    return [...standing.filter((pause) => !added.some((one) => replaces(one, pause))), ...added];
  };
  return { added, inForce: await changePauseFile(stateDir, change, clock) };
}

/**
 * Removes the pauses that lie within the scope. Without accounts and symbols that is every pause, and a damaged file
 * is replaced; what reaches farther than the scope is left, and named.
 * @throws PauseFileError when the file is damaged and only a part is to be resumed, or cannot be written
 */
export async function removePauses(stateDir: string, scope: PauseScope, clock: WaitingClock): Promise<Resumed> {
  const nowMs = clock.now();
  const isEverything = scope.accounts.length === 0 && scope.symbols.length === 0;
  let removed: readonly Pause[] = [];
  let damage: string | null = null;
  const change = (found: PauseFile) => {
    if (found.kind === "damaged" && isEverything) {
      damage = found.why;
      return [];
    }
    const standing = soundPauses(found, stateDir).filter((pause) => isInForce(pause, nowMs));
    removed = standing.filter((pause) => liesWithin(pause, scope));
    return standing.filter((pause) => !removed.includes(pause));
  };
  const found = readPauseFile(stateDir);
  const isEmpty = found.kind === "sound" && found.pauses.length === 0;
  const inForce = isEmpty ? [] : await changePauseFile(stateDir, change, clock);
  return { removed, damage, inForce, stillHolding: inForce.filter((pause) => touches(pause, scope)) };
}

function soundPauses(found: PauseFile, stateDir: string): readonly Pause[] {
  if (found.kind === "sound") return found.pauses;
  throw new PauseFileError(damageText(pauseFilePath(stateDir), found.why));
}

function placesOf({ accounts, symbols }: PauseScope): readonly Pick<Pause, "account" | "symbol">[] {
  const all = [null];
  return (accounts.length === 0 ? all : unique(accounts)).flatMap((account) =>
    (symbols.length === 0 ? all : unique(symbols)).map((symbol) => ({ account, symbol })),
  );
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function replaces(added: Pause, pause: Pause): boolean {
  if (added.account !== pause.account || !isSameSymbol(added.symbol, pause.symbol)) return false;
  return added.untilMs === null || (pause.untilMs !== null && pause.untilMs <= added.untilMs);
}

/** A glob may reach farther than another that matches its text: it is ended by itself, or by resuming all symbols. */
function liesWithin(pause: Pause, { accounts, symbols }: PauseScope): boolean {
  const isAccount = accounts.length === 0 || (pause.account !== null && accounts.includes(pause.account));
  return isAccount && (symbols.length === 0 || symbols.some((symbol) => symbolLiesWithin(pause.symbol, symbol)));
}

function symbolLiesWithin(paused: string | null, resumed: string): boolean {
  if (paused === null) return false;
  return isSameSymbol(paused, resumed) || (!isGlob(paused) && glob(resumed)(paused));
}

function touches(pause: Pause, { accounts, symbols }: PauseScope): boolean {
  const isAccount = accounts.length === 0 || pause.account === null || accounts.includes(pause.account);
  return isAccount && (symbols.length === 0 || symbols.some((symbol) => symbolTouches(pause.symbol, symbol)));
}

function symbolTouches(paused: string | null, resumed: string): boolean {
  return paused === null || glob(paused)(resumed) || glob(resumed)(paused);
}

function isSameSymbol(one: string | null, other: string | null): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}

function isGlob(symbol: string): boolean {
  return /[*?[\]{}()!+@|\\]/.test(symbol);
}
