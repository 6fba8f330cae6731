/** The memory of lives that outlives the process: read once, kept at hand, written behind in order. */
import type { LifeRecord } from "../domain/life.js";
import { isOtherOpening, keyText, type Position, type PositionKey } from "../domain/position.js";
import { changed, inherited, isOlder, isSameLife, merged, newLife, recognised } from "./lives.js";
import type { Memory } from "./memory.js";
import type { Ledger, Life } from "./port.js";
import { writeBehind } from "./write-behind.js";

export interface LedgerMemory extends Memory {
  /**
   * Reads the account's open lives; asked again after a failure, and when another process has been its writer.
   * False: the ledger could not be read; until it can, records are not `complete` and nothing of the account is written.
   */
  load(account: string): Promise<boolean>;
  isLoaded(account: string): boolean;
  /** Another process writes for the account: until it is read again what is known of it is neither written nor believed. */
  unload(account: string): void;
  /**
   * The life that this position is in; begins it where it is new, and ends the one before. One that is known from the
   * ledger only must be proven to go on, by its opening: where the row does not state that, ask the fills first.
   */
  lifeOf(position: Position): Life;
  /**
   * Nobody has watched the account for a moment: a position whose row does not state its opening may be another by now.
   * Until its opening is known nothing of its life is recalled but what happens once.
   */
  doubt(account: string): void;
  isDoubted(position: Position): boolean;
  /** Those of the account that have not ended, as far as they are known. */
  openLives(account: string): readonly Life[];
  /** True only where the account has been read, and the life is none of those that go on. */
  isOver(account: string, lifeId: string): boolean;
  /** The position is closed; `openedAtMs`: of another opening than this one none is, default null for whatever is open. */
  end(key: PositionKey, how: string, openedAtMs?: number | null): void;
  /** Resolves, and never rejects, when what was remembered until now has been written, or was tried. */
  flush(): Promise<void>;
  /** Why something of it is not in the ledger; null: everything is, or is on its way. */
  writable(): string | null;
}

