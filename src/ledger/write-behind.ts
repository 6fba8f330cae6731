/** Saves lives in the order of their changes while nobody waits for it; what fails is kept and tried again. */
import { LedgerError } from "./error.js";
import type { Life } from "./port.js";

export interface WriteBehind {
  /** To be written; an earlier state of the same life that still waits is not written any more. */
  put(life: Life): void;
  /** True until it has been written. */
  isWaiting(id: string): boolean;
  forget(id: string): void;
  /** Resolves when everything that can be written has been, or one has failed. */
  flush(): Promise<void>;
  /** Why the latest one could not be written; null: it could. */
  problem(): string | null;
}

export interface WriteBehindParts {
  readonly save: (life: Life) => Promise<void>;
  /** One that may not be written yet waits, and holds up no other. */
  readonly isReady: (life: Life) => boolean;
}

/** Tries again with each `put` and each `flush`; it has no clock of its own. */
export function writeBehind({ save, isReady }: WriteBehindParts): WriteBehind {
  const waiting = new Map<string, Life>();
  let running: Promise<void> | null = null;
  let problem: string | null = null;

  async function drain(): Promise<void> {
    // Changes of the same moment become one write.
    await Promise.resolve();
    let life = next();
    while (life !== undefined && (await isDone(life))) life = next();
    // In the same breath as the last look: what is put from now on starts anew.
    running = null;
  }

  function next(): Life | undefined {
    for (const life of waiting.values()) if (isReady(life)) return life;
    return undefined;
  }

  /** False: it stays, and so does everything behind it. */
  async function isDone(life: Life): Promise<boolean> {
    try {
      await save(life);
      problem = null;
    } catch (error) {
      problem = error instanceof Error ? error.message : "the ledger gave no reason";
      // What can never be stored must not keep the others waiting.
      if (!(error instanceof LedgerError && error.trouble === "value")) return false;
    }
    if (waiting.get(life.id) === life) waiting.delete(life.id);
    return true;
  }

  function wake(): Promise<void> {
    running ??= drain();
    return running;
  }

  return {
    put: (life) => {
      waiting.set(life.id, life);
      void wake();
    },
    isWaiting: (id) => waiting.has(id),
    forget: (id) => void waiting.delete(id),
    flush: wake,
    problem: () => problem,
  };
}