export interface LedgerMemoryParts {
  readonly ledger: Pick<Ledger, "openLives" | "saveLife" | "writable">;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** Late news may still speak of a life or two before. */
const LIVES_KEPT = 3;
const NONE: Life["unproven"] = [];
/** How a life ends that cannot be told from the next. */
const UNPROVEN = "not proven to go on";

/** Nothing in it throws into a pass: what the ledger refuses is kept, tried again, and told by `writable`. */
export function ledgerMemory({ ledger, now }: LedgerMemoryParts): LedgerMemory {
  /** By position, oldest first. */
  const lives = new Map<string, readonly Life[]>();
  const loaded = new Set<string>();
  /** Of which this process is the writer, or may be: of the others somebody else tells the ledger. */
  const written = new Set<string>();
  const unread = new Map<string, string>();
  const queue = writeBehind({
    save: (life) => ledger.saveLife(life),
    isReady: ({ key }) => loaded.has(key.account),
  });

  /** Followed by this process itself; of the others only the ledger tells. */
  const watched = new Set<string>();
  const doubted = new Set<string>();

  /** A row speaks of one moment: of the life that it was taken for it speaks also when that is over, and of no other. */
  const takenFor = new WeakMap<Position, string>();

  const livesOf = (key: PositionKey) => lives.get(keyText(key)) ?? [];

  function taken(position: Position): Life | undefined {
    const id = takenFor.get(position);
    return id === undefined || !watched.has(id) ? undefined : livesOf(position.key).find((life) => life.id === id);
  }

  function found(position: Position): Life | undefined {
    return taken(position) ?? recognisedIn(position);
  }

  function recognisedIn(position: Position): Life | undefined {
    return livesOf(position.key).findLast((life) =>
      watched.has(life.id) ? isSameLife(life, position) : recognised(life, position) === "same",
    );
  }

  /** The life that it may be the continuation of, though nothing proves it. */
  function unproven({ key, ...seen }: Pick<Position, "key" | "side" | "openedAtMs">): Life | undefined {
    return livesOf(key).findLast((life) => !watched.has(life.id) && recognised(life, seen) === "unproven");
  }

  function isDoubted(position: Position): boolean {
    const life = found(position);
    return position.openedAtMs === null && life !== undefined && doubted.has(life.id);
  }

  const openLives = (account: string) =>
    [...lives.values()].flat().filter(({ key, ended }) => key.account === account && ended === null);

  function keep(life: Life): void {
    const others = livesOf(life.key).filter(({ id }) => id !== life.id);
    const all = [...others, life].sort(byBeginning);
    lives.set(keyText(life.key), all.slice(-LIVES_KEPT));
    if (!written.has(life.key.account)) for (const { id } of all.slice(0, -LIVES_KEPT)) queue.forget(id);
  }

  function save(life: Life): void {
    queue.put(life);
    keep(life);
  }

  function lifeOf(position: Position, change: Partial<LifeRecord> = {}): Life {
    const over = taken(position);
    if (over?.ended != null) return changedAfterwards(over, position, change);
    const known = found(position);
    const others = livesOf(position.key).filter(({ id, ended }) => ended === null && id !== known?.id);
    const isLate = others.some((other) => isOlder(position, other));
    const ended = isLate ? (known?.ended ?? { how: "opened anew", atMs: now() }) : null;
    const doubtful = known === undefined ? unproven(position) : undefined;
    const life = changed(known ?? newLife(position, now(), inherited(doubtful)), position, change, ended);
    watched.add(life.id);
    takenFor.set(position, life.id);
    if (position.openedAtMs !== null) doubted.delete(life.id);
    if (life === known) return life;
    for (const other of isLate ? [] : others) {
      const how = other === doubtful ? UNPROVEN : other.side === position.side ? "opened anew" : "flipped";
      save({ ...other, ended: { how, atMs: now() } });
    }
    save(life);
    return life;
  }

  /** The answer to what was asked for while it went on. */
  function changedAfterwards(over: Life, position: Position, change: Partial<LifeRecord>): Life {
    const life = changed(over, position, change, over.ended);
    if (life !== over) save(life);
    return life;
  }

  async function load(account: string): Promise<boolean> {
    written.add(account);
    await queue.flush();
    // From here on nothing of it is written until it has been read: a blank record must not replace a full one.
    loaded.delete(account);
    try {
      takeIn(account, await ledger.openLives(account));
    } catch (error) {
      unread.set(account, error instanceof Error ? error.message : "the ledger gave no reason");
      return false;
    }
    unread.delete(account);
    loaded.add(account);
    void queue.flush();
    return true;
  }

  /** The ledger's word replaces ours, except for what could not be written yet. */
  function takeIn(account: string, stored: readonly Life[]): void {
    const ours = [...lives.values()].flat().filter(({ id, key }) => key.account === account && queue.isWaiting(id));
    for (const [place, [life]] of lives) if (life?.key.account === account) lives.delete(place);
    const waiting = new Set(ours.map(({ id }) => id));
    for (const life of stored) {
      keep(life);
      // Another process may have been its writer, and nobody here was looking.
      if (!waiting.has(life.id)) watched.delete(life.id);
    }
    for (const life of ours) join(life);
  }

  /** What was seen while the ledger could not be read belongs to the life in the ledger that is proven to be the same. */
  function join(life: Life): void {
    const others = livesOf(life.key).filter(({ id }) => id === life.id || !watched.has(id));
    const same = others.findLast((other) => other.id === life.id || recognised(other, life) === "same");
    if (same !== undefined) {
      if (same.id !== life.id) queue.forget(life.id);
      watched.add(same.id);
      return save(merged(same, life));
    }
    const doubtful = life.ended === null ? unproven(life) : undefined;
    if (doubtful !== undefined) save({ ...doubtful, ended: { how: UNPROVEN, atMs: now() } });
    save(doubtful === undefined ? life : { ...life, record: inherited(merged(doubtful, life)) });
  }

  return {
    recall: (position) => {
      const { key } = position;
      const life = found(position);
      const isCertain = life !== undefined && life.ended === null && !isDoubted(position);
      const record = isCertain ? life.record : inherited(life ?? unproven(position));
      const sent = isCertain ? life.unproven : NONE;
      return { ...record, unproven: sent, intent: null, complete: loaded.has(key.account) };
    },
    remember: (position, change) => void lifeOf(position, change),
    load,
    isLoaded: (account) => loaded.has(account),
    unload: (account) => {
      loaded.delete(account);
      written.delete(account);
    },
    lifeOf: (position) => lifeOf(position),
    doubt: (account) => {
      for (const { id } of openLives(account)) doubted.add(id);
    },
    isDoubted,
    openLives,
    openContracts: (account) => openLives(account).map(({ key }) => key),
    isOver: (account, lifeId) => loaded.has(account) && !openLives(account).some(({ id }) => id === lifeId),
    end: (key, how, openedAtMs = null) => {
      const isMeant = (life: Life) => life.ended === null && !isOtherOpening(life.openedAtMs, openedAtMs);
      for (const life of livesOf(key).filter(isMeant)) save({ ...life, ended: { how, atMs: now() } });
    },
    flush: () => queue.flush(),
    writable: () => queue.problem() ?? [...unread.values()][0] ?? ledger.writable(),
  };
}

function byBeginning(one: Life, other: Life): number {
  return (one.openedAtMs ?? one.firstSeenMs) - (other.openedAtMs ?? other.firstSeenMs);
}
